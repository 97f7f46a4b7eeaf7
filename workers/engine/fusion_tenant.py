"""The fusion engine as one of several that share a worker's memory."""

from __future__ import annotations

from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.engine.tenants import TorchTenant


class FusionTenant:
    """A fusion engine as `Residency` moves it: its graphs are dropped as it leaves, and captured anew.

    It measures itself as it arrives for the first time, with all the memory that nobody else is using.
    Without a budget there is nothing to fit into, and it is left to `FusionEngine.warm`.
    """

    def __init__(self, engine: FusionEngine) -> None:
        self.engine = engine
        self._is_measured = False
        self._weights: TorchTenant | None = None
        self._left_at: Point | None = None

    @property
    def size_bytes(self) -> int | None:
        """What it takes, as its plan has it; in managed memory the driver sees to the weights."""
        need = self.engine.plan.need
        weights_bytes = 0 if self.engine.is_managed else need.weights_bytes
        return weights_bytes + need.graphs_bytes + need.batch_bytes or None

    def arrive(self) -> None:
        """See `Tenant`.

        Raises:
            BudgetTooSmall: it does not fit, even at the foot of its ladder.
        """
        if self._weights is not None:
            self._weights.arrive()
            self._weights.settle()
            self.engine.capture()
        elif not self._is_measured and self.engine.plan.limit_bytes is not None:
            self.engine.warm()
            self._is_measured = True

    def settle(self) -> None:
        """Do nothing: it is there."""

    def leave(self) -> None:
        """See `Tenant`. Weights that were cast to another precision meanwhile are copied anew."""
        self.engine.drop_graphs()
        if self.engine.is_managed:
            return
        if self._weights is None or self._left_at != self.engine.plan.point:
            self._weights = TorchTenant(self.engine.network, self.engine.device, self.engine.meter)
            self._left_at = self.engine.plan.point
        else:
            self._weights.leave()
