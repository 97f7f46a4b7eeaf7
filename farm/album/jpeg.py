"""JPEG files (ITU T.81, JFIF 1.02, CIPA DC-008): what their segments say, and other segments put in."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from farm.album.exif import orientation_of
from farm.album.picture import BadPicture, Belongings, Picture
from farm.media.tags import in_front

_EXIF, _XMP, _ICC, _PHOTOSHOP, _JFIF, _ADOBE = (
    b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0", b"Photoshop 3.0\0", b"JFIF\0", b"Adobe",
)  # fmt: skip
_COM, _SOS, _EOI = 0xFE, 0xDA, b"\xff\xd9"
_APP0, _APP1, _APP2, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE

#: What is known and not taken: XMP that goes on in further segments (Adobe's XMP specification, part 3), and
#: the index of further pictures behind the first (CIPA DC-007), gain maps for HDR among them.
_LEFT_OUT = (
    ("extended XMP", _APP1, b"http://ns.adobe.com/xmp/extension/\0"),
    ("further pictures in the file", _APP2, b"MPF\0"),
)

#: Frames that decoders here take: baseline, extended, progressive. Others are arithmetic, lossless or deeper.
_FRAMES = {0xC0, 0xC1, 0xC2}
_ALL_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}

#: Luma's sampling factors beside chroma's → what is kept of the colour; else all of it is, in the output.
_CHROMA = {(2, 2): "420", (2, 1): "422"}

_MOST_BYTES = 65533  # a segment's content
_RESOURCE, _IPTC = b"8BIM", 0x0404
_CM_A_METRE, _INCH_M = 100, 0.0254
_GREY, _COLOUR, _CMYK = 1, 3, 4


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    content: bytes


def look(data: bytes) -> Picture:
    """Return what a file's header says.

    Raises:
        BadPicture: it is cut short, or of a kind that is not decoded here.
    """
    segments = list(_segments(data))
    frame = next((each for each in segments if each.marker in _ALL_FRAMES), None)
    if frame is None or not _is_whole(data):
        raise BadPicture("the file is cut short")
    if frame.marker not in _FRAMES or frame.content[0] != 8:  # noqa: PLR2004
        raise BadPicture("arithmetic coding, lossless JPEG and 12 bits are not read here")
    height, width, count = struct.unpack_from(">HHB", frame.content, 1)
    if count not in {_GREY, _COLOUR, _CMYK} or not width or not height:
        raise BadPicture(f"it has {width}x{height} pixels in {count} channels")
    return Picture(
        kind="jpeg",
        width=width,
        height=height,
        is_grey=count == _GREY,
        chroma="444" if count != _COLOUR else _chroma(frame.content),
        is_lossless=False,
        orientation=orientation_of(belongings(data).exif),
        notes=("its four inks are turned to RGB, without their profile",) if count == _CMYK else (),
    )


def belongings(data: bytes) -> Belongings:
    """Return what the file holds beside its pixels."""
    segments = list(_segments(data))

    def first(marker: int, head: bytes) -> bytes | None:
        return next(_after(segments, marker, head), None)

    photoshop, jfif = first(_APP13, _PHOTOSHOP), first(_APP0, _JFIF)
    return Belongings(
        icc=_profile(segments),
        exif=first(_APP1, _EXIF),
        xmp=first(_APP1, _XMP),
        iptc=None if photoshop is None else _iptc(photoshop),
        comments=tuple(_after(segments, _COM, b"")),
        density=None if jfif is None else _density(jfif),
        left_out=tuple(
            name for name, marker, head in _LEFT_OUT if next(_after(segments, marker, head), None) is not None
        ),
    )


def dressed(picture: bytes, own: Belongings, statement: str) -> bytes:
    """Return an encoded picture with what belongs to it, and with the statement in front of its comment."""
    rest = 2
    while picture[rest + 1] in {_APP0, _COM}:
        rest += 2 + int(struct.unpack_from(">H", picture, rest + 2)[0])
    pieces = [b"\xff\xd8", _segment(_APP0, _jfif(own.density))]
    if own.exif is not None:
        pieces.append(_segment(_APP1, _EXIF + own.exif))
    if own.xmp is not None:
        pieces.append(_segment(_APP1, _XMP + own.xmp))
    pieces += [_segment(_APP2, part) for part in _icc_parts(own.icc or b"")]
    if own.iptc is not None:
        resource = (
            _RESOURCE + struct.pack(">HHI", _IPTC, 0, len(own.iptc)) + own.iptc + b"\0" * (len(own.iptc) % 2)
        )
        pieces.append(_segment(_APP13, _PHOTOSHOP + resource))
    # In one comment: of several, programs show the last, or the first.
    comment = in_front(statement, "\n".join(each.decode("latin-1") for each in own.comments))
    pieces.append(_segment(_COM, comment.encode("latin-1", "replace")[:_MOST_BYTES]))
    return b"".join(pieces) + picture[rest:]


def fits(content: bytes | None, kind: str) -> bool:
    """Say whether a segment can hold `content`, of `kind` "exif", "xmp" or "iptc"; a profile is divided."""
    head = {"exif": _EXIF, "xmp": _XMP, "iptc": _PHOTOSHOP + bytes(14)}[kind]
    return content is None or len(content) + len(head) <= _MOST_BYTES


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the segments before the first scan, as far as they are whole."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - padding
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker == _SOS or at + 2 + length > len(data):
            return
        yield _Segment(marker, bytes(data[at + 4 : at + 2 + length]))
        at += 2 + length


def _is_whole(data: bytes) -> bool:
    """Say whether the end of the picture is there; after it, cameras put further pictures and films."""
    return data[-2:] == _EOI or data.rfind(_EOI) > 0


def _chroma(frame: bytes) -> str:
    luma, *others = (frame[7 + 3 * number] for number in range(3))
    if set(others) != {0x11}:
        return "444"
    return _CHROMA.get((luma >> 4, luma & 0xF), "444")


def _after(segments: Iterable[_Segment], marker: int, head: bytes) -> Iterator[bytes]:
    """Yield what follows `head` in the segments that begin so."""
    for each in segments:
        if each.marker == marker and each.content.startswith(head):
            yield each.content[len(head) :]


def _profile(segments: Sequence[_Segment]) -> bytes | None:
    """Return the colour profile, put together; none of four inks, which are not what is written."""
    parts = {part[0]: part[2:] for part in _after(segments, _APP2, _ICC)}
    is_of_inks = any(each.content[5] == _CMYK for each in segments if each.marker in _ALL_FRAMES)
    return None if is_of_inks else b"".join(parts[number] for number in sorted(parts)) or None


def _iptc(resources: bytes) -> bytes | None:
    """Return IPTC's records among Photoshop's resources (Adobe's file format, "Image Resource Blocks")."""
    at = 0
    while resources[at : at + 4] == _RESOURCE:
        (number,) = struct.unpack_from(">H", resources, at + 4)
        start = at + 6 + (resources[at + 6] // 2 + 1) * 2
        (length,) = struct.unpack_from(">I", resources, start)
        if number == _IPTC:
            return resources[start + 4 : start + 4 + length]
        at = start + 4 + length + length % 2
    return None


def _density(jfif: bytes) -> tuple[int, int] | None:
    unit, across, down = struct.unpack_from(">BHH", jfif, 2)  # behind the version
    factor = {1: 1 / _INCH_M, 2: float(_CM_A_METRE)}.get(unit)
    return None if factor is None else (round(across * factor), round(down * factor))


def _jfif(density: tuple[int, int] | None) -> bytes:
    unit, across, down = (0, 1, 1) if density is None else (1, *(round(each * _INCH_M) for each in density))
    return _JFIF + struct.pack(">HBHHBB", 0x0101, unit, across, down, 0, 0)


def _icc_parts(profile: bytes) -> list[bytes]:
    """Divide a profile as ICC.1 (annex B.4) has it: each part says which it is, and of how many."""
    step = _MOST_BYTES - len(_ICC) - 2
    parts = [profile[at : at + step] for at in range(0, len(profile), step)]
    return [_ICC + bytes([number, len(parts)]) + part for number, part in enumerate(parts, 1)]


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
