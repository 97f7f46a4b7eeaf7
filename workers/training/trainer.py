"""The training loop: one step at a time, until its time is spent."""

from __future__ import annotations

import math

import torch

from broker.clock import Clock
from workers.models.unet import FusionConfig, FusionUNet
from workers.training.batches import settle_loss, to_batch
from workers.training.pool import Pool
from workers.training.settings import Settings

_CLIP = 1.0  # of the gradient's norm: an odd batch must not throw the network off
_WEIGHT_DECAY = 1e-4


class Trainer:
    """Trains a network on a pool. `step` and `spent_s` say how far it has come."""

    def __init__(self, config: FusionConfig, pool: Pool, settings: Settings, clock: Clock) -> None:
        torch.manual_seed(settings.seed)
        self.network = FusionUNet(config)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), settings.learning_rate)
        for group in self.optimizer.param_groups:
            group["weight_decay"] = _WEIGHT_DECAY
        self.pool, self.settings, self.step, self.spent_s = pool, settings, 0, 0.0
        self._clock = clock

    @property
    def is_done(self) -> bool:
        """Whether the time is spent."""
        return self.progress >= 1.0

    @property
    def progress(self) -> float:
        """The share of the time that is spent, 0..1 and a little above."""
        return self.spent_s / (self.settings.minutes * 60.0)

    def advance(self) -> float:
        """Take one step and return its loss."""
        started_s = self._clock.now_s()
        self._set_learning_rate()
        self.network.train()
        batch = to_batch(self.pool.pairs(self.step, self.settings.batch_size))
        loss = settle_loss(self.network(batch.x, batch.mask, batch.target), batch)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self.optimizer.step()
        self.step += 1
        self.spent_s += self._clock.now_s() - started_s
        return loss.item()

    def _set_learning_rate(self) -> None:
        """Warm up, then fall along half a cosine."""
        warm = min(1.0, (self.step + 1) / self.settings.warm_up_steps)
        fall = 0.5 * (1.0 + math.cos(math.pi * min(1.0, self.progress)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * warm * fall
