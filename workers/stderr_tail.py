"""The end of what a worker said: the last words of a process that died are the best reason there is."""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

#: How much is remembered, in bytes: a stack trace and the lines before it.
KEPT_BYTES: Final = 8192

#: How long the last words may take to arrive when the worker ends, in seconds.
LAST_S: Final = 1.0

#: Where errors go, in this process and in those that it starts.
STDERR: Final = 2


class StderrTail:
    """Stands between stderr and its destination from `start` to `stop`; children inherit it."""

    def __init__(self) -> None:
        self._kept = b""
        self._destination = -1
        self._thread = threading.Thread(target=self._copy, daemon=True, name="stderr")

    def start(self) -> None:
        """Begin to listen. What is written goes on to where it went before."""
        self._destination = os.dup(STDERR)
        self._source, writing = os.pipe()
        os.dup2(writing, STDERR)
        os.close(writing)
        self._thread.start()

    def stop(self) -> None:
        """Put stderr back, after passing on what is under way."""
        if self._destination < 0:
            return
        sys.stderr.flush()
        os.dup2(self._destination, STDERR)
        self._thread.join(LAST_S)  # ends when the last writer does: a child may live on

    def text(self) -> str:
        """Return the last few kilobytes, from the beginning of a line."""
        text = self._kept.decode(errors="replace")
        return text if len(self._kept) < KEPT_BYTES else text.partition("\n")[2]

    def _copy(self) -> None:
        while piece := os.read(self._source, KEPT_BYTES):
            self._kept = (self._kept + piece)[-KEPT_BYTES:]
            os.write(self._destination, piece)
