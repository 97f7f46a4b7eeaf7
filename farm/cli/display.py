"""Progress as it happens, on stderr: drawn on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

from broker.clock import Clock
from farm.cli.drawing import LiveDisplay
from farm.cli.wording import progress_line
from farm.schemas import JobView

#: Shortest time between two plain lines, in seconds: a log of a long job stays readable.
QUIET_S = 2.0


class Display(Protocol):
    """Shows how a job goes."""

    def show(self, view: JobView) -> None:
        """Show a job as it is now."""

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def close(self) -> None:
        """Show nothing more; what was drawn over and over is taken away."""


def open_display(clock: Clock, stream: TextIO | None = None) -> Display:
    """Return the display that suits `stream`, by default stderr."""
    stream = sys.stderr if stream is None else stream
    return LiveDisplay(stream) if stream.isatty() else PlainDisplay(stream, clock)


class PlainDisplay:
    """One line when the job's state changes, and one every two seconds in which something else did."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._line = ""
        self._state = ""
        self._shown_s = 0.0

    def show(self, view: JobView) -> None:
        """Write a line, if it says something new and the last one is long enough ago."""
        line, now_s = progress_line(view), self._clock.now_s()
        if line == self._line or (view.state == self._state and now_s - self._shown_s < QUIET_S):
            return
        self._line, self._state, self._shown_s = line, view.state, now_s
        self.say(line)

    def say(self, text: str) -> None:
        """Write a line."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: every line stays."""
