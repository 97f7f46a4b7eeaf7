"""The live display: a bar for the job, and a row for each chunk that a worker holds."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from farm.cli.wording import duration_about, percent, rate
from farm.schemas import JobView, RunningChunk

#: Width of the bars, in columns, where there is room for it.
JOB_BAR, CHUNK_BAR = 40, 20

#: The place of the bars in their rows.
BAR_COLUMN = 1

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
    job = _grid(3)
    job.add_row(
        _line(view.stage or view.state, style="bold"),
        ProgressBar(total=max(1, view.frames), completed=view.frames_done, width=JOB_BAR),
        percent(view),
    )
    frames = f"{view.frames_done}/{view.frames or '?'} {view.unit}s"
    numbers = f"  {frames}  {rate(view.fps, view.unit)}  ETA {duration_about(view.eta_s, view.eta_error_s)}"
    chunks = _grid(5, narrow=3)
    for chunk in view.running[:MOST_ROWS]:
        chunks.add_row(*_chunk_row(chunk))
    hidden = len(view.running) - MOST_ROWS
    more = [Text(f"  and {hidden} more", style="dim")] if hidden > 0 else []
    why = [Text(f"  {view.pause.reason}")] if view.pause is not None and view.pause.reason else []
    return Group(job, _line(numbers), *why, chunks, *more)


def _grid(num_columns: int, *, narrow: int | None = None) -> Table:
    """Return a table in which bars, and the column `narrow`, give way where the terminal is too narrow."""
    grid = Table.grid(padding=(0, 2))
    for column in range(num_columns):
        grid.add_column(no_wrap=column not in {BAR_COLUMN, narrow}, overflow="ellipsis")
    return grid


def _line(text: str, style: str = "") -> Text:
    """Return text that is cut, not broken into lines: what is drawn should not jump up and down."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _chunk_row(chunk: RunningChunk) -> tuple[RenderableType, ...]:
    frames = chunk.end - chunk.start
    again = f"  try {chunk.attempt}" if chunk.attempt > 1 else ""
    return (
        Text(f"  chunk {chunk.index}", style="dim"),
        ProgressBar(total=frames, completed=chunk.num_frames, width=CHUNK_BAR),
        f"{chunk.num_frames}/{frames}",
        _line(chunk.worker, style="cyan"),
        Text(chunk.stage + again, style="dim"),
    )
