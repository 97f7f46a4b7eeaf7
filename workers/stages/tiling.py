"""How large a part of a picture is enlarged at once: as the contract says, or what memory allows."""

from __future__ import annotations

from collections.abc import Mapping

from workers.engine.settings import Value
from workers.errors import BudgetTooSmall
from workers.stages.contracts import UpscalerContract

#: What a network of 64 channels, Real-ESRGAN's, takes for a pixel that it makes, in bytes: its last layers
#: see all channels at the full size, and four are there at once (bench/results/upscale-memory.json).
BYTES_PER_PIXEL = 1100

_SMALLEST_PX = 64


def tile_for(contract: UpscalerContract, settings: Mapping[str, Value]) -> int:
    """Return the side of a tile in the picture that comes in: the contract's, halved until it fits.

    Only a limit that an operator sets counts: the free memory of a moment must not show in pixels.

    Raises:
        BudgetTooSmall: the limit holds not even the smallest.
    """
    limit = settings["gpu_memory_limit"]
    tile_px = contract.tile_px
    if limit is None:
        return tile_px
    limit_bytes = int(float(limit) * 1e9)
    while tile_px > _SMALLEST_PX and bytes_of(contract, tile_px) > limit_bytes:
        tile_px //= 2
    if bytes_of(contract, tile_px) > limit_bytes:
        raise BudgetTooSmall(limit_bytes, bytes_of(contract, tile_px))
    return tile_px


def bytes_of(contract: UpscalerContract, tile_px: int) -> int:
    """Return how much memory a tile takes while it is enlarged."""
    return (tile_px * contract.factor) ** 2 * BYTES_PER_PIXEL
