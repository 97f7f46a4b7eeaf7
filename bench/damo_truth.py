"""The farm's own damo network against ModelScope's classes: the same random weights, the same output.

Not one of `python -m bench`'s: it needs ModelScope's package, in a place of its own:

    pip install --no-deps --target DIR modelscope
    python -m bench.damo_truth DIR

The published file's form is kept: a pickle of {"state_dict": ...}, each name with the prefix "module.".
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import tempfile
import warnings
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from bench.results import write
from workers.models.damo.network import DamoNetwork, load_damo

CLAIM = (
    "The farm's own implementation of damo's face fusion network (UNet attribute encoder, dense motion, AAD "
    "generator) against ModelScope's classes, both loaded strictly from one checkpoint of the published "
    "names with random weights: largest difference of the output, which lies in -1..1. Aim: 1e-4 at most. In "
    "single precision, random weights amplify rounding: their classes differ from themselves alike."
)
CASES = 3
POWER_STEPS = 20  # towards each weight's largest singular vectors, as training leaves them


def main(site: Path) -> None:
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    torch.set_flush_denormal(True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "pytorch_model.pt"
        state = random_weights()
        torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, path)
        networks = {kind: load_damo(path, kind) for kind in (torch.float32, torch.float64)}
    theirs = _network_package(site).AEI_Net(c_id=512, num_kp=17, device=torch.device("cpu"))
    theirs.load_state_dict(state, strict=True)
    theirs.eval()
    version = next(d.version for d in distributions(path=[str(site)]) if d.name == "modelscope")
    rows = []
    for number in range(CASES):
        single = _outputs(networks[torch.float32], theirs.float(), number, torch.float32)
        double = _outputs(networks[torch.float64], theirs.double(), number, torch.float64)
        rows.append(
            {
                "input": number,
                "double precision": _apart(*double),
                "single precision": _apart(*single),
                "theirs, single against double": _apart(single[1], double[1]),
                "spread of the output": float(double[1].std()),
                "modelscope": version,
            }
        )
    write("damo-truth", CLAIM, rows)


def random_weights() -> dict[str, Tensor]:
    """Return weights that keep a signal's size through the network, under the published names."""
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in DamoNetwork().state_dict().items()}
    state = {name: _random(name, tuple(shape)) for name, shape in shapes.items()}
    for name in [name for name in state if name.endswith("weight_bar")]:
        stem = name.removesuffix("weight_bar")
        flat = state[name].flatten(1)
        u = torch.nn.functional.normalize(torch.randn(len(flat)), dim=0)
        for _ in range(POWER_STEPS):
            v = torch.nn.functional.normalize(flat.T @ u, dim=0)
            u = torch.nn.functional.normalize(flat @ v, dim=0)
        state[stem + "weight_u"], state[stem + "weight_v"] = u, v
    return state


def _random(name: str, shape: tuple[int, ...]) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(1)
    if name.endswith(("running_var", "norm.weight", "bn.weight")):
        return 0.5 + torch.rand(shape)
    if name.endswith("down.weight"):
        return torch.full(shape, 1 / 169) + torch.rand(shape) / 1690
    if name.endswith("gamma"):
        return torch.tensor(0.7)
    return torch.randn(shape) * ((2 / torch.Size(shape[1:]).numel()) ** 0.5 if len(shape) > 1 else 0.1)


def _outputs(
    ours: DamoNetwork, theirs: torch.nn.Module, number: int, kind: torch.dtype
) -> tuple[Tensor, Tensor]:
    torch.manual_seed(number)
    target = (torch.rand(1, 3, 256, 256) * 2 - 1).to(kind)
    identity = torch.nn.functional.normalize(torch.randn(1, 512)).to(kind)
    own, fused = (torch.rand(1, 17, 2) * 1.6 - 0.8).to(kind), (torch.rand(1, 17, 2) * 0.2).to(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = theirs(target, identity, {"value": own + fused}, {"value": own})[0]
    return ours(target, identity, own + fused, own), wanted


def _apart(one: Tensor, two: Tensor) -> float:
    return float((one.double() - two.double()).abs().max())


def _network_package(site: Path) -> ModuleType:
    """Return ModelScope's own module of the network, without all that the package imports beside it."""
    folder = site / "modelscope/models/cv/image_face_fusion/network"
    spec = importlib.util.spec_from_file_location(
        "modelscope_network", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    sys.modules["modelscope_network"] = importlib.util.module_from_spec(spec)
    return importlib.import_module("modelscope_network.aei_flow_net")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
