"""The allocator for managed memory compiles anywhere; without CUDA it has nothing to give."""

import ctypes

import pytest
import torch

from workers.engine.managed import compiled

MIB = 2**20


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU: see test_gpu.py")
def test_the_allocator_gives_nothing_where_there_is_no_cuda(tmp_path):
    library = ctypes.CDLL(str(compiled(tmp_path)))
    library.managed_alloc.restype = ctypes.c_void_p
    ctypes.c_size_t.in_dll(library, "managed_limit").value = 8 * MIB
    assert library.managed_alloc(ctypes.c_ssize_t(MIB), 0, None) is None
    assert ctypes.c_size_t.in_dll(library, "managed_used").value == 0
