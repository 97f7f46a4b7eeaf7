"""What is known of a picture file before anybody decodes it, and what of it is not pixels."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from farm.errors import BadInput

Kind = Literal["jpeg", "png", "webp", "tiff", "bmp"]

#: EXIF's orientation (CIPA DC-008, 4.6.4 A): whether the picture is mirrored left to right, and by how many
#: degrees counter-clockwise it is turned after that, to be upright.
TURNS = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 180),
    4: (True, 180),
    5: (True, 90),
    6: (False, 270),
    7: (True, 270),
    8: (False, 90),
}


class BadPicture(BadInput):
    """Raised when a file is no whole picture of a kind that is rendered here."""

    code = "bad-picture"


def readable(name: str) -> str:
    """Return a file's name as messages can have it: bytes in it that are no UTF-8 become question marks."""
    return name.encode(errors="replace").decode()


def is_called(name: str, text: str) -> bool:
    """Say whether a picture's name is what somebody wrote: as it is, or as messages have it."""
    return text in {name, readable(name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a picture file's header says."""

    kind: Kind
    width: int  # in pixels, as stored: before it is turned upright
    height: int
    is_grey: bool = False
    has_alpha: bool = False
    depth: int = 8  # bits a sample, 8 or 16
    chroma: str = "444"  # what JPEG and lossy WebP keep of the colour: "444", "422" or "420"
    is_lossless: bool = True
    orientation: int = 1  # EXIF's, 1 to 8
    notes: tuple[str, ...] = ()  # what of the file is left out, or understood in one way of several
    name: str = ""  # the file's, without its folder
    size_bytes: int = 0
    modified_ns: int = 0  # Unix nanoseconds

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height in pixels, upright."""
        is_on_its_side = TURNS[self.orientation][1] in {90, 270}
        return (self.height, self.width) if is_on_its_side else (self.width, self.height)

    @property
    def label(self) -> str:
        """The file's name, for messages."""
        return readable(self.name)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Picture:
        """Read `to_json`'s object."""
        return cls(**{**body, "notes": tuple(body["notes"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """What a picture file holds beside its pixels, in the form that most containers share."""

    icc: bytes | None = None  # a colour profile (ISO 15076)
    exif: bytes | None = None  # a TIFF structure, as EXIF has it
    xmp: bytes | None = None  # a packet of XML (ISO 16684)
    iptc: bytes | None = None  # records of IPTC-IIM
    comments: tuple[bytes, ...] = ()  # JPEG's
    chunks: tuple[tuple[bytes, bytes], ...] = ()  # PNG's own: colour, texts, time; (type, content)
    density: tuple[int, int] | None = None  # pixels a metre, across and down
    is_premultiplied: bool = False  # TIFF: colours are multiplied by their alpha
    left_out: tuple[str, ...] = ()  # names of what is known to be there, and not taken
