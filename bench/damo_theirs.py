"""ModelScope's own classes of damo's networks, loaded from a directory as its pipeline loads them."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from workers.models.damo.bundle import BACKBONE, FACE_MODEL, NETWORK, RECONSTRUCTION

#: Takes inputs of a precision, and gives what they make of them.
Run = Callable[..., Tensor]


class Theirs:
    """Each part at the precision that it is asked for."""

    def __init__(self, site: Path, directory: Path) -> None:
        self._package = _package(site)
        self._directory = directory

    def network(self, kind: torch.dtype) -> Run:
        network = self._package("aei_flow_net").AEI_Net(c_id=512, num_kp=17, device=torch.device("cpu"))
        state = self._loaded(f"{NETWORK}.pt")["state_dict"]
        _filled(network, {name.removeprefix("module."): value for name, value in state.items()}, kind)
        return _quietly(
            lambda target, identity, fused, jaw: network(target, identity, {"value": fused}, {"value": jaw})[
                0
            ]
        )

    def backbone(self, kind: torch.dtype) -> Run:
        backbone = self._package("model_irse").Backbone([112, 112], 100, "ir")
        _filled(backbone, self._loaded(f"{BACKBONE}.pth"), kind)
        resize = nn.functional.interpolate
        return lambda crop: backbone(resize(crop, (112, 112), mode="bilinear", align_corners=True))[0]

    def reconstruction(self, kind: torch.dtype) -> Run:
        network = self._package("facerecon_model").ReconNetWrapper("resnet50")
        _filled(network, self._loaded(f"{RECONSTRUCTION}.pth")["net_recon"], kind)
        return lambda crop: network(nn.functional.interpolate(crop * 0.5 + 0.5, size=224, mode="bilinear"))

    def jaws(self, kind: torch.dtype) -> Run:
        """Take coefficients of source and target; give the fused jaw line and the target's own."""
        folder = str((self._directory / FACE_MODEL).parent)
        model = self._package("bfm").ParametricFaceModel(bfm_folder=folder)
        model.to("cpu")
        for name, value in list(vars(model).items()):
            if isinstance(value, Tensor) and value.is_floating_point():
                setattr(model, name, value.to(kind))

        def line(coefficients: Tensor) -> Tensor:
            model.device = "cpu"
            with _default(kind):
                points = model.compute_for_render(coefficients)[3][:, :17] / 224
            points[..., 1] = 1 - points[..., 1]
            return points * 2 - 1

        def both(source: Tensor, target: Tensor) -> Tensor:
            fused = torch.cat(((source[:, :80] + target[:, :80]) / 2, target[:, 80:]), dim=1)
            return torch.cat((line(fused), line(target)))

        return both

    def _loaded(self, name: str) -> Any:
        return torch.load(self._directory / name, weights_only=True)


def _filled(network: nn.Module, state: dict[str, Tensor], kind: torch.dtype) -> None:
    network.load_state_dict(state, strict=True)
    network.to(kind).eval()


def _quietly(run: Run) -> Run:
    def quiet(*inputs: Tensor) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run(*inputs)

    return quiet


@contextmanager
def _default(kind: torch.dtype) -> Iterator[None]:
    """Their face model makes ones and zeros of torch's default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _package(site: Path) -> Callable[[str], ModuleType]:
    """Return what imports a module of ModelScope's networks, without all that the package imports beside."""
    folder = site / "modelscope/models/cv/image_face_fusion/network"
    spec = importlib.util.spec_from_file_location(
        "modelscope_network", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    sys.modules["modelscope_network"] = importlib.util.module_from_spec(spec)
    return lambda name: importlib.import_module(f"modelscope_network.{name}")
