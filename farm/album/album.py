"""The pictures of one job: a picture file, or all of a folder; and what becomes of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from broker.messages import EncodeSpec
from farm.album.picture import TURNS, Picture
from farm.errors import UnsupportedMedia
from farm.media.info import Json, MediaInfo, StreamInfo
from farm.media.lead_in import LARGEST_SHARE
from farm.media.shapes import Size
from farm.media.table import KEY, Manifest

#: What `MediaInfo.container` says of jobs whose input is pictures.
CONTAINER = "pictures"

#: Pictures in a chunk: a chunk costs a worker about as much as a small picture does.
MOST_A_CHUNK = 8

_NAME = "album.json"

#: FFmpeg's decoder of each kind.
DECODERS = {"jpeg": "mjpeg", "png": "png", "webp": "webp", "tiff": "tiff", "bmp": "bmp"}

#: Pictures have no times; their manifest numbers them.
TICK = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A picture, and what becomes of it."""

    picture: Picture
    output: str  # its name, in the folder that the outputs are in
    encode: EncodeSpec
    size: Size | None = None  # that it is brought to before anything is done to it; None: its own
    factor: int = 1  # by which stages enlarge each side after that

    @property
    def looked_size(self) -> Size:
        """Width and height of the picture as workers look at it, in pixels."""
        return self.size or self.picture.upright_size

    @property
    def output_size(self) -> Size:
        """Width and height of the output, in pixels."""
        width, height = self.looked_size
        return width * self.factor, height * self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """The pictures of a job, in the order of their names."""

    folder: Path  # where they lie
    outputs: Path  # the folder that the outputs go to
    is_folder: bool  # False: the job is about a single file, whatever lies beside it
    entries: tuple[Entry, ...]  # at least one
    is_salvaged: bool = False  # pictures that cannot be decoded are left out

    def info(self) -> MediaInfo:
        """Return the album as jobs' rows know their inputs: the largest picture stands for all."""
        largest = max((entry.picture for entry in self.entries), key=lambda each: each.width * each.height)
        hflip, rotation = TURNS[largest.orientation]
        video = StreamInfo(
            index=0,
            codec=DECODERS[largest.kind],
            decoder=DECODERS[largest.kind],
            codec_tag="",
            width=largest.width,
            height=largest.height,
            pix_fmt="",
            bit_depth=largest.depth,
            time_base=TICK,
            average_rate=None,
            sample_aspect_ratio=None,
            rotation=rotation,
            hflip=hflip,
        )
        return MediaInfo(
            container=CONTAINER,
            size_bytes=sum(entry.picture.size_bytes for entry in self.entries),
            duration_s=None,
            video=video,
            is_salvaged=self.is_salvaged,
            num_pictures=len(self.entries),
        )

    def manifest(self) -> Manifest:
        """Return the pictures as frames that need no other: a packet each, numbered, all keyframes."""
        numbers = np.arange(len(self.entries), dtype=np.int64)
        return Manifest(
            time_base=TICK,
            packet_pts=numbers,
            packet_dts=numbers.copy(),
            packet_duration=np.ones_like(numbers),
            packet_size=np.array([entry.picture.size_bytes for entry in self.entries], np.int64),
            packet_flags=np.full(len(numbers), KEY, np.uint8),
        )

    def save(self, directory: Path) -> None:
        """Write to a job's directory, whole or not at all."""
        path = directory / _NAME
        aside = path.with_name(f".{_NAME}")
        aside.write_text(json.dumps(self._to_json()), encoding="utf-8", errors="surrogateescape")
        aside.replace(path)

    @classmethod
    def load(cls, directory: Path) -> Album:
        """Read what `save` wrote."""
        body = json.loads((directory / _NAME).read_text(encoding="utf-8", errors="surrogateescape"))
        entries = tuple(_entry(each) for each in body["entries"])
        return cls(
            folder=Path(body["folder"]),
            outputs=Path(body["outputs"]),
            is_folder=body["is_folder"],
            entries=entries,
            is_salvaged=body["is_salvaged"],
        )

    def _to_json(self) -> Json:
        return {
            "folder": str(self.folder),
            "outputs": str(self.outputs),
            "is_folder": self.is_folder,
            "is_salvaged": self.is_salvaged,
            "entries": [
                {
                    "picture": entry.picture.to_json(),
                    "output": entry.output,
                    "encode": {
                        "codec": entry.encode.codec,
                        "pix_fmt": entry.encode.pix_fmt,
                        "options": entry.encode.options,
                    },
                    "size": entry.size,
                    "factor": entry.factor,
                }
                for entry in self.entries
            ],
        }


def is_album(info: MediaInfo) -> bool:
    """Say whether a job's input is pictures."""
    return info.container == CONTAINER


def check_pictures(album: Album, window_bytes: int) -> None:
    """Refuse what could never be handed out.

    Raises:
        UnsupportedMedia: a picture alone is too large for the window.
    """
    largest = max((entry.picture for entry in album.entries), key=lambda picture: picture.size_bytes)
    needed = int(largest.size_bytes / LARGEST_SHARE) + 1
    if needed > window_bytes:
        raise UnsupportedMedia(
            f"{largest.label} has {largest.size_bytes:,} bytes, and the window takes {window_bytes:,}",
            hint=f"start the farm with --window-bytes {needed}",
        )


def pictures_a_chunk(num_pictures: int, num_workers: int, wanted: int | None) -> int:
    """Return how many pictures a chunk holds: few enough for two chunks a worker, where there are so many."""
    return wanted or max(1, min(MOST_A_CHUNK, num_pictures // (2 * num_workers)))


def _entry(body: Json) -> Entry:
    return Entry(
        picture=Picture.from_json(body["picture"]),
        output=body["output"],
        encode=EncodeSpec(**body["encode"]),
        size=None if body["size"] is None else tuple(body["size"]),
        factor=body["factor"],
    )
