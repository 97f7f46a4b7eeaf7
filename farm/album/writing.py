"""As what each picture is written: its kind, the encoder's settings, and what that kind cannot keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from broker.messages import GREY_JPEG, EncodeSpec
from farm.album import jpeg
from farm.album.files import SUFFIXES
from farm.album.picture import Belongings, Kind, Picture
from farm.album.xmp import with_statement
from farm.errors import OutputRefused

#: BMP cannot say that a picture is synthetic; PNG holds the same pixels.
_INSTEAD_OF_BMP = ".png"

#: The suffix of what is to be lossless, where the input's kind cannot be.
_LOSSLESS = ".png"

#: The finest quantiser of FFmpeg's JPEG encoder: about what others call a quality of 93.
_JPEG = {"qmin": "1", "qmax": "1"}

#: A third of the time of zlib's own level 6, for files that are a twelfth larger.
_PNG = {"pred": "mixed", "compression_level": "3"}

#: libwebp's scale to 100, and libjpeg's for grey: as good as the other JPEGs.
_QUALITY = "95"

#: What each kind holds of `Belongings`, beside EXIF, XMP and profile, which all do.
_HOLDS: dict[Kind, frozenset[str]] = {
    "jpeg": frozenset({"iptc", "comments", "density"}),
    "png": frozenset({"chunks", "density"}),
    "tiff": frozenset({"iptc", "density", "is_premultiplied"}),
    "webp": frozenset(),
}
#: Kinds that grey pictures are written as such in.
_GREY_KINDS: frozenset[Kind] = frozenset({"png", "tiff", "jpeg"})

_NAMES = {
    "iptc": "IPTC records",
    "comments": "comments",
    "is_premultiplied": "that colours are multiplied by their alpha",
}


def suffix_for(picture: Picture, *, lossless: bool) -> str:
    """Return the suffix of a picture's output, where its user names none: the input's own if it can be."""
    if picture.kind == "bmp":
        return _INSTEAD_OF_BMP
    if lossless and picture.kind == "jpeg":
        return _LOSSLESS
    return PurePath(picture.name).suffix if _named(picture) else f".{picture.kind}"


def output_kind(name: str) -> Kind:
    """Return what a picture's output is, by its name.

    Raises:
        OutputRefused: pictures are not written as that.
    """
    suffix = PurePath(name).suffix.lower()
    kind = SUFFIXES.get(suffix)
    if kind == "bmp":
        raise OutputRefused(
            "BMP has no place for the statement that a picture is synthetic",
            hint="name the output .png: it holds the same pixels",
        )
    if kind is None:
        raise OutputRefused(
            f"a picture is not written as {suffix or 'a file without a suffix'}",
            hint="name the output .jpg, .png, .webp or .tif",
        )
    return kind


def encode_spec(picture: Picture, kind: Kind, *, lossless: bool) -> EncodeSpec:
    """Return how a picture is encoded: as deep, as coloured and as transparent as the kind can be."""
    if kind == "jpeg" and picture.is_grey:
        return EncodeSpec(codec=GREY_JPEG, pix_fmt="gray", options={"quality": _QUALITY})
    if kind == "jpeg":
        return EncodeSpec(codec="mjpeg", pix_fmt=f"yuvj{picture.chroma}p", options=dict(_JPEG))
    if kind == "webp":
        if picture.is_lossless or lossless:
            return EncodeSpec(codec="libwebp", pix_fmt="bgra", options={"lossless": "1"})
        pix_fmt = "yuva420p" if picture.has_alpha else "yuv420p"
        return EncodeSpec(codec="libwebp", pix_fmt=pix_fmt, options={"quality": _QUALITY})
    deep = picture.depth == 16  # noqa: PLR2004
    if picture.is_grey:
        name = ("ya16" if deep else "ya8") if picture.has_alpha else ("gray16" if deep else "gray")
    else:
        name = ("rgba64" if deep else "rgba") if picture.has_alpha else ("rgb48" if deep else "rgb24")
    order = ("be" if kind == "png" else "le") if deep else ""
    options = dict(_PNG) if kind == "png" else {"compression_algo": "deflate"}
    return EncodeSpec(codec=kind, pix_fmt=name + order, options=options)


def pixel_notes(picture: Picture, kind: Kind) -> Iterator[str]:
    """Yield what of a picture's pixels its output cannot hold, and what of the file is not rendered."""
    yield from picture.notes
    if picture.depth > 8 and kind in {"jpeg", "webp"}:  # noqa: PLR2004
        yield f"{kind.upper()} holds 8 bits a sample; the input has {picture.depth}"
    if picture.has_alpha and kind == "webp" and picture.is_lossless:
        yield "WebP's encoder clears the colours of what is wholly transparent"
    if picture.has_alpha and kind == "jpeg":
        yield "JPEG holds no transparency: what lies under it shows"
    if picture.kind == "bmp":
        yield "written as PNG: BMP has no place for the statement that a picture is synthetic"


def fitted(own: Belongings, picture: Picture, kind: Kind, statement: str) -> tuple[Belongings, list[str]]:
    """Return what an output of a kind can hold, with the statement in its XMP, and names of the rest."""
    lost = [name for field, name in _NAMES.items() if getattr(own, field) and field not in _HOLDS[kind]]
    lost += own.left_out
    names = {name for name, _ in own.chunks}
    if kind != "png" and own.icc is None and b"gAMA" in names and b"sRGB" not in names:
        lost.append("PNG's gamma")
    if kind != "png" and names & {b"tEXt", b"zTXt", b"iTXt"}:
        lost.append("PNG's texts")
    if own.icc is not None and _is_grey(own.icc) and not (picture.is_grey and kind in _GREY_KINDS):
        own = replace(own, icc=None)
        lost.append(f"the profile: it is of grey, which {kind.upper()} is not written in")
    kept: dict[str, Any] = {name: getattr(own, name) for name in ("icc", "exif", *_HOLDS[kind])}
    kept["xmp"] = with_statement(own.xmp, statement)
    for field, name in (("exif", "EXIF"), ("xmp", "XMP"), ("iptc", "IPTC records")):
        if kind == "jpeg" and not jpeg.fits(kept.get(field), field):
            kept[field] = with_statement(None, statement) if field == "xmp" else None
            lost.append(f"{name}, which are too long for JPEG")
    return Belongings(**kept), lost


def _is_grey(profile: bytes) -> bool:
    return profile[16:20] == b"GRAY"  # ICC.1, 7.2.6


def _named(picture: Picture) -> bool:
    """Say whether a file is called what it is."""
    return SUFFIXES.get(PurePath(picture.name).suffix.lower()) == picture.kind
