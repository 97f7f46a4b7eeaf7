"""What errors say of the device, told by the real types where there are some, else by their words."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import torch

from tests.samples import FAILED, RENDERED
from workers.device_errors import Trouble, trouble_in
from workers.errors import DecodeMismatch, OutOfMemory
from workers.health import Health


def caused(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), Trouble.OUT_OF_MEMORY),
        (OutOfMemory("at the foot of the ladder"), Trouble.OUT_OF_MEMORY),
        (MemoryError(), Trouble.OUT_OF_MEMORY),
        (torch.AcceleratorError("CUDA error: out of memory"), Trouble.OUT_OF_MEMORY),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), Trouble.OUT_OF_MEMORY),
        (torch.AcceleratorError("CUDA error: device-side assert triggered\nCUDA kernel"), Trouble.LOST),
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), Trouble.LOST),
        (RuntimeError("CUDA failure 719: unspecified launch failure ; GPU=0"), Trouble.LOST),
        (caused(RuntimeError("frame 7"), RuntimeError("CUDA error: unknown error")), Trouble.LOST),
        (torch.AcceleratorError("CUDA error: invalid argument"), None),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
        (DecodeMismatch("30 frames wanted"), None),
    ],
)
def test_what_an_error_says(error: Exception, trouble: Trouble | None):
    assert trouble_in(error) is trouble


def test_memory_that_really_runs_out_is_told():
    """On the CPU: more than any machine has."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert trouble_in(caught.value) is Trouble.OUT_OF_MEMORY


ASSERTING = """
import torch
from workers.device_errors import trouble_in
try:
    torch.zeros(4, device="cuda")[torch.tensor([9], device="cuda")].cpu()
except Exception as error:
    print(trouble_in(error))
"""


@pytest.mark.needs_gpu
def test_an_assert_on_a_real_gpu_is_a_lost_device():
    """In a process of its own, which cannot use the device afterwards."""
    done = subprocess.run([sys.executable, "-c", ASSERTING], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "device-lost"


def test_a_worker_leaves_when_memory_runs_out_for_chunk_after_chunk():
    """Not for one chunk that never fits, and not when others fit in between."""
    health = Health()

    def run_out(index: int) -> str:
        health.note(dataclasses.replace(FAILED, index=index, code=Trouble.OUT_OF_MEMORY, message="2 GiB"))
        return health.reason

    assert [run_out(index) for index in (1, 1, 1, 2)] == [""] * 4
    health.note(RENDERED)
    assert [run_out(index) for index in (3, 4)] == [""] * 2
    assert "3 chunks in a row: 2 GiB" in run_out(5)


def test_a_worker_leaves_when_its_device_is_lost():
    health = Health()
    health.note(dataclasses.replace(FAILED, code=Trouble.LOST, message="fallen off the bus"))
    assert health.reason == "the device is lost: fallen off the bus"
