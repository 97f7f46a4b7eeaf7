"""What a file's header says about it. Nothing here was measured: see `farm.media.manifest` for that."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from farm.media.exact import fraction_or_none, text_or_none
from farm.media.light import NO_LIGHT, Light

Json = dict[str, Any]


_UNSPECIFIED = 2  # ISO/IEC 23091-2
_FULL = 2  # AVColorRange


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """The video stream."""

    index: int
    codec: str  # FFmpeg's name of the coding format: "h264", "av1"
    decoder: str  # the FFmpeg decoder that reads it: "h264", "libdav1d"
    codec_tag: str  # the container's own name of it, or ""
    width: int  # as coded, before rotation
    height: int
    pix_fmt: str
    bit_depth: int
    time_base: Fraction  # of every pts, in seconds
    average_rate: Fraction | None  # frames per second; never used to compute times
    sample_aspect_ratio: Fraction | None  # width : height of a pixel, before rotation
    rotation: int = 0  # degrees counter-clockwise that make the picture upright: 0, 90, 180, 270
    hflip: bool = False  # mirrored left to right, before rotation
    color_primaries: int = 2  # ISO/IEC 23091-2 codes; 2 is "unspecified"
    color_trc: int = 2
    colorspace: int = 2
    color_range: int = 0  # FFmpeg's AVColorRange: 0 unspecified, 1 limited, 2 full
    has_b_frames: bool = False  # packets are not in presentation order
    light: Light = NO_LIGHT  # HDR's static data
    dynamic_light: tuple[str, ...] = ()  # names of HDR's dynamic data, which are not carried
    field_order: int = 0  # FFmpeg's AVFieldOrder: 0 unknown, 1 progressive, else interlaced
    deinterlace: bool = False  # make whole pictures of fields, as its user wishes
    size: tuple[int, int] | None = None  # to which upright frames are scaled; None: as they are

    @property
    def is_coloured(self) -> bool:
        """Whether anything is said of what the samples mean."""
        codes = (self.color_primaries, self.color_trc, self.colorspace)
        return any(code != _UNSPECIFIED for code in codes) or self.color_range == _FULL

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height in pixels of the frames that are rendered: after rotation, and scaled."""
        if self.size is not None:
            return self.size
        if self.rotation in {90, 270}:
            return self.height, self.width
        return self.width, self.height

    def to_json(self) -> Json:
        """Return a JSON object; fractions are written as "30000/1001"."""
        fields = dataclasses.asdict(self)
        for name in ("time_base", "average_rate", "sample_aspect_ratio"):
            fields[name] = text_or_none(fields[name])
        return {**fields, "light": self.light.to_json()}

    @classmethod
    def from_json(cls, body: Json) -> StreamInfo:
        """Read `to_json`'s object."""
        times = ("time_base", "average_rate", "sample_aspect_ratio")
        told = {**body, **{name: fraction_or_none(body[name]) for name in times}}
        if "light" in body:  # rows of earlier versions have none
            told["light"] = Light.from_json(body["light"])
        told["dynamic_light"] = tuple(body.get("dynamic_light", ()))
        told["size"] = None if body.get("size") is None else tuple(body["size"])
        return cls(**told)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStream:
    """A stream that is not rendered: audio, subtitles, data, attachments, cover art, further video."""

    index: int
    kind: str  # "audio", "subtitle", "data", "attachment", "cover" or "video"
    codec: str
    language: str | None
    time_base: Fraction | None
    duration_s: Fraction | None

    def __str__(self) -> str:
        """Return how messages to the user name the stream."""
        language = f", {self.language}" if self.language else ""
        return f"{self.kind} stream {self.index} ({self.codec}{language})"

    def to_json(self) -> Json:
        """Return a JSON object."""
        fields = dataclasses.asdict(self)
        return {
            **fields,
            "time_base": text_or_none(self.time_base),
            "duration_s": text_or_none(self.duration_s),
        }

    @classmethod
    def from_json(cls, body: Json) -> OtherStream:
        """Read `to_json`'s object."""
        times = ("time_base", "duration_s")
        return cls(**{**body, **{name: fraction_or_none(body[name]) for name in times}})


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """A video file, as its header describes it; or an album, as its largest picture's header does."""

    container: str  # FFmpeg's demuxer: "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
    size_bytes: int
    duration_s: Fraction | None  # None where the container does not say
    video: StreamInfo
    others: tuple[OtherStream, ...] = ()
    is_salvaged: bool = False  # damage is left out instead of refused, as its user wishes
    num_pictures: int = 0  # of an album; 0: this is a video

    @property
    def audio(self) -> tuple[OtherStream, ...]:
        """The audio tracks, in the file's order."""
        return tuple(stream for stream in self.others if stream.kind == "audio")

    def to_json(self) -> Json:
        """Return a JSON object, for the job's row."""
        return {
            "container": self.container,
            "size_bytes": self.size_bytes,
            "duration_s": text_or_none(self.duration_s),
            "video": self.video.to_json(),
            "others": [stream.to_json() for stream in self.others],
            "is_salvaged": self.is_salvaged,
            "num_pictures": self.num_pictures,
        }

    @classmethod
    def from_json(cls, body: Json) -> MediaInfo:
        """Read `to_json`'s object."""
        return cls(
            container=body["container"],
            size_bytes=body["size_bytes"],
            duration_s=fraction_or_none(body["duration_s"]),
            video=StreamInfo.from_json(body["video"]),
            others=tuple(OtherStream.from_json(stream) for stream in body["others"]),
            is_salvaged=body.get("is_salvaged", False),
            num_pictures=body.get("num_pictures", 0),
        )
