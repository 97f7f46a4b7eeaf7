"""What a network's operations read and write: the traffic that folding spares."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from workers.models.network import FusionNetwork


class Traffic(TorchDispatchMode):
    """Sums the bytes of every operation's tensors, in and out; views move nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.moved_bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        if not func.is_view:
            both = tree_leaves((args, kwargs, made))
            self.moved_bytes += sum(leaf.nbytes for leaf in both if isinstance(leaf, Tensor))
        return made


def moved_bytes(core: nn.Module, network: FusionNetwork, crops: tuple[Tensor, ...]) -> int:
    """Return the traffic of `core` over one crop's input to `network`'s convolutions, in bytes."""
    given: list[Tensor] = []
    handle = network.core.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    network.fuse(*(tensor[:1] for tensor in crops))
    handle.remove()
    with Traffic() as traffic:
        core(given[0])
    return traffic.moved_bytes
