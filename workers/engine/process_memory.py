"""What the kernel says of this process's memory; and giving back what its allocator keeps."""

from __future__ import annotations

import ctypes
import gc
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

_STATM = Path("/proc/self/statm")

#: Between two looks at what is taken: less than a pass that takes much.
_BETWEEN_S = 0.002


def resident_bytes() -> int:
    """Return what lies in memory for this process, mapped files included (VmRSS); 0 where nobody says."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


class Peak:
    """Sees the most that is taken while it is entered: of what a pass frees again, nothing is left to see."""

    def __init__(self, taken: Callable[[], int]) -> None:
        """`taken` says how much is taken now."""
        self._taken = taken
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="peak")
        self.before_bytes = self.most_bytes = taken()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def more_bytes(self) -> int:
        """What was taken beyond what was before."""
        return self.most_bytes - self.before_bytes

    def _watch(self) -> None:
        while True:
            self.most_bytes = max(self.most_bytes, self._taken())
            if self._done.wait(_BETWEEN_S):
                return


def give_back() -> None:
    """Give freed memory back to the system.

    glibc keeps it for itself: of a session of half a gigabyte that was closed, a third was still resident.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim is not None:
        trim(0)
