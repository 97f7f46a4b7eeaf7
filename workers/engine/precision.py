"""The precisions that a network's convolutions may run in. Colours are always composed in float32."""

from __future__ import annotations

from enum import StrEnum

import torch

from workers.errors import UnsuitablePrecision
from workers.models.network import FusionNetwork


class Precision(StrEnum):
    """What the convolutions compute in."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    INT8 = "int8"  # on CPUs, by onnxruntime; for networks whose core is quantized already


_DTYPES = {Precision.FP32: torch.float32, Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}


def half_of(device: torch.device) -> Precision:
    """Return the 16-bit precision for a device: fp16 on GPUs, whose mantissa is the longer, bf16 on CPUs."""
    return Precision.FP16 if device.type == "cuda" else Precision.BF16


def cast(network: FusionNetwork, precision: Precision, device: torch.device) -> None:
    """Cast a network's convolutions, in the memory layout that is fastest for them there.

    Raises:
        UnsuitablePrecision: fp16 on a CPU, which emulates it: measured some 20 times slower than fp32; int8
            anywhere but on a CPU.
    """
    if precision is Precision.INT8:
        if device.type != "cpu":
            raise UnsuitablePrecision("int8 is for CPUs: a GPU is faster in fp16")
        return
    if device.type == "cpu" and precision is Precision.FP16:
        raise UnsuitablePrecision("fp16 is emulated on CPUs, some 20 times slower than fp32: use bf16")
    # In 16 bits channels last is faster on GPUs (tensor cores read it) and CPUs (bench/engine_cpu.py); in
    # float32 oneDNN orders small networks' channels for itself.
    layout = torch.contiguous_format if precision is Precision.FP32 else torch.channels_last
    network.core.to(dtype=_DTYPES[precision], memory_format=layout)  # type: ignore[call-overload]
