"""What each restoring and each enlarging network asks for and gives: one table a kind, one row a contract.

The rows are facts of the published files, as their users run them (facefusion 3's face and frame enhancers).
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.installed import UPSCALING


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorerContract:
    """How a network that restores faces is used: RGB crops in, the same crops made whole out."""

    side_px: int  # of the crop, on both ways
    template: str = "ffhq-512"  # a name in `workers.face.templates`
    low: float = -1.0  # what black is, on both ways
    high: float = 1.0  # and white
    takes_fidelity: bool = False  # a second input: how closely it keeps to what it sees, 0..1


RESTORERS: dict[str, RestorerContract] = {
    "gfpgan": RestorerContract(side_px=512),
    "codeformer": RestorerContract(side_px=512, takes_fidelity=True),
    "restoreformer": RestorerContract(side_px=512),
    "gpen-256": RestorerContract(side_px=256, template="arcface-128"),
    "gpen-512": RestorerContract(side_px=512),
    "gpen-1024": RestorerContract(side_px=1024),
    "gpen-2048": RestorerContract(side_px=2048),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscalerContract:
    """How a network that enlarges pictures is used: RGB in 0..1, of any size unless the file fixes one."""

    factor: int
    tile_px: int = 256  # side of the part that is enlarged at once
    overlap_px: int = 32  # of neighbouring parts, where one gives way to the other


UPSCALERS: dict[str, UpscalerContract] = {
    # Tiles of which one takes a gigabyte or so, in the largest networks of the kind.
    contract: UpscalerContract(factor=factor, tile_px=min(256, 1024 // factor))
    for contract, factor in UPSCALING.items()
}
