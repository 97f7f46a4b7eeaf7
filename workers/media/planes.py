"""Exact access to the pixels of a frame in its own format: read a region as RGB, add a change to it.

Only a change is written, never a picture: where the change is nothing, or outside its mask, every sample
keeps its value bit for bit, and nothing is lost by going to RGB and back.
"""

from __future__ import annotations

import cv2
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from workers.media.layout import layout_of
from workers.media.pictures import copy_of, native, planes_of

Rgb = NDArray[np.float32]  # (H, W, 3), 0 is black and 1 is white
Roi = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels, half-open


class Canvas:
    """A picture about to be changed: reads see all changes so far, the given picture is never written.

    Chroma is taken to lie in the middle of its luma pixels. Where it lies to their left, that is wrong by a
    quarter of a pixel on the way in and by as much the other way on the way out.
    """

    def __init__(self, picture: VideoFrame) -> None:
        self._given = picture
        self._picture = native(picture)
        self._is_ours = self._picture is not picture  # a twin is as good as a copy
        self._is_changed = False
        self._layout = layout_of(self._picture)
        self._planes = planes_of(self._picture)

    @property
    def picture(self) -> VideoFrame:
        """The given picture itself while nothing was added, from then on a changed copy."""
        return self._picture if self._is_changed else self._given

    def fit(self, roi: Roi) -> Roi:
        """Return `roi` cut to the picture and widened to whole chroma samples; empty when it lies outside."""
        x0, y0, x1, y1 = roi
        step_x, step_y = self._layout.step_x, self._layout.step_y
        width, height = self._picture.width, self._picture.height
        x0, y0 = max(0, x0 // step_x * step_x), max(0, y0 // step_y * step_y)
        return (
            x0,
            y0,
            max(x0, min(width, -(-x1 // step_x) * step_x)),
            max(y0, min(height, -(-y1 // step_y) * step_y)),
        )

    def read(self, roi: Roi) -> Rgb:
        """Return the region as RGB (H, W, 3); `roi` must come from `fit`.

        Samples that stand for no RGB, as brighter than white, stray outside 0..1: a change is measured from
        where they are.
        """
        layout = self._layout
        values = np.empty((roi[3] - roi[1], roi[2] - roi[0], 3), np.float32)
        for channel in range(layout.num_channels):
            part = _enlarged(self._part(channel, roi), roi)
            values[..., channel] = (part - layout.zero[channel]) * (1 / layout.unit[channel])
        if layout.num_channels == 1:
            values[..., 1:] = values[..., :1]
        return np.asarray(cv2.transform(values, layout.to_rgb), np.float32)

    def add(self, roi: Roi, change: Rgb, mask: NDArray[np.float32]) -> None:
        """Add `change` (H, W, 3), in units of `read`, to the pixels of `roi` where `mask` (H, W) is above 0.

        A chroma sample changes only where all its luma pixels lie in the mask: a pixel outside the mask keeps
        its colour, too.
        """
        inside = mask > 0
        if not inside.any():
            return
        self._own()
        layout = self._layout
        parts = cv2.split(cv2.transform(change, layout.from_rgb))
        for channel in range(layout.num_channels):
            part = self._part(channel, roi)
            step_y, step_x = -(-inside.shape[0] // part.shape[0]), -(-inside.shape[1] // part.shape[1])
            moved = _pooled(np.asarray(parts[channel], np.float32), step_x, step_y)
            value = np.clip(np.rint(part + moved * layout.unit[channel]), 0, layout.peak)
            np.copyto(part, value.astype(part.dtype), where=_all_of(inside, step_x, step_y))

    def paint(self, roi: Roi, planes: NDArray[np.float32]) -> None:
        """Make the pixels of `roi`, which comes from `fit`, what R, G and B (3, H, W) say."""
        self._own()
        layout, shape = self._layout, planes.shape
        parts = (layout.from_rgb @ planes.reshape(3, -1)).reshape(shape)
        for channel in range(layout.num_channels):
            part = self._part(channel, roi)
            step_y, step_x = -(-shape[1] // part.shape[0]), -(-shape[2] // part.shape[1])
            value = _pooled(parts[channel], step_x, step_y)
            value = np.rint(value * np.float32(layout.unit[channel]) + np.float32(layout.zero[channel]))
            part[...] = np.clip(value, 0, layout.peak)

    def _part(self, channel: int, roi: Roi) -> NDArray[np.unsignedinteger]:
        """Return the view of one channel's samples that belong to `roi`."""
        plane = self._planes[channel]
        step_x = -(-self._picture.width // plane.shape[1])
        step_y = -(-self._picture.height // plane.shape[0])
        x0, y0, x1, y1 = roi
        return plane[y0 // step_y : -(-y1 // step_y), x0 // step_x : -(-x1 // step_x)]

    def _own(self) -> None:
        if not self._is_ours:
            self._picture = copy_of(self._picture)
            self._planes = planes_of(self._picture)
        self._is_ours = self._is_changed = True


def _enlarged(part: NDArray[np.unsignedinteger], roi: Roi) -> NDArray[np.float32]:
    width, height = roi[2] - roi[0], roi[3] - roi[1]
    values = part.astype(np.float32)
    if part.shape == (height, width):
        return values
    step_x, step_y = -(-width // part.shape[1]), -(-height // part.shape[0])
    size = (part.shape[1] * step_x, part.shape[0] * step_y)
    whole = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return whole[:height, :width]  # an odd picture's last chroma sample covers pixels that are not there


def _pooled(values: NDArray[np.float32], step_x: int, step_y: int) -> NDArray[np.float32]:
    """Return the mean over each chroma sample's pixels; an odd picture's last pixel goes on at its edge."""
    if step_x == step_y == 1:
        return values
    height, width = values.shape
    rows, columns = -height % step_y, -width % step_x
    whole = cv2.copyMakeBorder(values, 0, rows, 0, columns, cv2.BORDER_REPLICATE)
    size = (whole.shape[1] // step_x, whole.shape[0] // step_y)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)


def _all_of(inside: NDArray[np.bool_], step_x: int, step_y: int) -> NDArray[np.bool_]:
    """Return for each chroma sample whether all its pixels are inside."""
    covered = inside[::step_y, ::step_x].copy()
    for y in range(step_y):
        for x in range(step_x):
            pixels = inside[y::step_y, x::step_x]  # an odd picture's last samples have fewer
            covered[: pixels.shape[0], : pixels.shape[1]] &= pixels
    return covered
