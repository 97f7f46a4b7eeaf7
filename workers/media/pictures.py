"""Frames as arrays: views of their planes, whole copies, and planar twins of packed formats."""

from __future__ import annotations

from typing import Any

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

# One plane, its channels side by side: read and written as they are. Alpha is nobody's business.
_PACKED: dict[str, tuple[int, tuple[int, ...], str]] = {  # samples a pixel, colours' places, NumPy's type
    "rgb24": (3, (0, 1, 2), "u1"), "bgr24": (3, (2, 1, 0), "u1"),
    "ya8": (2, (0,), "u1"), "ya16le": (2, (0,), "<u2"), "ya16be": (2, (0,), ">u2"),
}  # fmt: skip
_GREY_AND_ALPHA = 2  # components
# Same samples, one plane a channel, so that one piece of code serves all.
_TWINS = {
    "nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p", "nv42": "yuv444p",
    "yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p",
    "p010le": "yuv420p10le", "p012le": "yuv420p12le", "p016le": "yuv420p16le",
    "p210le": "yuv422p10le", "p216le": "yuv422p16le", "p410le": "yuv444p10le", "p416le": "yuv444p16le",
    "y210le": "yuv422p10le", "rgb0": "gbrp", "bgr0": "gbrp", "0rgb": "gbrp", "0bgr": "gbrp",
    "rgba": "gbrap", "bgra": "gbrap", "argb": "gbrap", "abgr": "gbrap",
    "rgb48le": "gbrp16le", "bgr48le": "gbrp16le", "rgba64le": "gbrap16le", "bgra64le": "gbrap16le",
    "x2rgb10le": "gbrp10le", "pal8": "gbrap",
}  # fmt: skip


def native(picture: VideoFrame) -> VideoFrame:
    """Return `picture` itself where its format can be worked on as it is, else a planar twin of equal depth.

    That can be done for planar YUV, RGB and gray of 8 to 16 bits, with or without alpha, for 24-bit RGB, and
    for gray beside alpha.
    Rarer formats become planar at 16 bits.
    """
    name = picture.format.name
    if name in _PACKED or _is_plain(picture):
        return picture
    rare = "gbrap16le" if picture.format.is_rgb else "yuv444p16le"
    return with_marks_of(picture, picture.reformat(format=_TWINS.get(name, rare)))


def copy_of(picture: VideoFrame) -> VideoFrame:
    """Return a picture with the same samples, time stamps and colour marks, in memory of its own."""
    copy = VideoFrame(picture.width, picture.height, picture.format.name)
    for old, new in zip(picture.planes, copy.planes, strict=True):
        rows = _rows(old.line_size, memoryview(old))
        _rows(new.line_size, memoryview(new))[: len(rows), :] = _fitted(rows, new.line_size)
    return with_marks_of(picture, copy)


def with_marks_of(picture: VideoFrame, other: VideoFrame) -> VideoFrame:
    """Give `other` the time stamps and colour marks of `picture`, and return it."""
    other.pts = picture.pts
    if picture.time_base is not None:
        other.time_base = picture.time_base
    other.colorspace, other.color_range = picture.colorspace, picture.color_range
    other.color_primaries, other.color_trc = picture.color_primaries, picture.color_trc
    return other


def planes_of(picture: VideoFrame) -> list[NDArray[np.unsignedinteger]]:
    """Return writable views (h, w) of a native picture's colour channels: R, G, B or Y, U, V or Y."""
    if picture.format.name in _PACKED:
        pixels = _packed(picture)
        return [pixels[..., channel] for channel in _PACKED[picture.format.name][1]]
    parts = [part for part in picture.format.components if not part.is_alpha]
    views = []
    for i, part in enumerate(parts):
        is_chroma = i > 0 and not picture.format.is_rgb
        width = picture.format.chroma_width(picture.width) if is_chroma else picture.width
        height = picture.format.chroma_height(picture.height) if is_chroma else picture.height
        depth = np.dtype(np.uint8 if part.bits <= 8 else np.uint16)  # noqa: PLR2004
        views.append(_samples(picture, part.plane, width, height, depth))
    return views


def alpha_of(picture: VideoFrame) -> NDArray[np.unsignedinteger] | None:
    """Return a writable view (h, w) of a native picture's transparency; None where it has none."""
    if picture.format.name in _PACKED and len(picture.format.components) == _GREY_AND_ALPHA:
        return _packed(picture)[..., 1]
    for part in picture.format.components:
        if part.is_alpha:
            kind = np.dtype(np.uint8 if part.bits <= 8 else np.uint16)  # noqa: PLR2004
            return _samples(picture, part.plane, picture.width, picture.height, kind)
    return None


def _packed(picture: VideoFrame) -> NDArray[np.unsignedinteger]:
    """Return a writable view (h, w, channels) of a packed picture, alpha and all."""
    count, _, kind = _PACKED[picture.format.name]
    flat = _samples(picture, 0, picture.width * count, picture.height, np.dtype(kind))
    return flat.reshape(picture.height, picture.width, count)


def _is_plain(picture: VideoFrame) -> bool:
    """Say whether every channel is a plane of little-endian integers."""
    form = picture.format
    parts = form.components
    deep = parts[0].bits > 8  # noqa: PLR2004
    return (
        form.name.startswith(("yuv4", "yuva4", "yuvj4", "gbrp", "gbrap", "gray"))
        and "f16" not in form.name
        and "f32" not in form.name
        and "msb" not in form.name
        and len({part.plane for part in parts}) == len(parts)
        and (not deep or form.name.endswith("le"))
    )


def _samples(
    picture: VideoFrame, plane: int, width: int, height: int, kind: np.dtype[Any]
) -> NDArray[np.unsignedinteger]:
    line_bytes = picture.planes[plane].line_size
    flat = np.frombuffer(memoryview(picture.planes[plane]), dtype=np.uint8)
    rows = flat[: line_bytes * height].reshape(height, line_bytes)
    samples: NDArray[np.unsignedinteger] = rows.view(kind)
    return samples[:, :width]


def _rows(line_bytes: int, memory: memoryview) -> NDArray[np.uint8]:
    flat = np.frombuffer(memory, dtype=np.uint8)
    return flat[: len(flat) // line_bytes * line_bytes].reshape(-1, line_bytes)


def _fitted(rows: NDArray[np.uint8], line_bytes: int) -> NDArray[np.uint8]:
    """Return `rows` cut, or padded with zeros, to `line_bytes`: only padding lies beyond the shorter one."""
    if rows.shape[1] >= line_bytes:
        return rows[:, :line_bytes]
    return np.pad(rows, ((0, 0), (0, line_bytes - rows.shape[1])))
