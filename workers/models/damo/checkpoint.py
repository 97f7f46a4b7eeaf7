"""Published checkpoints: read without running what may be in them, and put into networks name by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from workers.errors import WeightsRejected
from workers.models.tensors import loaded

#: Written before every name by the program that saved it; the longer one first.
_PREFIXES = ("module.model.", "module.")

#: What a batch normalisation counts in training and nothing reads: old files lack it.
_COUNTER = "num_batches_tracked"


def read_weights(path: Path, inside: str = "") -> dict[str, Tensor]:
    """Return the tensors of a `.safetensors` file, or of a pickle, by name, on the CPU.

    `inside` is the key of a pickle's table under which the weights lie; of safetensors they are the whole.

    Raises:
        WeightsRejected: the file cannot be read, has no such key, or holds anything but tensors there.
    """
    body = loaded(path)
    found = body.get(inside) if inside and isinstance(body, Mapping) else body
    if not isinstance(found, Mapping):
        raise WeightsRejected(f"{path.name} holds no weights{f' under {inside!r}' if inside else ''}")
    others = [str(name) for name, value in found.items() if not isinstance(value, Tensor)]
    if others:
        raise WeightsRejected(f"{path.name} holds what is no tensor: {', '.join(sorted(others)[:3])}")
    return {str(name): value for name, value in found.items()}


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights without the prefix that some programs write before every name."""
    for prefix in _PREFIXES:
        if state and all(name.startswith(prefix) for name in state):
            return {name.removeprefix(prefix): value for name, value in state.items()}
    return dict(state)


def fill(network: nn.Module, state: Mapping[str, Tensor], what: str, *, is_loose: bool = False) -> None:
    """Give a network on the meta device a checkpoint's tensors, and make it ready to be used.

    `what` is named in errors: "pytorch_model.pt is not damo's network". A loose checkpoint may hold more, and
    lack counters of training.

    Raises:
        WeightsRejected: names or shapes are not exactly the network's.
    """
    wanted = network.state_dict()
    given = dict(state)
    if is_loose:
        counters = {name: torch.tensor(0) for name in wanted if name.endswith(_COUNTER)}
        given = counters | {name: value for name, value in given.items() if name in wanted}
    _check(wanted, given, what)
    network.load_state_dict(given, strict=True, assign=True)
    network.eval().requires_grad_(requires_grad=False)


def _check(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], what: str) -> None:
    """Say in a line what is wrong with a checkpoint: torch would list a thousand names."""
    faults = {
        "missing": [name for name in wanted if name not in given],
        "unknown": [name for name in given if name not in wanted],
        "of another shape": [
            name for name in given if name in wanted and given[name].shape != wanted[name].shape
        ],
    }
    told = [f"{len(names)} {fault} ({names[0]} ...)" for fault, names in faults.items() if names]
    if told:
        raise WeightsRejected(f"{what}; weights: {', '.join(told)}")
