"""What a device's error means for the process: its memory ran out, or the device is lost to it.

CUDA's errors that leave "the process in an inconsistent state" ("to continue using CUDA, the process must be
terminated and relaunched": CUDA Runtime API, `cudaError_t`) are told by their texts, which PyTorch and ONNX
Runtime pass on (`cudaGetErrorString`); neither has a type for each.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from enum import StrEnum

from broker.messages import DEVICE_LOST
from workers.errors import OutOfMemory


class Trouble(StrEnum):
    """What can be wrong with a device; the values are codes of failed chunks."""

    OUT_OF_MEMORY = OutOfMemory.code
    """What was asked for did not fit; the process is sound."""
    LOST = DEVICE_LOST
    """This process can never use the device again."""


#: Words of an error, and where they come from.
_TABLE: tuple[tuple[Trouble, str, str], ...] = (
    (Trouble.OUT_OF_MEMORY, "CUDA error: out of memory", "cudaErrorMemoryAllocation, 2"),
    (Trouble.OUT_OF_MEMORY, "CUBLAS_STATUS_ALLOC_FAILED", "cuBLAS, cublasStatus_t"),
    (Trouble.OUT_OF_MEMORY, "CUDNN_STATUS_ALLOC_FAILED", "cuDNN, cudnnStatus_t"),
    (
        Trouble.OUT_OF_MEMORY,
        "DefaultCPUAllocator: can't allocate memory",
        "PyTorch, c10/core/impl/alloc_cpu.cpp",
    ),
    (Trouble.OUT_OF_MEMORY, "Failed to allocate memory for requested buffer", "ONNX Runtime, bfc_arena.cc"),
    (Trouble.LOST, "driver shutting down", "cudaErrorCudartUnloading, 4"),
    (Trouble.LOST, "CUDA-capable device(s) is/are busy or unavailable", "cudaErrorDevicesUnavailable, 46"),
    (Trouble.LOST, "no CUDA-capable device is detected", "cudaErrorNoDevice, 100"),
    (Trouble.LOST, "uncorrectable ECC error encountered", "cudaErrorECCUncorrectable, 214"),
    (Trouble.LOST, "uncorrectable NVLink error", "cudaErrorNvlinkUncorrectable, 220"),
    (Trouble.LOST, "an illegal memory access was encountered", "cudaErrorIllegalAddress, 700"),
    (Trouble.LOST, "the launch timed out and was terminated", "cudaErrorLaunchTimeout, 702"),
    (Trouble.LOST, "context is destroyed", "cudaErrorContextIsDestroyed, 709"),
    (Trouble.LOST, "device-side assert triggered", "cudaErrorAssert, 710"),
    (Trouble.LOST, "hardware stack error", "cudaErrorHardwareStackError, 714"),
    (Trouble.LOST, "an illegal instruction was encountered", "cudaErrorIllegalInstruction, 715"),
    (Trouble.LOST, "misaligned address", "cudaErrorMisalignedAddress, 716"),
    (
        Trouble.LOST,
        "not supported on global/shared address space",
        "cudaErrorInvalidAddressSpace, 717",
    ),
    (Trouble.LOST, "invalid program counter", "cudaErrorInvalidPc, 718"),
    (Trouble.LOST, "unspecified launch failure", "cudaErrorLaunchFailure, 719"),
    (Trouble.LOST, "CUDA error: unknown error", "cudaErrorUnknown, 999"),
    (Trouble.LOST, "GPU is lost", "NVML_ERROR_GPU_IS_LOST, 15"),
    (Trouble.LOST, "fallen off the bus", "NVIDIA driver, Xid 79"),
)
_WORDS = tuple((trouble, re.compile(re.escape(words), re.IGNORECASE)) for trouble, words, _ in _TABLE)


def trouble_in(error: BaseException) -> Trouble | None:
    """Return what an error says of the device; None: nothing. What caused it is looked at, too."""
    return next(filter(None, map(_trouble, _chain(error))), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__


def _trouble(error: BaseException) -> Trouble | None:
    if isinstance(error, (OutOfMemory, MemoryError, *_torch_out_of_memory())):
        return Trouble.OUT_OF_MEMORY
    if not isinstance(error, Exception):
        return None
    text = str(error)
    return next((trouble for trouble, words in _WORDS if words.search(text)), None)


def _torch_out_of_memory() -> tuple[type[BaseException], ...]:
    # Not imported for this: who has never loaded torch cannot get its errors.
    torch = sys.modules.get("torch")
    return () if torch is None else (torch.OutOfMemoryError,)
