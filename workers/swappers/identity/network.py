"""A swap network under its contract: crops and a source in, crops with that identity out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.engine.sessions import troubles
from workers.errors import ModelUnusable
from workers.models.onnx_session import OnnxNetwork
from workers.models.onnx_shapes import picture_output, shape_fits
from workers.swappers.identity.contracts import Contract
from workers.swappers.identity.source import SourceInput

Crops = NDArray[np.float32]  # (N, S, S, 3), RGB in 0..1


class SwapNetwork:
    """One network of one contract."""

    mask = None  # it paints whole crops

    def __init__(
        self, network: OnnxNetwork, contract: Contract, *, pass_size: int = 1, is_apart: bool = False
    ) -> None:
        """Find the inputs: by the names `source` and `target`, else by what they hold.

        `pass_size` crops go through at once where the file takes as many, blank ones beside if fewer come:
        last bits depend on the number. Where `is_apart` says that they do not, there are none beside.

        Raises:
            ModelUnusable: the file's inputs or outputs are not the contract's; the message says which.
        """
        self.contract = contract
        self._network = network
        self._target, self._source = _inputs(network, contract)
        self._output = picture_output(network, contract.side_px)
        self._takes_batches = network.inputs[self._target][0] is None
        self.pass_size = pass_size if self._takes_batches else 1
        self.is_apart = is_apart
        self._mean = np.asarray(contract.mean, np.float32)
        self._std = np.asarray(contract.std, np.float32)

    @property
    def place(self) -> str:
        """Its name among what the worker keeps within its memory."""
        return self._network.place

    @property
    def provider(self) -> str:
        """What ONNX Runtime runs it on."""
        return self._network.provider

    @property
    def notes(self) -> tuple[str, ...]:
        """What users should know of that."""
        return troubles((self._network,))

    def swap_some(self, crops: Crops, source: SourceInput) -> Crops:
        """Return up to `pass_size` crops changed, each to the bits that it gets in any company."""
        blank = 0 if self.is_apart else self.pass_size - len(crops)
        padded = np.concatenate([crops, np.zeros((blank, *crops.shape[1:]), np.float32)]) if blank else crops
        return self.swap(padded, source)[: len(crops)]

    def swap(self, crops: Crops, source: SourceInput) -> Crops:
        """Return the crops with the source's identity, clipped to 0..1.

        They go through as one batch where the file allows any number, else one by one.
        """
        blobs = np.ascontiguousarray(((crops - self._mean) / self._std).transpose(0, 3, 1, 2))
        step = len(blobs) if self._takes_batches else 1
        found = [self._run(blobs[i : i + step], source) for i in range(0, len(blobs), step)]
        given = np.concatenate(found).transpose(0, 2, 3, 1)
        if self.contract.gives_normalised:
            given = given * self._std + self._mean
        return np.asarray(np.clip(given, 0, 1), np.float32)

    def _run(self, blobs: NDArray[np.float32], source: SourceInput) -> NDArray[np.float32]:
        sources = np.repeat(source, len(blobs), axis=0)
        outputs = self._network.run({self._target: blobs, self._source: sources})
        return np.asarray(outputs[self._output], np.float32)


def _inputs(network: OnnxNetwork, contract: Contract) -> tuple[str, str]:
    """Return the names of the target's and the source's input."""
    shapes = network.inputs
    if set(shapes) == {"source", "target"}:
        target, source = "target", "source"
    elif len(shapes) == 2 and contract.source != "crop":  # noqa: PLR2004 - a target and a source
        target, source = sorted(shapes, key=lambda name: -len(shapes[name]))
    else:
        raise ModelUnusable(f"{network.name} takes {', '.join(shapes)}, not a source and a target")
    side_px = contract.side_px
    if not shape_fits(shapes[target], (3, side_px, side_px)):
        raise ModelUnusable(f"{network.name}: {target} is {shapes[target]}, not 3 x {side_px} x {side_px}")
    side_px = contract.source_side_px
    if not shape_fits(shapes[source], (3, side_px, side_px) if contract.source == "crop" else (512,)):
        raise ModelUnusable(f"{network.name}: {source} is {shapes[source]}, which is another contract's")
    return target, source
