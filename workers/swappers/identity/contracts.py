"""What each swap network asks for and gives: one table, one row a kind.

All take a target crop and a source as float32 arrays (half precision where the file says so) and give a crop.
The rows are facts of the published files, as their users run them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What the network is told of the source:
#: "emap"       the unit embedding, turned by the matrix that lies last in the file, brought to length 1
#: "converted"  what a second network makes of the raw embedding; "converted-unit": brought to length 1
#: "unit"       the unit embedding itself
#: "crop"       a picture of the face
SourceForm = Literal["emap", "converted", "converted-unit", "unit", "crop"]

_HALVES = (0.5, 0.5, 0.5)
_ZEROS, _ONES = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """How one kind of swap network is used. Colours are RGB in 0..1 before `mean` and `std` are applied."""

    side_px: int  # of the target crop, and of the one that comes out
    template: str  # a name in `workers.face.templates`
    mean: tuple[float, float, float] = _ZEROS
    std: tuple[float, float, float] = _ONES
    gives_normalised: bool = False  # what comes out has `mean` and `std` applied, too
    source: SourceForm
    source_template: str = ""  # of the source crop, where that is what it asks for
    source_side_px: int = 0


CONTRACTS: dict[str, Contract] = {
    "inswapper": Contract(side_px=128, template="arcface-128", source="emap"),
    "simswap": Contract(
        side_px=256,
        template="arcface-112-v1",
        mean=(0.485, 0.456, 0.406),  # ImageNet's
        std=(0.229, 0.224, 0.225),
        source="converted-unit",
    ),
    "simswap-512": Contract(side_px=512, template="arcface-112-v1", source="converted-unit"),
    "ghost": Contract(
        side_px=256,
        template="arcface-112-v1",
        mean=_HALVES,
        std=_HALVES,
        gives_normalised=True,
        source="converted",
    ),
    "blendswap": Contract(
        side_px=256,
        template="ffhq-512",
        source="crop",
        source_template="arcface-112-v2",
        source_side_px=112,
    ),
    "uniface": Contract(
        side_px=256,
        template="ffhq-512",
        mean=_HALVES,
        std=_HALVES,
        gives_normalised=True,
        source="crop",
        source_template="ffhq-512",
        source_side_px=256,
    ),
    "hififace": Contract(
        side_px=256,
        template="mtcnn-512",
        mean=_HALVES,
        std=_HALVES,
        gives_normalised=True,
        source="converted-unit",
    ),
    "hyperswap": Contract(
        side_px=256,
        template="arcface-128",
        mean=_HALVES,
        std=_HALVES,
        gives_normalised=True,
        source="unit",
    ),
}
