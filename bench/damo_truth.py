"""The farm's own damo networks against ModelScope's classes: the same random weights, the same output.

Not one of `python -m bench`'s: it needs ModelScope's package, in a place of its own:

    pip install --no-deps --target DIR modelscope
    python -m bench.damo_truth DIR

The published files' forms are kept: pickles, with the tables and the prefix that they have.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench import damo_weights
from bench.damo_theirs import Run, Theirs
from bench.results import write
from workers.models.damo.backbone import load_backbone
from workers.models.damo.bundle import BACKBONE, FACE_MODEL, NETWORK, RECONSTRUCTION
from workers.models.damo.coefficients import load_reconstruction
from workers.models.damo.jaw import fused_coefficients, load_jaw
from workers.models.damo.network import load_damo

CLAIM = (
    "The farm's own implementation of damo's inference path against ModelScope's classes, both loaded "
    "strictly from the same files of the published names with random weights: largest difference of the "
    "outputs. The network is the UNet attribute encoder, dense motion and AAD generator, and gives a face in "
    "-1..1; the backbone an embedding of length 1; the reconstruction 257 coefficients; the jaw lines, fused "
    "and the target's own, lie in -1..1, by a face model of random points. Aim: 1e-4 at most, in double "
    "precision. In single precision, random weights amplify rounding: their classes differ from themselves "
    "alike. Not held to anything: where landmarks and pupils are found, since the publisher's networks for "
    "that are frozen graphs of TensorFlow, and what the published weights make of a face."
)
CASES = 3
DOUBLE, SINGLE = torch.float64, torch.float32


@dataclass(frozen=True)
class Part:
    """One part of the path: ours and theirs, each at a precision, and what it is shown."""

    name: str
    ours: Callable[[torch.dtype], Run]
    theirs: Callable[[torch.dtype], Run]
    inputs: Callable[[], tuple[Tensor, ...]]


def main(site: Path) -> None:
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    torch.set_flush_denormal(True)
    version = next(d.version for d in distributions(path=[str(site)]) if d.name == "modelscope")
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        directory = damo_weights.write_directory(Path(folder))
        for part in _parts(directory, Theirs(site, directory)):
            rows += [{**row, "modelscope": version} for row in _compared(part)]
    write("damo-truth", CLAIM, rows)


def _compared(part: Part) -> Iterator[dict[str, Any]]:
    ours, theirs = ({kind: make(kind) for kind in (SINGLE, DOUBLE)} for make in (part.ours, part.theirs))
    for number in range(CASES):
        torch.manual_seed(number)
        inputs = part.inputs()
        given = {kind: [each.to(kind) for each in inputs] for kind in (SINGLE, DOUBLE)}
        found = {kind: (ours[kind](*given[kind]), theirs[kind](*given[kind])) for kind in given}
        yield {
            "part": part.name,
            "input": number,
            "double precision": _apart(*found[DOUBLE]),
            "single precision": _apart(*found[SINGLE]),
            "theirs, single against double": _apart(found[SINGLE][1], found[DOUBLE][1]),
            "spread of the output": float(found[DOUBLE][1].std()),
        }


def _parts(directory: Path, theirs: Theirs) -> tuple[Part, ...]:
    network, backbone = directory / f"{NETWORK}.pt", directory / f"{BACKBONE}.pth"
    reconstruction, face_model = directory / f"{RECONSTRUCTION}.pth", directory / f"{FACE_MODEL}.mat"

    def jaws(kind: torch.dtype) -> Run:
        jaw = load_jaw(face_model).to(kind)
        return lambda source, target: jaw(torch.cat((fused_coefficients(source[:, :80], target), target)))

    return (
        Part("network", lambda kind: load_damo(network, kind), theirs.network, _network_inputs),
        Part("backbone", lambda kind: load_backbone(backbone).to(kind), theirs.backbone, _one_crop),
        Part(
            "reconstruction",
            lambda kind: load_reconstruction(reconstruction).to(kind),
            theirs.reconstruction,
            _one_crop,
        ),
        Part("jaw lines", jaws, theirs.jaws, lambda: tuple(torch.randn(2, 1, 257) * 0.3)),
    )


def _network_inputs() -> tuple[Tensor, ...]:
    target, identity = torch.rand(1, 3, 256, 256) * 2 - 1, nn.functional.normalize(torch.randn(1, 512))
    own, change = torch.rand(1, 17, 2) * 1.6 - 0.8, torch.rand(1, 17, 2) * 0.2
    return target, identity, own + change, own


def _one_crop() -> tuple[Tensor, ...]:
    return (torch.rand(1, 3, 256, 256) * 2 - 1,)


def _apart(one: Tensor, two: Tensor) -> float:
    return float((one.double() - two.double()).abs().max())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
