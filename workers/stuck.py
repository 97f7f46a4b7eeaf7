"""A process whose render hangs ends itself: the pool starts another, and the worker is of use again.

A render that waits for ever in native code cannot be stopped from within, and while its keeper thread runs it
looks alive. The farm notices (`farm/stall.py`) and takes the chunk away; this is what becomes of the process.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from dataclasses import dataclass

from workers.stderr_tail import STDERR

#: Exit status of a process that ended itself because it hung (sysexits.h, EX_TEMPFAIL).
STUCK = 75

#: The keeper itself may be held up for this many times what a render may: it waits for the interpreter's lock
#: in any long call that does not let go of it.
SILENT_FACTOR = 2


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a render that was told to stop may take to do so, in seconds, before the process ends."""

    stuck_s: float

    def rearm(self) -> None:
        """Say that the keeper runs. Unless it does again in time, the process ends, with every stack shown.

        A thread of C code watches: one of Python's would wait for the same lock.
        """
        faulthandler.dump_traceback_later(SILENT_FACTOR * self.stuck_s, exit=True, file=STDERR)

    def disarm(self) -> None:
        """Watch no more."""
        faulthandler.cancel_dump_traceback_later()

    def end(self) -> None:
        """End this process now; every thread's stack goes to stderr first."""
        sys.stderr.write(f"error: a render has not stopped in {self.stuck_s:g} s: this process ends itself\n")
        sys.stderr.flush()
        faulthandler.dump_traceback(file=STDERR, all_threads=True)
        os._exit(STUCK)
