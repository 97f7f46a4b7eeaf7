"""All that a user may say of a job that looks for people."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from farm.cli.options.faces import Analyser
from farm.cli.options.files import Input
from farm.cli.options.fusion import DetectionThreshold, SmallestFace
from farm.cli.options.people import Similarity
from farm.cli.options.reading import ReadingOptions
from farm.cli.options.scheduling import SchedulingOptions
from farm.cli.options.trim import TrimOptions
from farm.config import absolute_path

if TYPE_CHECKING:
    from farm.requests import JobRequest

Directory = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="The gallery: a directory that is made. [default: beside the input, with -faces]",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Make a gallery anew that is there.")]


@dataclass(frozen=True, kw_only=True)
class GalleryOptions(SchedulingOptions, TrimOptions, ReadingOptions):
    """What the user said of a gallery: fields of `JobRequest`, by the same names."""

    input: Input
    output: Directory = None
    overwrite: Overwrite = False
    analyser: Analyser = "mtcnn"
    detection_threshold: DetectionThreshold = None
    smallest_face: SmallestFace = None
    similarity: Similarity = 0.4

    def request(self) -> JobRequest:
        """Return the request that a farm takes; its paths are absolute, without .. in them."""
        from farm.requests import JobRequest  # noqa: PLC0415 - pydantic would slow `--help` down

        said = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        output = self.output or usual_gallery(self.input)
        paths = {"input": str(absolute_path(self.input)), "output": str(absolute_path(output))}
        return JobRequest.model_validate(said | paths | {"work": "faces"})


def usual_gallery(input_path: Path) -> Path:
    """Return where the gallery of a video, a picture or a folder lies if nobody says otherwise."""
    absolute = input_path.expanduser().absolute()
    name = absolute.name if absolute.is_dir() else absolute.stem
    return absolute.with_name(f"{name}-faces")
