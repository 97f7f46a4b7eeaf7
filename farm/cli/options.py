"""The options that several commands share, and what they say of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from farm.config import absolute_path

if TYPE_CHECKING:
    from farm.schemas import JobRequest, X264Preset

_FACE = "Which faces"
_CODEC = "How the output is encoded"

Input = Annotated[Path, typer.Argument(help="The video.", show_default=False)]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False)]
Source = Annotated[
    Path | None,
    typer.Option(
        "--source", "-s", metavar="FACE", help="The portrait whose face is fused in.", show_default=False
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="The finished video, or a directory for it. [default: beside the input, with -fused]",
        show_default=False,
    ),
]
Engine = Annotated[
    str, typer.Option("--engine", help="portrait, or passthrough: no change, for checking the farm itself.")
]
ChunkSeconds = Annotated[
    float | None,
    typer.Option(
        "--chunk-seconds",
        min=0.05,
        max=600,
        help="Length of a chunk. [default: the farm's]",
        show_default=False,
    ),
]
Lossless = Annotated[
    bool,
    typer.Option("--lossless", help="FFV1 instead of H.264, into .mkv or .mov.", rich_help_panel=_CODEC),
]
Crf = Annotated[
    int,
    typer.Option("--crf", min=0, max=51, help="H.264 quality: lower is better.", rich_help_panel=_CODEC),
]
Preset = Annotated[
    # Those of `farm.schemas.X264Preset`, which would bring pydantic, and slow `--help` down.
    Literal[
        "ultrafast",
        "superfast",
        "veryfast",
        "faster",
        "fast",
        "medium",
        "slow",
        "slower",
        "veryslow",
        "placebo",
    ],
    typer.Option("--preset", help="x264's speed; slower makes smaller files.", rich_help_panel=_CODEC),
]
Faces = Annotated[
    Literal["all", "largest"],
    typer.Option("--faces", help="The faces of each frame that are changed.", rich_help_panel=_FACE),
]
SourceFace = Annotated[
    int | None,
    typer.Option(
        "--source-face",
        min=0,
        metavar="N",
        help="The portrait's Nth face from the left, from 0. [default: the largest]",
        show_default=False,
        rich_help_panel=_FACE,
    ),
]
RequireFace = Annotated[
    bool,
    typer.Option("--require-face", help="Fail if no frame has a face.", rich_help_panel=_FACE),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Priority = Annotated[
    int,
    typer.Option("--priority", min=-100, max=100, help="Higher goes first; jobs of one priority share."),
]
PriorityNumber = Annotated[
    int, typer.Argument(metavar="N", min=-100, max=100, help="-100 to 100.", show_default=False)
]
Gpus = Annotated[
    str,
    typer.Option(
        "--gpus", metavar="WHICH", help="all, none, or indexes: 0,1. No GPU: one worker on the CPU."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=256,
        metavar="N",
        help="Worker processes on each GPU, or on the CPU. [default: 1]",
        show_default=False,
    ),
]
WindowBytes = Annotated[
    int | None,
    typer.Option(
        "--window-bytes",
        min=1 << 20,
        metavar="N",
        help="Bytes of video in Redis at once. [default: 256 MiB]",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """What the user said of a job."""

    input: Path
    source: Path | None
    output: Path | None
    engine: str
    chunk_seconds: float | None
    lossless: bool
    crf: int
    preset: X264Preset
    faces: Literal["all", "largest"]
    source_face: int | None
    require_face: bool
    overwrite: bool
    priority: int = 0

    def request(self) -> JobRequest:
        """Return the request that a farm takes; its paths are absolute, without .. in them."""
        from farm.schemas import JobRequest  # noqa: PLC0415 - pydantic would slow `--help` down

        return JobRequest(
            input=str(absolute_path(self.input)),
            output=str(absolute_path(self._chosen_output())),
            source=None if self.source is None else str(absolute_path(self.source)),
            engine=self.engine,
            chunk_seconds=self.chunk_seconds,
            lossless=self.lossless,
            crf=self.crf,
            preset=self.preset,
            faces=self.faces,
            source_face=self.source_face,
            require_face=self.require_face,
            overwrite=self.overwrite,
            priority=self.priority,
        )

    def _chosen_output(self) -> Path:
        # MP4 plays everywhere, but cannot hold FFV1.
        name = f"{self.input.stem}-fused{'.mkv' if self.lossless else '.mp4'}"
        if self.output is None:
            return self.input.with_name(name)
        return self.output / name if self.output.expanduser().is_dir() else self.output
