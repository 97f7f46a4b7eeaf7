"""One fusion network on one device, within a budget: what the rest of a worker calls to fuse crops."""

from __future__ import annotations

import copy
import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from workers.engine.graphs import GraphSet
from workers.engine.host_weights import HostWeights
from workers.engine.ladder import Point, down
from workers.engine.lessons import Lessons
from workers.engine.managed import ManagedPool
from workers.engine.memory import Meter, meter_of
from workers.engine.plan import Need, Plan, fit, reserve_of
from workers.engine.precision import cast, half_of
from workers.engine.tiles import fuse_in_tiles
from workers.errors import OutOfMemory
from workers.models.blocks import fold_batch_norms
from workers.models.network import FusionNetwork, Surveying, Window

log = logging.getLogger(__name__)


class FusionEngine:
    """Fuses crops with a network; called as the network is. For one thread at a time.

    Every pass has exactly `Point.batch` crops, the last ones blank where fewer are asked for: a convolution's
    last bits depend on how many crops are beside a crop, never on what they show, so which crops came
    together does not show in any of them. Where memory runs out, the engine steps down the ladder, stays
    there, and does the same crops again.
    """

    def __init__(
        self,
        network: FusionNetwork,
        device: torch.device,
        *,
        first: Point | None = None,
        limit_bytes: int | None = None,
        beside_bytes: int = 0,
        sides_px: tuple[int, ...] = (256,),
        has_graphs: bool = False,
        meter: Meter | None = None,
        lessons: Lessons | None = None,
        managed: ManagedPool | None = None,
        reuse_threshold: float = 0.0,
    ) -> None:
        """Put a copy of `network`, in eval mode, on `device`, its batch norms folded.

        Args:
            network: is not changed, and may be given to several engines.
            device: a GPU, or the CPU.
            first: where to begin on the ladder; by default at its top, in float32.
            limit_bytes: the budget; None: no limit.
            beside_bytes: of the budget, what others take all along.
            sides_px: of the pictures to be ready for.
            has_graphs: capture a CUDA graph for each of them, where the device is a GPU.
            meter: counts the device's memory; by default its own.
            managed: where its weights are to lie, on a GPU; by default where torch puts them.
            lessons: where to begin instead, if memory ran out before; by default nothing is remembered.
            reuse_threshold: how far a face may look different and keep its transforms, see `Reuse`; 0: never.
        """
        self.device = device
        self.reuse_threshold = reuse_threshold
        self._meter = meter or meter_of(device)
        self._limit_bytes, self._beside_bytes = limit_bytes, beside_bytes
        self._sides_px = tuple(sorted(sides_px, reverse=True))
        self._has_graphs = has_graphs and device.type == "cuda"
        self._network = copy.deepcopy(network).eval()
        fold_batch_norms(self._network)
        self._managed = managed
        with self._weights_place():
            self._network.to(device)
        self._meter.adopt([*self._network.parameters(), *self._network.buffers()])
        self._whole, self._parts = GraphSet(self._network.fuse), GraphSet(self._field)
        self._host: HostWeights | None = None
        self._point = Point()
        self._steps: tuple[str, ...] = ()
        self._need: Need | None = None
        self._lessons = lessons or Lessons(None, "")
        self.first = first or Point()  # as it was asked for, whatever memory allowed since
        self._move(self._lessons.point() or self.first)

    @torch.inference_mode()
    def warm(self) -> Plan:
        """Measure, plan, capture, and run one pass at every side: the first chunk then pays for nothing.

        Raises:
            BudgetTooSmall: the budget does not hold the network at the foot of the ladder.
        """
        side_px, limit_bytes = self._sides_px[0], self._limit_bytes
        if limit_bytes is None:
            self._need = self._measure(self._point)
        else:
            self._meter.limit(None)  # measured freely: what is refused must know the number that would do
            try:
                _, self._need, self._steps = fit(
                    self._point,
                    self._measure,
                    limit_bytes=limit_bytes,
                    side_px=side_px,
                    half=half_of(self.device),
                    beside_bytes=self._beside_bytes,
                )
            finally:  # whoever goes on without a plan is held to the limit all the same
                self._meter.limit(limit_bytes - reserve_of(limit_bytes) - self._beside_bytes)
        # The largest was run to be measured; where there are graphs, its own is to be replayed once as well.
        for side in self._sides_px if self._has_graphs else self._sides_px[1:]:
            self(*_blank(1, side, self.device))
        return self.plan

    def close(self) -> None:
        """Give the device's memory back, the graphs' and the weights'; the engine is of no use after that."""
        self._whole.forget()
        self._parts.forget()
        self._network.to("meta")
        self._meter.limit(None)
        self._meter.release()

    @property
    def meter(self) -> Meter:
        """What counts the engine's memory."""
        return self._meter

    @property
    def is_managed(self) -> bool:
        """Whether the driver moves its weights."""
        return self._managed is not None

    def drop_graphs(self) -> None:
        """Give back what captured graphs keep."""
        self._whole.forget()
        self._parts.forget()
        self._meter.release()

    def capture(self) -> None:
        """Capture the graphs of the point that it works at, where it has any."""
        if self._has_graphs and self._point.weights == "device":
            self._capture()

    @property
    def network(self) -> FusionNetwork:
        """The engine's own copy of its network, on the device, folded and cast."""
        return self._network

    @property
    def plan(self) -> Plan:
        """Return how the engine works now, and what it takes."""
        need = self._need or Need(weights_bytes=0, graphs_bytes=0, batch_bytes=0)
        return Plan(
            device=str(self.device),
            side_px=self._sides_px[0],
            point=self._point,
            need=need,
            limit_bytes=self._limit_bytes,
            steps=self._steps,
        )

    @torch.inference_mode()
    def __call__(self, x: Tensor, mask: Tensor, target: Tensor, surveying: Surveying | None = None) -> Tensor:
        """Return the fused crops, (N, 3, S, S) in [0, 1]; see `FusionNetwork.forward`.

        `surveying` takes the place of the network's own survey, for crops that come one by one; no graph is
        replayed then.

        Raises:
            OutOfMemory: not even the foot of the ladder needs little enough.
        """
        while True:
            try:
                with self._meter.guard():
                    return self._fused(x, mask, target, surveying)
            except torch.OutOfMemoryError as error:
                reason = str(error)
            # Out of the handler: until then the traceback keeps the failed pass's tensors alive.
            self._step_down(reason, x.shape[-1])

    def _fused(self, x: Tensor, mask: Tensor, target: Tensor, surveying: Surveying | None = None) -> Tensor:
        sizes = _sizes(len(x), self._size(x))
        split = (tensor.split_with_sizes(sizes) for tensor in (x, mask, target))
        if len(sizes) == 1:
            return self._pass(x, mask, target, surveying=surveying)
        fused = torch.empty_like(target)
        for place, crops in zip(fused.split_with_sizes(sizes), zip(*split, strict=True), strict=True):
            place.copy_(self._pass(*crops, surveying=surveying))
        return fused

    def _size(self, x: Tensor) -> int:
        """Return how many crops go through at once: of those in tiles, one."""
        return 1 if x.shape[-1] > self._point.tile_px else self._point.batch

    def _pass(self, x: Tensor, mask: Tensor, target: Tensor, *, surveying: Surveying | None) -> Tensor:
        tile_px, num_crops = self._point.tile_px, len(x)
        if x.shape[-1] > tile_px:
            field = self._field_by_graph if self._network.overlap_px else None
            return fuse_in_tiles(
                self._network, x, mask, target, tile_px=tile_px, field=field, surveying=surveying
            )
        if surveying is not None:
            return self._composed(surveying(x, mask, None), x, mask, target)
        if self.device.type == "cpu" and not self._network.overlap_px:
            survey = self._network.survey(x, mask, at_least=self._point.batch)
            return self._composed(survey, x, mask, target)
        blank = self._point.batch - num_crops
        full = (functional.pad(tensor, (0, 0, 0, 0, 0, 0, 0, blank)) for tensor in (x, mask, target))
        return self._whole(*(full if blank else (x, mask, target)))[:num_crops]

    def _composed(self, survey: Any, x: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        """Do, crop by crop, what was found out for all of them at once.

        Convolutions gain by company, but at full resolution a CPU's caches hold one crop; and there blank
        ones cost nothing.
        """
        side_px, network, fused = x.shape[-1], self._network, torch.empty_like(target)
        whole = Window(0, 0, side_px, side_px)
        for index in range(len(x)):
            one = slice(index, index + 1)
            field = network.field(survey.of(index), x[one], mask[one], whole, side_px)
            fused[one] = network.compose(x[one], mask[one], target[one], field)
        return fused

    def _field(self, x: Tensor, mask: Tensor) -> Tensor:
        """Find the field of one tile of a network that needs no survey."""
        tile_px = x.shape[-1]
        return self._network.field(None, x, mask, Window(0, 0, tile_px, tile_px), tile_px)

    def _field_by_graph(self, _survey: object, x: Tensor, mask: Tensor, *_where: object) -> Tensor:
        return self._parts(x.contiguous(), mask.contiguous())

    def _move(self, point: Point) -> None:
        """Work at another point from now on; graphs of the old one are dropped."""
        self._whole.forget()
        self._parts.forget()
        if point.weights == "device" and self._host is not None:
            self._host.restore()
            self._host = None
        limit_bytes = self._meter.limit_bytes
        self._meter.limit(None)  # while a layer is cast it is there twice: what the reserve is for
        if self._host is None:
            with self._meter.measured(), self._weights_place():
                cast(self._network, point.precision, self.device)
        if point.weights == "host" and self._host is None:
            self._host = HostWeights(self._network, self.device)
        self._meter.limit(limit_bytes)
        self._point = point
        self._meter.release()

    def _weights_place(self) -> AbstractContextManager[None]:
        return nullcontext() if self._managed is None else self._managed.use()

    def _measure(self, point: Point) -> Need:
        """Work at `point`, run a pass of the largest picture, capture its graphs, and count."""
        self._move(point)
        weights_bytes = self._meter.used_bytes()
        with self._meter.measured():
            self._meter.reset_peak()
            self._fused(*_blank(point.batch, self._sides_px[0], self.device))
        batch_bytes = self._meter.peak_bytes() - weights_bytes
        held = self._meter.held_bytes()
        self.capture()
        return Need(
            weights_bytes=weights_bytes,
            graphs_bytes=max(0, self._meter.held_bytes() - held),
            batch_bytes=batch_bytes,
        )

    def _capture(self) -> None:
        tile_px, batch = self._point.tile_px, self._point.batch
        self._whole.capture([_blank(batch, side, self.device) for side in self._sides_px if side <= tile_px])
        if self._network.overlap_px and self._sides_px[0] > tile_px:
            self._parts.capture([_blank(1, tile_px, self.device)[:2]])

    def _step_down(self, reason: str, side_px: int) -> None:
        lower = down(self._point, side_px=side_px, half=half_of(self.device))
        if lower is None:
            raise OutOfMemory(f"{self.plan}: {reason}")
        log.warning("out of memory (%s), going on with %s", reason, lower)
        self._steps = (*self._steps, f"{self._point}: ran out")
        self._move(lower)
        self._lessons.keep(lower)


def _blank(num: int, side_px: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return grey crops under a full mask: x, mask, target."""
    grey = torch.full((num, 9, side_px, side_px), 0.5, device=device)
    return grey[:, :6], torch.ones_like(grey[:, :1]), grey[:, 6:]


def _sizes(total: int, size: int) -> list[int]:
    return [min(size, total - start) for start in range(0, total, size)]
