"""A restoring network under its contract: a face's crop in, the same face with its detail back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.errors import ModelUnusable
from workers.models.onnx_shapes import PictureNetwork, picture_output, shape_fits
from workers.stages.contracts import RestorerContract

Crop = NDArray[np.float32]  # (S, S, 3), RGB in 0..1

#: What files call the input that says how closely to keep to what is seen.
_FIDELITY = "weight"


class Restorer:
    """One network of one contract."""

    def __init__(self, network: PictureNetwork, contract: RestorerContract) -> None:
        """Find the inputs: the crop, and the fidelity where the contract has one.

        Raises:
            ModelUnusable: the file's inputs or outputs are not the contract's; the message says which.
        """
        self.contract = contract
        self._network = network
        self._input = _crop_input(network, contract)
        self._output = picture_output(network, contract.side_px)

    def restore(self, crop: Crop, fidelity: float) -> Crop:
        """Return a crop restored, clipped to 0..1. `fidelity` is 0..1; networks that take none do without.

        Crops go through alone: a batch's size may show in the last bits.
        """
        low, span = np.float32(self.contract.low), np.float32(self.contract.high - self.contract.low)
        fed = {self._input: (crop * span + low).transpose(2, 0, 1)[None]}
        if self.contract.takes_fidelity:
            fed[_FIDELITY] = np.array([fidelity])
        found = np.asarray(self._network.run(fed)[self._output][0], np.float32)
        return np.asarray(np.clip((found.transpose(1, 2, 0) - low) / span, 0, 1), np.float32)


def _crop_input(network: PictureNetwork, contract: RestorerContract) -> str:
    """Return the name of the input that takes the crop."""
    shapes = dict(network.inputs)
    if contract.takes_fidelity and shapes.pop(_FIDELITY, None) is None:
        raise ModelUnusable(f"{network.name} has no input {_FIDELITY!r}: it is of another contract")
    if len(shapes) != 1:
        raise ModelUnusable(f"{network.name} takes {', '.join(network.inputs)}, not one crop of a face")
    [(name, shape)] = shapes.items()
    side_px = contract.side_px
    if not shape_fits(shape, (3, side_px, side_px)):
        raise ModelUnusable(f"{network.name}: {name} is {shape}, not 3 x {side_px} x {side_px}")
    return name
