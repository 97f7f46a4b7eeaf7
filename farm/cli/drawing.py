"""The live display: a bar for the job, and a row for each chunk that a worker holds."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from farm.cli.wording import duration, percent, rate
from farm.schemas import JobView, RunningChunk

#: Width of the bars, in columns; with it, the widest row fits into a terminal of 100.
JOB_BAR, CHUNK_BAR = 40, 20

#: Rows of chunks shown at once; a large farm has more than a screen holds.
MOST_ROWS = 12


class LiveDisplay:
    """Draws in place, as long as the job goes on; nothing of it stays."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream)
        # No refreshing thread: what is drawn changes only when somebody calls `show`.
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, view: JobView) -> None:
        """Draw a job as it is now."""
        self._live.update(draw(view), refresh=True)

    def say(self, text: str) -> None:
        """Write a line above the drawing."""
        self._console.print(Text(text))

    def close(self) -> None:
        """Take the drawing away."""
        self._live.stop()


def draw(view: JobView) -> RenderableType:
    """Return a job as something that rich can print."""
    job = Table.grid(padding=(0, 2))
    job.add_row(
        Text(view.stage or view.state, style="bold"),
        ProgressBar(total=max(1, view.frames), completed=view.frames_done, width=JOB_BAR),
        f"{view.frames_done}/{view.frames or '?'} frames",
        percent(view),
        rate(view.fps),
        f"ETA {duration(view.eta_s)}",
    )
    chunks = Table.grid(padding=(0, 2))
    for chunk in view.running[:MOST_ROWS]:
        chunks.add_row(*_chunk_row(chunk))
    hidden = len(view.running) - MOST_ROWS
    more = [Text(f"  and {hidden} more", style="dim")] if hidden > 0 else []
    return Group(job, chunks, *more)


def _chunk_row(chunk: RunningChunk) -> tuple[RenderableType, ...]:
    frames = chunk.end - chunk.start
    again = f"  try {chunk.attempt}" if chunk.attempt > 1 else ""
    return (
        Text(f"  chunk {chunk.index}", style="dim"),
        ProgressBar(total=frames, completed=chunk.num_frames, width=CHUNK_BAR),
        f"{chunk.num_frames}/{frames}",
        Text(chunk.worker, style="cyan"),
        Text(chunk.stage + again, style="dim"),
    )
