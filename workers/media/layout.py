"""What the numbers in a frame's planes mean: channels, depth, range and colour matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

# Red's and blue's share of luma, by FFmpeg's AVColorSpace number (ITU-T H.273, table 4).
_SHARES = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.470 BG, the same as BT.601
    6: (0.299, 0.114),  # SMPTE 170M, the same as BT.601
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020, non-constant luminance
    10: (
        0.2627,
        0.0593,
    ),  # BT.2020, constant luminance: taken as non-constant; a face is too small to show it
}
_HD_HEIGHT_PX = 720  # players take unmarked pictures from this height up as BT.709, smaller ones as BT.601
_FULL_RANGE = 2  # AVColorRange: JPEG
_LIMITED_RANGE = 1  # AVColorRange: MPEG


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How samples become RGB: value = (sample - zero) / unit by channel, then rgb = to_rgb @ values."""

    num_channels: int  # 3, or 1 for gray; alpha is nobody's business
    step_x: int  # luma pixels to a chroma sample, across
    step_y: int  # and down
    peak: int  # the largest sample
    zero: tuple[float, ...]  # by channel: the sample that means 0
    unit: tuple[float, ...]  # by channel: samples from 0 to 1
    to_rgb: NDArray[np.float32]  # (3, 3)
    from_rgb: NDArray[np.float32]  # (3, 3)


def layout_of(picture: VideoFrame) -> Layout:
    """Return the layout of a picture in one of `workers.media.pictures`'s own formats."""
    parts = picture.format.components
    bits = parts[0].bits
    is_rgb, is_gray = picture.format.is_rgb, len(parts) < 3  # noqa: PLR2004
    peak = (1 << bits) - 1
    matrix = np.eye(3) if is_rgb else _yuv_from_rgb(picture)
    zero, unit = _range(picture, bits, is_yuv=not is_rgb)
    if is_gray:
        return Layout(
            num_channels=1, step_x=1, step_y=1, peak=peak, zero=zero[:1], unit=unit[:1],
            to_rgb=np.eye(3, dtype=np.float32), from_rgb=matrix.astype(np.float32),
        )  # fmt: skip
    return Layout(
        num_channels=3,
        step_x=-(-picture.width // (parts[1].width or picture.width)) if not is_rgb else 1,
        step_y=-(-picture.height // (parts[1].height or picture.height)) if not is_rgb else 1,
        peak=peak,
        zero=zero,
        unit=unit,
        to_rgb=np.linalg.inv(matrix).astype(np.float32),
        from_rgb=matrix.astype(np.float32),
    )


def _yuv_from_rgb(picture: VideoFrame) -> NDArray[np.float64]:
    unmarked = _SHARES[1] if picture.height >= _HD_HEIGHT_PX else _SHARES[6]
    red, blue = _SHARES.get(int(picture.colorspace), unmarked)
    luma = np.array([red, 1 - red - blue, blue])
    cb = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    cr = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    return np.stack([luma, cb, cr])


def _range(picture: VideoFrame, bits: int, *, is_yuv: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return zeros and units. Unmarked YUV is limited; RGB, gray and the yuvj formats are full range."""
    peak = float((1 << bits) - 1)
    if not is_yuv:
        return (0.0,) * 3, (peak,) * 3
    name, marked = picture.format.name, int(picture.color_range)
    is_full_by_name = name.startswith(("yuvj", "gray", "ya8", "ya16"))
    middle = float(1 << (bits - 1))
    if marked == _FULL_RANGE or (marked != _LIMITED_RANGE and is_full_by_name):
        return (0.0, middle, middle), (peak,) * 3
    step = float(1 << (bits - 8))
    return (16 * step, middle, middle), (219 * step, 224 * step, 224 * step)
