"""CUDA managed memory for networks that may overflow a GPU: the driver moves their pages by itself.

Opt-in, and the second choice: `Residency` moves whole networks at once, before they are needed, where pages
come one fault at a time. Only what is allocated inside `ManagedPool.use` is managed; all else stays where
torch's own allocator puts it.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from workers.errors import PackageMissing

#: What torch calls for memory. The runtime is the one that torch has loaded: nothing is linked, so this
#: compiles without CUDA's headers, and works with whatever version torch came with.
SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

size_t managed_limit = 0, managed_used = 0;

static void *found(const char *name) {
    static const char *const runtimes[] = {"libcudart.so.13", "libcudart.so.12"};
    void *symbol = dlsym(RTLD_DEFAULT, name);
    for (int i = 0; symbol == NULL && i < 2; i++) {
        void *runtime = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
        if (runtime != NULL) symbol = dlsym(runtime, name);
    }
    return symbol;
}

void *managed_alloc(ptrdiff_t size, int device, void *stream) {
    int (*alloc)(void **, size_t, unsigned) = found("cudaMallocManaged");
    void *memory = NULL;
    const unsigned attach_global = 1;
    const size_t used = __atomic_add_fetch(&managed_used, size, __ATOMIC_SEQ_CST);
    if (alloc == NULL || used > managed_limit || alloc(&memory, size, attach_global) != 0) {
        __atomic_sub_fetch(&managed_used, size, __ATOMIC_SEQ_CST);
        return NULL;
    }
    return memory;
}

void managed_free(void *memory, ptrdiff_t size, int device, void *stream) {
    int (*release)(void *) = found("cudaFree");
    if (release != NULL) release(memory);
    __atomic_sub_fetch(&managed_used, size, __ATOMIC_SEQ_CST);
}
"""


class ManagedPool:
    """A pool of managed memory on the current GPU, of `limit_bytes` at most. It must outlive its tensors."""

    def __init__(self, limit_bytes: int) -> None:
        """Compile the allocator, and open the pool.

        Raises:
            PackageMissing: there is no C compiler.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="managed-")
        library = compiled(Path(self._folder.name))
        ctypes.c_size_t.in_dll(ctypes.CDLL(str(library)), "managed_limit").value = limit_bytes
        allocator = torch.cuda.memory.CUDAPluggableAllocator(str(library), "managed_alloc", "managed_free")
        self._pool = torch.cuda.MemPool(allocator.allocator())  # type: ignore[no-untyped-call]

    @contextmanager
    def use(self) -> Iterator[None]:
        """Take what is allocated inside, by this thread, from the pool."""
        with torch.cuda.use_mem_pool(self._pool):
            yield

    def take(self, network: nn.Module, device: torch.device) -> None:
        """Move a network's weights into the pool.

        Raises:
            torch.OutOfMemoryError: the pool's limit is reached.
        """
        with self.use():
            network.to(device)


def compiled(folder: Path) -> Path:
    """Return the allocator as a shared library in `folder`.

    Raises:
        PackageMissing: there is no C compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise PackageMissing("managed memory needs a C compiler at start: apt-get install gcc")
    source, library = folder / "managed.c", folder / "managed.so"
    source.write_text(SOURCE)
    flags = ("-O1", "-Wall", "-Werror", "-shared", "-fPIC")
    subprocess.run(
        [compiler, *flags, str(source), "-o", str(library), "-ldl"], check=True, capture_output=True
    )
    return library
