"""A network that enlarges pictures, under its contract: part by part, so that memory is a part's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workers.engine.tiles import shares
from workers.errors import ModelUnusable
from workers.media.planes import Rgb
from workers.models.onnx_shapes import PictureNetwork, picture_output, shape_fits
from workers.stages.contracts import UpscalerContract

Planes = NDArray[np.float32]  # (3, H, W): R, G and B

#: Rows come out in multiples of this, so that each holds whole samples of every chroma format.
_ROW_STEP = 8


class Upscaler:
    """One network of one contract."""

    def __init__(self, network: PictureNetwork, contract: UpscalerContract, *, tile_px: int) -> None:
        """Take the tile that memory allows; a file that fixes the size of its input has its own.

        Raises:
            ModelUnusable: the file's input or output is not the contract's; the message says which.
        """
        if len(network.inputs) != 1:
            raise ModelUnusable(f"{network.name} takes {', '.join(network.inputs)}, not one picture")
        [(self._input, shape)] = network.inputs.items()
        if not shape_fits(shape, (3, None, None)):
            raise ModelUnusable(f"{network.name}: {self._input} is {shape}, no picture")
        self._network, self._output = network, picture_output(network, None)
        self.factor = contract.factor
        self.tile_px = min((size for size in shape[2:] if size is not None), default=tile_px)
        self._overlap_px = min(contract.overlap_px, self.tile_px // 4)

    def enlarged(
        self, picture: Rgb, on_part: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[int, Planes]]:
        """Yield a picture (H, W, 3), enlarged: bands of its rows, each with its first one.

        Neighbouring tiles are joined by weights that fall and rise over their overlap, and add up to 1. The
        tiles of a picture depend on its size alone. `on_part` is called after each.
        """
        height, width = (side_px * self.factor for side_px in picture.shape[:2])
        whole = _at_least(np.clip(picture, 0, 1).transpose(2, 0, 1), self.tile_px)
        down, across = (self._shares(side_px) for side_px in whole.shape[1:])
        begin, carried = 0, np.zeros((3, 0, width), np.float32)
        starts = [*down, whole.shape[1]]
        for y0, next_y0 in pairwise(starts):
            row = self._row(whole, y0, across, on_part)[..., :width]
            row *= down[y0][:, None]
            band = _joined(carried, row, y0 * self.factor - begin)
            is_last = next_y0 == starts[-1]
            ready = height if is_last else min(height, next_y0 * self.factor // _ROW_STEP * _ROW_STEP)
            if ready > begin:
                yield begin, np.clip(band[:, : ready - begin], 0, 1)
            begin, carried = max(begin, ready), band[:, max(0, ready - begin) :]

    def _row(
        self, planes: Planes, y0: int, across: dict[int, NDArray[np.float32]], on_part: Callable[[], None]
    ) -> Planes:
        """Return a row of tiles, joined from left to right."""
        tile_px, factor = self.tile_px, self.factor
        joined = np.zeros((3, tile_px * factor, planes.shape[2] * factor), np.float32)
        for x0, share in across.items():
            tile = self._run(planes[:, y0 : y0 + tile_px, x0 : x0 + tile_px])
            joined[..., x0 * factor : (x0 + tile_px) * factor] += tile * share
            on_part()
        return joined

    def _run(self, tile: Planes) -> Planes:
        found = self._network.run({self._input: np.ascontiguousarray(tile[None])})[self._output][0]
        side_px = self.tile_px * self.factor
        if found.shape != (3, side_px, side_px):
            raise ModelUnusable(
                f"{self._network.name} makes {found.shape[1]} pixels of {self.tile_px}, not {side_px}: "
                f"it does not enlarge {self.factor} times"
            )
        return np.asarray(found, np.float32)

    def _shares(self, side_px: int) -> dict[int, NDArray[np.float32]]:
        """Return the tiles' shares along a side, by their starts in the picture that comes in."""
        large = shares(side_px * self.factor, self.tile_px * self.factor, self._overlap_px * self.factor)
        return {start // self.factor: share.numpy() for start, share in large.items()}


def _at_least(planes: Planes, side_px: int) -> Planes:
    """Return a picture that is a tile large at least: beyond its edge it is mirrored."""
    rows, columns = (max(0, side_px - side) for side in planes.shape[1:])
    if rows or columns:
        # Mirrored again and again where it is smaller than what is missing.
        planes = np.pad(planes, ((0, 0), (0, rows), (0, columns)), mode="symmetric")
    return np.ascontiguousarray(planes, np.float32)


def _joined(carried: Planes, row: Planes, offset: int) -> Planes:
    """Return the rows that are not out yet: those carried so far, and a row of tiles `offset` below them."""
    if offset == 0 and carried.shape[1] <= row.shape[1]:
        row[:, : carried.shape[1]] += carried
        return row
    rows = np.zeros((3, max(carried.shape[1], offset + row.shape[1]), row.shape[2]), np.float32)
    rows[:, : carried.shape[1]] = carried
    rows[:, offset : offset + row.shape[1]] += row
    return rows
