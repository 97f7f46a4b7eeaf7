"""What an ONNX network's inputs and outputs must look like, and which of them is the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from workers.errors import ModelUnusable

Shape = tuple[int | None, ...]  # None stands for any size

_IMAGE_DIMS = 4  # batch, channels, rows, columns


class PictureNetwork(Protocol):
    """A network of named inputs and outputs; `OnnxNetwork` is one."""

    name: str
    inputs: dict[str, Shape]
    outputs: dict[str, Shape]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return all outputs, in their order."""


def picture_output(network: PictureNetwork, side_px: int | None) -> int:
    """Return the number of the picture among the outputs: the first of three channels and of this side.

    `side_px` None takes any size.

    Raises:
        ModelUnusable: there is none.
    """
    for number, shape in enumerate(network.outputs.values()):
        if len(shape) == _IMAGE_DIMS and shape_fits(shape, (3, side_px, side_px)):
            return number
    size = "" if side_px is None else f" of {side_px} pixels"
    raise ModelUnusable(f"{network.name} gives {network.outputs}, and no picture{size}")


def shape_fits(shape: Shape, wanted: Shape) -> bool:
    """Say whether a shape, without its batch, may be the one wanted."""
    own = shape[1:]
    return len(own) == len(wanted) and all(
        size is None or want is None or size == want for size, want in zip(own, wanted, strict=True)
    )
