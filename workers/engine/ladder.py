"""What is given up for memory, in which order: batch, tile, precision, then the weights' place.

The order is by what it costs a user. A smaller batch or tile costs a little speed and no more than a last
bit of a value; a lower precision may cost a level of a pixel; weights in host memory cost the most time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from workers.engine.precision import Precision

#: Sides that tiles may have. Below 256, with 128 px of overlap, the same pixels are worked on six times.
TILE_SIDES_PX = (2048, 1024, 512, 256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """How an engine works: where it stands on the ladder."""

    batch: int = 1  # crops in one pass: always exactly so many, see `FusionEngine`
    tile_px: int = TILE_SIDES_PX[0]  # larger pictures are worked on in tiles of this side
    precision: Precision = Precision.FP32
    weights: Literal["device", "host"] = "device"  # host: pinned there, each layer's fetched when it is due

    def __str__(self) -> str:
        """Return it as people read it: "batch 4, tiles of 1024 px, fp32, weights on the device"."""
        place = "on the device" if self.weights == "device" else "in host memory"
        return f"batch {self.batch}, tiles of {self.tile_px} px, {self.precision}, weights {place}"


def down(point: Point, *, side_px: int, half: Precision) -> Point | None:
    """Return the next point down the ladder; None from its foot.

    Args:
        point: where the engine stands.
        side_px: of the largest picture: tiles that are no smaller than it change nothing, and are left out.
        half: the 16-bit precision of the device.
    """
    for step in _STEPS:
        lower = step(point, side_px, half)
        if lower is not None:
            return lower
    return None


def foot(point: Point, *, side_px: int, half: Precision) -> Point:
    """Return the lowest point below this one: what needs the least memory."""
    while (lower := down(point, side_px=side_px, half=half)) is not None:
        point = lower
    return point


def _smaller_batch(point: Point, _side_px: int, _half: Precision) -> Point | None:
    return dataclasses.replace(point, batch=point.batch // 2) if point.batch > 1 else None


def _smaller_tile(point: Point, side_px: int, _half: Precision) -> Point | None:
    smaller = [side for side in TILE_SIDES_PX if side < min(point.tile_px, side_px)]
    return dataclasses.replace(point, tile_px=smaller[0]) if smaller else None


def _lower_precision(point: Point, _side_px: int, half: Precision) -> Point | None:
    return dataclasses.replace(point, precision=half) if point.precision is Precision.FP32 else None


def _host_weights(point: Point, _side_px: int, _half: Precision) -> Point | None:
    return dataclasses.replace(point, weights="host") if point.weights == "device" else None


_Step = Callable[[Point, int, Precision], Point | None]
_STEPS: tuple[_Step, ...] = (_smaller_batch, _smaller_tile, _lower_precision, _host_weights)
