"""What workers tell of the people in a chunk: where each is, frame by frame, and how each looks.

A tracklet is one face followed through consecutive frames of a chunk. Faces of a frame have places, counted
from the left; by them the farm joins tracklets over a chunk's border, without a pixel: the one that lies at
place 2 in the last frame of a chunk goes on in the next chunk's that says that it follows place 2.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from broker.errors import BadMessage, SegmentCorrupt
from broker.messages import Json, Message

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in the upright picture's pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracklet:
    """One face in consecutive frames of a chunk. Bytes are packed by `packed`."""

    start: int  # the first frame, absolute in the job
    boxes: tuple[Box, ...]  # one a frame
    follows: int | None  # its place in the frame before the chunk; None: it begins in this chunk
    last: int | None  # its place in the chunk's last frame; None: it ends before
    quality: float = 0.0  # 0..1, of its best picture; 0: the chunk has no sample of it
    picture: str = ""  # that picture: a JPEG
    look: str = ""  # how it looks in it: 16 x 16 levels, signed bytes
    embeddings: tuple[str, ...] = ()  # who it is, in every sample: float16; none without a recogniser


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSeen(Message):
    """All people of a chunk's frames [start, end)."""

    start: int
    end: int
    width: int  # of the upright picture, in pixels
    height: int
    cuts: tuple[int, ...]  # frames at which a shot begins
    tracklets: tuple[Tracklet, ...]

    @classmethod
    def _revive(cls, fields: Json) -> Json:
        return {
            **fields,
            "cuts": tuple(fields["cuts"]),
            "tracklets": tuple(_tracklet(body) for body in fields["tracklets"]),
        }

    def to_bytes(self) -> bytes:
        """Return what lies in the output segment of a chunk that was looked through."""
        return zlib.compress(json.dumps(self.to_json(), separators=(",", ":")).encode())

    @classmethod
    def from_parts(cls, parts: Iterable[bytes]) -> ChunkSeen:
        """Read `to_bytes`, however it was split.

        Raises:
            SegmentCorrupt: it is no such segment.
        """
        try:
            return cls.from_json(json.loads(zlib.decompress(b"".join(parts))))
        except (zlib.error, ValueError, BadMessage) as error:
            raise SegmentCorrupt(f"people of a chunk: {error}") from error


def packed(content: bytes) -> str:
    """Return bytes as text that JSON can hold."""
    return base64.b64encode(content).decode()


def unpacked(text: str) -> bytes:
    """Return the bytes that `packed` was given.

    Raises:
        ValueError: it was given none.
    """
    return base64.b64decode(text, validate=True)


def _tracklet(body: Json) -> Tracklet:
    boxes = tuple(tuple(box) for box in body["boxes"])
    return Tracklet(**{**body, "boxes": boxes, "embeddings": tuple(body["embeddings"])})
