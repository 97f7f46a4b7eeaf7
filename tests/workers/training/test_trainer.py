"""Training learns, can be taken up again, and stops when its time is spent."""

import pytest
import torch

from broker.clock import SystemClock
from workers.models.unet import FusionConfig
from workers.training.batches import settle_loss, to_batch
from workers.training.checkpoint import load_checkpoint, save_checkpoint
from workers.training.pool import draw_pool
from workers.training.settings import Settings
from workers.training.trainer import Trainer

TINY = FusionConfig(width=4, depth=5)
SETTINGS = Settings(minutes=5, seed=2, size_px=64, batch_size=6, warm_up_steps=5)


class StepClock:
    """Every look at it lets one minute pass."""

    def __init__(self):
        self._now_s = 0.0

    def now_s(self):
        self._now_s += 60.0
        return self._now_s

    def sleep(self, seconds):
        self._now_s += seconds


@pytest.fixture(scope="module")
def pool():
    return draw_pool(seed=2, count=4, size_px=64)


def loss_of(trainer, pairs):
    batch = to_batch(pairs)
    with torch.inference_mode():
        return float(settle_loss(trainer.network.eval()(batch.x, batch.mask, batch.target), batch))


def test_a_short_training_settles_faces_better_than_leaving_them(pool):
    trainer = Trainer(TINY, pool, SETTINGS, SystemClock())
    exercises = pool.pairs(10_000, 24)
    untrained = loss_of(trainer, exercises)
    for _ in range(60):
        trainer.advance()
    assert loss_of(trainer, exercises) < 0.85 * untrained


def test_a_training_taken_up_again_goes_on_as_if_undisturbed(pool, tmp_path):
    straight = Trainer(TINY, pool, SETTINGS, StepClock())
    losses = [straight.advance() for _ in range(4)]
    first = Trainer(TINY, pool, SETTINGS, StepClock())
    first.advance(), first.advance()
    save_checkpoint(first, tmp_path / "state.pt")
    second = Trainer(TINY, pool, SETTINGS, StepClock())
    load_checkpoint(second, tmp_path / "state.pt")
    assert [second.advance() for _ in range(2)] == losses[2:]
    for name, tensor in straight.network.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], tensor)


def test_a_checkpoint_of_another_seed_is_refused(pool, tmp_path):
    save_checkpoint(Trainer(TINY, pool, SETTINGS, StepClock()), tmp_path / "state.pt")
    other = Trainer(TINY, pool, Settings(seed=3), StepClock())
    with pytest.raises(ValueError, match="seed 2"):
        load_checkpoint(other, tmp_path / "state.pt")


def test_training_ends_when_its_time_is_spent(pool):
    trainer = Trainer(TINY, pool, SETTINGS, StepClock())
    while not trainer.is_done:
        trainer.advance()
    assert trainer.step == 5
