"""CUDA graphs: a pass at a fixed shape, recorded once and replayed without the cost of its launches.

The same function runs either way: a shape that was captured is replayed, any other runs as it is, and so
does everything on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Run = Callable[..., Tensor]  # tensors in, one tensor out

#: Passes before a capture: cuDNN and cuBLAS take their workspaces in the first ones.
_NUM_WARM_UPS = 3


@dataclass(frozen=True, slots=True)
class _Captured:
    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    output: Tensor


class GraphSet:
    """Calls `run`, by replay where its inputs have a captured bucket's shapes. For one thread and stream."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._captured: dict[tuple[torch.Size, ...], _Captured] = {}

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return what `run` returns, as a tensor of the caller's own."""
        captured = self._captured.get(_shapes(inputs))
        if captured is None:
            return self._run(*inputs)
        for ours, given in zip(captured.inputs, inputs, strict=True):
            ours.copy_(given)
        captured.graph.replay()
        return captured.output.clone()  # the graph's own output is overwritten by the next replay

    def capture(self, samples: Sequence[tuple[Tensor, ...]]) -> None:
        """Capture a graph for each of these inputs' shapes, largest first, all in one pool.

        Largest first: the smaller ones then find their memory in what it left. One pool is safe because
        replays never overlap, and outputs are cloned.
        """
        self._captured.clear()
        pool = torch.cuda.graph_pool_handle()
        for inputs in sorted(samples, key=_num_elements, reverse=True):
            self._captured[_shapes(inputs)] = self._capture(inputs, pool)

    def forget(self) -> None:
        """Drop all graphs, and with them their memory: from now on everything runs as it is."""
        self._captured.clear()

    @property
    def num_graphs(self) -> int:
        """Return how many shapes are replayed."""
        return len(self._captured)

    def _capture(self, given: tuple[Tensor, ...], pool: Any) -> _Captured:
        inputs = tuple(tensor.clone() for tensor in given)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_NUM_WARM_UPS):
                self._run(*inputs)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Other threads of a worker decode and encode meanwhile, and may allocate: that is no error.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            output = self._run(*inputs)
        return _Captured(graph, inputs, output)


def _shapes(inputs: tuple[Tensor, ...]) -> tuple[torch.Size, ...]:
    return tuple(tensor.shape for tensor in inputs)


def _num_elements(inputs: tuple[Tensor, ...]) -> int:
    return sum(tensor.numel() for tensor in inputs)
