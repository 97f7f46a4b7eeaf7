"""Restoring and enlarging networks as their authors save them, by the spandrel package, that knows many.

spandrel is no part of any extra but `pth`: it needs torchvision, which must be the very build for the torch
that is installed. A worker without it starts, and runs everything else.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workers.errors import ModelUnusable, PackageMissing, WeightsRejected
from workers.models.device import best_device
from workers.models.onnx_shapes import Shape
from workers.models.tensors import loaded

Array = NDArray[Any]

#: What the one input and the one output are called.
_INPUT, _OUTPUT = "input", "output"

#: What spandrel calls networks that take a face, and give it back in the same size.
_FACES = "FaceSR"


class SpandrelNetwork:
    """A network that takes a picture, with an ONNX one's interface. Runs of one input give the same bits."""

    #: Entered around every pass: whoever keeps it within the worker's memory says what for.
    guard: Callable[[], AbstractContextManager[object]] = staticmethod(nullcontext)

    def __init__(self, path: Path) -> None:
        """Open a `.pth` or `.safetensors` file on the GPU that the process was given, else on the CPU.

        Raises:
            PackageMissing: spandrel is not installed, or its torchvision does not fit this torch.
            ModelUnusable: the file cannot be read safely, or is of no form that spandrel knows.
        """
        spandrel = _package()
        try:
            state = spandrel.canonicalize_state_dict(loaded(path))
            self._network = spandrel.ModelLoader(best_device()).load_from_state_dict(state).eval()
        except WeightsRejected as error:
            raise ModelUnusable(str(error)) from error
        except Exception as error:  # spandrel's errors, and its networks', have no common root but this
            raise ModelUnusable(f"{path.name} is no network that spandrel knows: {_said(error)}") from error
        self.name, self.path = path.name, path
        side_px = self._network.size_requirements.minimum if self._is_of_faces else None
        self.inputs: dict[str, Shape] = {_INPUT: (1, self._network.input_channels, side_px, side_px)}
        self.outputs: dict[str, Shape] = {_OUTPUT: (1, self._network.output_channels, None, None)}

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return the output; what is in -1..1 for faces' contracts is brought to 0..1 for spandrel, and back.

        Raises:
            ModelUnusable: the network refuses the input.
        """
        picture = torch.from_numpy(np.ascontiguousarray(inputs[_INPUT], np.float32))
        with self.guard():
            try:
                found = self._passed(picture.to(self._network.device))
            except (RuntimeError, ValueError) as error:
                raise ModelUnusable(f"{self.name} cannot be run: {_said(error)}") from error
            return [found.float().cpu().numpy()]

    @property
    def module(self) -> torch.nn.Module:
        """The network itself: what takes memory."""
        module: torch.nn.Module = self._network.model
        return module

    def _passed(self, picture: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._network(picture * 0.5 + 0.5 if self._is_of_faces else picture)
        return found * 2 - 1 if self._is_of_faces else found

    @property
    def _is_of_faces(self) -> bool:
        return bool(self._network.purpose == _FACES)


def _package() -> Any:
    try:
        return importlib.import_module("spandrel")
    except ImportError as error:
        raise PackageMissing(
            "spandrel is not installed here, which reads .pth files: pip install -c constraints.txt "
            "'face-fusion-farm[worker,pth]'; or add the network as .onnx"
        ) from error
    except RuntimeError as error:  # torchvision's own, where its build is for another torch
        raise PackageMissing(
            f"spandrel cannot be used here: torchvision does not fit this torch ({_said(error)}); "
            "install the torchvision that is built for it, or add the network as .onnx"
        ) from error


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
