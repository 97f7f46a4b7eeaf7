"""Whether this process can go on: what its device's troubles add up to."""

from __future__ import annotations

import gc
import sys

from broker.messages import ChunkFailed, ChunkRendered
from workers.device_errors import Trouble

#: Different chunks in a row for which memory ran out, before the worker leaves: something else must lie there
#: that a fresh process does not have. Of one chunk alone, many failures say nothing against the worker.
MOST_OUT_OF_MEMORY = 3

#: Exit status of a worker that cannot go on (sysexits.h, EX_UNAVAILABLE): a supervisor may start it anew.
LEFT = 69


class Health:
    """Notes how chunks end; `reason` is why the worker must leave, empty while it need not."""

    def __init__(self) -> None:
        self.reason = ""
        self._ran_out: set[tuple[str, int]] = set()

    def note(self, result: ChunkRendered | ChunkFailed) -> None:
        """Take one more result into account."""
        if isinstance(result, ChunkRendered):
            self._ran_out.clear()
        elif result.code == Trouble.LOST:
            self.note_lost(result.message)
        elif result.code == Trouble.OUT_OF_MEMORY:
            self._ran_out.add((result.job_id, result.index))
            if len(self._ran_out) >= MOST_OUT_OF_MEMORY:
                self.reason = f"memory ran out for {len(self._ran_out)} chunks in a row: {result.message}"

    def note_lost(self, text: str) -> None:
        """Note that the device is lost."""
        self.reason = f"the device is lost: {text}"


def free_device_memory() -> None:
    """Give back what nobody uses. Call it when no traceback holds what the failed pass had."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
