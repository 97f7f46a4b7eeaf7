"""Quantizes the shipped fusion network to 8 bits: `python -m workers.training.quantize`.

Ranges of activations are measured on drawn exercises; what it costs is measured on others, held out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from torch import Tensor

from workers.models.blocks import fold_batch_norms
from workers.models.quantized import SHIPPED, quantize_core
from workers.models.unet import FusionUNet
from workers.models.weights import load_fusion, read_facts
from workers.training.batches import Batch, to_batch
from workers.training.exam import by_network, drawn_exams, examine
from workers.training.pairs import crossed, draw_trio, self_blended

SIZE_PX = 128
#: Far from the seeds of trainings and of exams.
CALIBRATION_SEED = 83_000_017


def main(arguments: list[str] | None = None) -> None:
    """Quantize, write the file, and beside it what it costs."""
    parser = argparse.ArgumentParser(prog="python -m workers.training.quantize", description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the weights go")
    parser.add_argument("--pairs", type=int, default=64, help="drawn pairs that ranges are measured on")
    parser.add_argument("--exam", type=int, default=100, help="pairs of each kind for the scores")
    options = parser.parse_args(arguments)
    network = load_fusion()
    fold_batch_norms(network)
    write(network, list(_seen(network, options.pairs)), options.out)
    facts = {
        "sha256": hashlib.sha256(options.out.read_bytes()).hexdigest(),
        "of": read_facts()["sha256"],
        "calibration": {"pairs": options.pairs, "seed": CALIBRATION_SEED, "size_px": SIZE_PX},
    }
    _write_facts(options.out, facts)
    _write_facts(options.out, {**facts, "scores": scores(options.out, options.exam)})


def write(network: FusionUNet, samples: list[Tensor], path: Path) -> None:
    """Write the 8-bit convolutions of `network`, folded, with ranges measured on `samples` of their input."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no other package is called deprecated
        plain = Path(folder) / "core.onnx"
        batch = {0: "crops"}
        torch.onnx.export(
            network.core,
            (samples[0],),
            str(plain),
            dynamo=False,
            input_names=["x"],
            output_names=["found"],
            dynamic_axes={"x": batch, "found": batch},
        )
        quantize_static(
            plain,
            path,
            _Samples(samples),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )


def scores(path: Path, count: int) -> dict[str, Any]:
    """Return both networks' scores on held-out exercises."""
    exact, quick = load_fusion(), load_fusion()
    quantize_core(quick, path)
    found = {}
    for name, exam in drawn_exams(count, SIZE_PX).items():
        ways = {"float32": examine(by_network(exact), exam), "int8": examine(by_network(quick), exam)}
        found[name] = {way: {"mse": score.mse, "delta_e": score.delta_e} for way, score in ways.items()}
    return found


class _Samples(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, samples: list[Tensor]) -> None:
        self._left = iter(samples)

    def get_next(self) -> dict[str, Any] | None:
        sample = next(self._left, None)
        return None if sample is None else {"x": sample.numpy()}


def _seen(network: FusionUNet, count: int) -> Iterator[Tensor]:
    """Yield what the convolutions are given in `count` drawn exercises of each kind."""
    kept: list[Tensor] = []
    handle = network.core.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0].clone()))
    for batch in _exercises(count):
        with torch.inference_mode():
            network(batch.x, batch.mask, batch.target)
    handle.remove()
    yield from kept


def _exercises(count: int) -> Iterator[Batch]:
    for index in range(count):
        rng = np.random.default_rng([CALIBRATION_SEED, index])
        trio = draw_trio(rng, SIZE_PX)
        yield to_batch([crossed(trio, rng)])
        yield to_batch([self_blended(trio.target, trio.pose, rng)])


def _write_facts(path: Path, facts: dict[str, Any]) -> None:
    path.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
