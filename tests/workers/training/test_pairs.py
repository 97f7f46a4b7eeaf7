"""Exercises have a known answer, and give it away to nobody."""

import numpy as np
import pytest
import torch

from workers.training.batches import settle_loss, to_batch
from workers.training.pairs import crossed, draw_trio, mirrored, self_blended
from workers.training.pool import Pool, draw_pool
from workers.training.rivals import composite, leave, match_inner, match_ring, poisson
from workers.training.scores import score


@pytest.fixture(scope="module")
def pool() -> Pool:
    return draw_pool(seed=9, count=3, size_px=64)


def test_a_step_always_has_the_same_exercises(pool):
    again = draw_pool(seed=9, count=3, size_px=64)
    for one, other in zip(pool.pairs(4, 6), again.pairs(4, 6), strict=True):
        assert np.array_equal(one.source, other.source)
        assert np.array_equal(one.mask, other.mask)


def test_steps_have_different_exercises(pool):
    assert not np.array_equal(pool.pairs(1, 1)[0].source, pool.pairs(2, 1)[0].source)


def test_the_answer_of_a_self_blended_pair_is_the_picture_itself(pool):
    trio = pool.trios[0]
    pair = self_blended(trio.target, trio.pose, np.random.default_rng(0))
    assert np.array_equal(pair.truth, trio.target)
    assert not np.array_equal(pair.source, trio.target)


def test_the_answer_of_a_crossed_pair_is_the_other_person(pool):
    trio = draw_trio(np.random.default_rng(2), 64)
    pair = crossed(trio, np.random.default_rng(0))
    inside = pair.mask > 0.5
    assert np.array_equal(pair.truth, trio.truth)
    assert np.abs(pair.truth[inside] - pair.target[inside]).mean() > 0.01


def test_a_batch_equals_its_target_outside_the_mask(pool):
    batch = to_batch(pool.pairs(0, 4))
    outside = (batch.mask == 0).expand_as(batch.target)
    assert torch.equal(batch.truth[outside], batch.target[outside])
    assert torch.equal(batch.x[:, :3][outside], batch.target[outside])


def test_the_loss_is_zero_for_the_answer_only(pool):
    batch = to_batch(pool.pairs(0, 4))
    plain = batch.mask * batch.x[:, 3:] + (1 - batch.mask) * batch.target
    assert settle_loss(batch.truth, batch) == 0
    assert settle_loss(plain, batch) > 0.01


def test_a_mirror_turns_every_part(pool):
    pair = pool.pairs(0, 1)[0]
    twice = mirrored(mirrored(pair))
    assert np.array_equal(mirrored(pair).mask, pair.mask[:, ::-1])
    assert np.array_equal(twice.source, pair.source)


@pytest.mark.parametrize("way", [leave, match_ring, match_inner, poisson])
def test_every_rival_leaves_the_outside_alone(pool, way):
    pair = pool.pairs(3, 1)[0]
    outside = pair.mask == 0
    assert np.array_equal(way(pair)[outside], pair.target[outside])


def test_a_colour_match_to_the_face_undoes_a_recolouring(pool):
    """The rivals are worth beating: this one is far better than nothing where the person is the same."""
    trio = pool.trios[1]
    pair = self_blended(trio.target, trio.pose, np.random.default_rng(5))
    answer = composite(pair.truth, pair)
    before, after = (score(way(pair), answer, pair.mask) for way in (leave, match_inner))
    assert after.mse < 0.5 * before.mse


def test_a_perfect_answer_scores_zero(pool):
    pair = pool.pairs(0, 1)[0]
    found = score(pair.truth, pair.truth, pair.mask)
    assert (found.mse, found.delta_e, found.cast) == (0, 0, 0)


def test_a_tint_shows_in_the_cast_and_in_the_mean_square():
    grey, mask = np.full((32, 32, 3), 0.5, np.float32), np.ones((32, 32), np.float32)
    found = score(grey + np.array([0.1, 0, 0], np.float32), grey, mask)
    assert found.mse == pytest.approx(25.5**2 / 3, rel=1e-3)
    assert found.cast > 3
