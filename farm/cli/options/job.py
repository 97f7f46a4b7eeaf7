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
from farm.cli.options.reading import ReadingOptions
from farm.cli.options.scheduling import SchedulingOptions
from farm.cli.options.stages import StageOptions
from farm.cli.options.trim import TrimOptions
from farm.config import absolute_path

if TYPE_CHECKING:
    from farm.requests import JobRequest


#: Suffixes of pictures, which are written as what they were.
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}


@dataclass(frozen=True, kw_only=True)
class JobOptions(
    SchedulingOptions,
    EncodingOptions,
    TrimOptions,
    ReadingOptions,
    StageOptions,
    FusionOptions,
    FaceOptions,
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
            "source": None if self.source is None else str(absolute_path(self.source)),
        }

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


def _destination(text: str) -> dict[str, Any]:
    from farm.media.presets import split_destination  # noqa: PLC0415 - `--help` need not know encoders

    path, preset = split_destination(text)
    return {"path": str(absolute_path(Path(path))), "preset": preset}
