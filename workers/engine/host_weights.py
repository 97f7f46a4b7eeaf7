"""Keeps a network's weights in host memory: each layer's come to the device when it is due, and go after.

The lowest rung of the ladder: at no time does more than one layer's weight lie on the device. Copies are
made from pinned memory, in the order of the device's own stream, so a layer never runs before its weights.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from workers.engine.moves import MOVES


class HostWeights:
    """Moves the weights of every convolution of `network` to host memory, until `restore`."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._device = device
        self._kept: dict[nn.Module, dict[str, torch.Tensor]] = {}
        self._handles: list[RemovableHandle] = []
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                self._keep(module)

    def restore(self) -> None:
        """Bring all weights back to the device."""
        for handle in self._handles:
            handle.remove()
        for module in self._kept:
            self._fetch(module, ())

    def _keep(self, module: nn.Module) -> None:
        self._kept[module] = {
            name: on_host(parameter.data, self._device) for name, parameter in module.named_parameters()
        }
        self._drop(module)
        self._handles.append(module.register_forward_pre_hook(self._fetch))
        self._handles.append(module.register_forward_hook(self._drop))

    def _fetch(self, module: nn.Module, _inputs: Any) -> None:
        MOVES.note(sum(tensor.nbytes for tensor in self._kept[module].values()))
        for name, parameter in module.named_parameters():
            parameter.data = self._kept[module][name].to(self._device, non_blocking=True, copy=True)

    def _drop(self, module: nn.Module, *_: Any) -> None:
        for name, parameter in module.named_parameters():
            # Of no size, on the device: whoever asks a parameter where its network is, is told right.
            parameter.data = self._kept[module][name].new_empty(0, device=self._device)


def on_host(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a copy in host memory, pinned where `device` is a GPU: such memory is copied while it works."""
    host = torch.empty_like(tensor, device="cpu", pin_memory=device.type == "cuda")
    return host.copy_(tensor)
