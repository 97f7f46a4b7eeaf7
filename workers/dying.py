"""No process of a worker outlives the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

#: prctl(2)'s number for "send me this signal when my parent ends".
PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent, whose id is `parent`, ends. Linux alone can."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the call above: no signal will come
        os._exit(1)
