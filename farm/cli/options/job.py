"""All that a user may say of a job."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm.cli.options.encoding import EncodingOptions
from farm.cli.options.faces import FaceOptions
from farm.cli.options.files import FileOptions
from farm.cli.options.fusion import FusionOptions
from farm.cli.options.galleries import usual_gallery
from farm.cli.options.masks import MaskOptions
from farm.cli.options.people import PeopleOptions
from farm.cli.options.reading import ReadingOptions
from farm.cli.options.scheduling import SchedulingOptions
from farm.cli.options.stages import StageOptions
from farm.cli.options.trim import TrimOptions
from farm.config import absolute_path
from farm.errors import BadInput

if TYPE_CHECKING:
    from farm.requests import JobRequest


#: Suffixes of pictures, which are written as what they were.
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}

#: Names of `broker.messages`.
MASK_KINDS = ("box", "hull", "region", "occlusion")

#: Of a padding: top, right, bottom, left; each at most the whole side, in hundredths.
_SIDES, _WHOLE = 4, 100


@dataclass(frozen=True, kw_only=True)
class JobOptions(
    SchedulingOptions,
    EncodingOptions,
    TrimOptions,
    ReadingOptions,
    StageOptions,
    FusionOptions,
    FaceOptions,
    PeopleOptions,
    MaskOptions,
    FileOptions,
):
    """What the user said of a job: the fields of `JobRequest`, by the same names."""

    def request(self) -> JobRequest:
        """Return the request that a farm takes; its paths are absolute, without .. in them."""
        from farm.requests import JobRequest  # noqa: PLC0415 - pydantic would slow `--help` down

        said = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return JobRequest.model_validate(said | self._paths())

    def _paths(self) -> dict[str, Any]:
        return {
            "to": None if self.to is None else [_destination(text) for text in self.to],
            "input": str(absolute_path(self.input)),
            "output": str(absolute_path(self._chosen_output())),
            "source": _absolute(self.source),
            "reference": _absolute(self.reference),
            "map": None if self.map is None else [_role(text) for text in self.map],
            "gallery": _absolute(self._chosen_gallery()),
            "mask": None if self.mask is None else _kinds(self.mask),
            "mask_padding": None if self.mask_padding is None else _padding(self.mask_padding),
            "face_at": None if self.face_at is None else _place(self.face_at),
        }

    def _chosen_gallery(self) -> Path | None:
        """Return the gallery that numbers mean: people are numbered in one, and not by the job."""
        if self.gallery is not None or not any(text.partition("=")[0].isdecimal() for text in self.map or ()):
            return self.gallery
        usual = [usual_gallery(self.input)]
        if self.input.suffix.lower() in _PICTURES:  # one of a folder's, whose gallery has it, too
            usual.append(usual_gallery(self.input.expanduser().absolute().parent))
        return next((path for path in usual if path.is_dir()), None)

    def _chosen_output(self) -> Path:
        if self.input.expanduser().is_dir():
            return self.output or self.input.with_name(f"{self.input.absolute().name}-fused")
        name = f"{self.input.stem}-fused{self._suffix()}"
        if self.output is None and self.to:
            return Path(_destination(self.to[0])["path"])
        if self.output is None:
            return self.input.with_name(name)
        return self.output / name if self.output.expanduser().is_dir() else self.output

    def _suffix(self) -> str:
        if self.input.suffix.lower() in _PICTURES:
            return ".png" if self.lossless or self.input.suffix.lower() == ".bmp" else self.input.suffix
        # MP4 plays everywhere, but holds neither of these.
        if self.codec == "prores":
            return ".mov"
        return ".mkv" if self.codec == "ffv1" or (self.lossless and self.codec is None) else ".mp4"


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(absolute_path(path))


def _role(text: str) -> dict[str, str]:
    from farm.requests.whom import Like, parse_whom  # noqa: PLC0415 - as above

    whom, _, source = text.partition("=")
    if not source:
        raise BadInput(f"--map {text!r} has no face", hint="write WHOM=FACE: 1=a.jpg, at:640,360@12.5=a.jpg")
    try:
        if isinstance(parse_whom(whom), Like):
            whom = str(absolute_path(Path(whom)))
    except ValueError as error:
        raise BadInput(f"--map: {error}") from error
    return {"whom": whom, "source": str(absolute_path(Path(source)))}


def _kinds(text: str) -> list[str]:
    kinds = text.split(",")
    unknown = [kind for kind in kinds if kind not in MASK_KINDS]
    if unknown:
        raise BadInput(
            f"--mask {text!r}: no mask is called {unknown[0]!r}", hint=f"there are: {', '.join(MASK_KINDS)}"
        )
    return kinds


def _padding(text: str) -> list[int]:
    sides = text.split(",")
    if len(sides) != _SIDES or not all(side.isdecimal() and int(side) <= _WHOLE for side in sides):
        raise BadInput(
            f"--mask-padding {text!r} is no padding",
            hint="write four numbers from 0 to 100: top,right,bottom,left",
        )
    return [int(side) for side in sides]


def _place(text: str) -> str:
    from farm.requests.whom import parse_place  # noqa: PLC0415 - as above

    try:
        parse_place(text)
    except ValueError as error:
        raise BadInput(f"--face-at: {error}") from error
    return text


def _destination(text: str) -> dict[str, Any]:
    from farm.media.presets import split_destination  # noqa: PLC0415 - `--help` need not know encoders

    path, preset = split_destination(text)
    return {"path": str(absolute_path(Path(path))), "preset": preset}
