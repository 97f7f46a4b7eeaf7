"""Crops from several threads go through together, and nobody can tell."""

import threading

import pytest
import torch

from tests.workers.engine.crops import crops, network
from workers.engine.batcher import Batcher
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point

LONG_S = 30.0


@pytest.fixture
def engine():
    return FusionEngine(network(), torch.device("cpu"), first=Point(batch=4))


def test_crops_of_many_threads_share_passes_and_keep_their_bits(engine):
    picture, answers = crops(8, 64), {}
    alone = engine(*picture)
    with Batcher(engine, size=4, wait_s=LONG_S) as batcher:

        def fuse(index):
            answers[index] = batcher.submit(*(tensor[index : index + 1] for tensor in picture)).result(LONG_S)

        threads = [threading.Thread(target=fuse, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (batcher.num_passes, batcher.num_crops) == (2, 8)
    assert all(torch.equal(answers[index][0], alone[index]) for index in range(8))


def test_a_lonely_crop_waits_no_longer_than_it_was_told(engine):
    """It would wait for three others for ever."""
    with Batcher(engine, size=4, wait_s=0.01) as batcher:
        assert batcher.submit(*crops(1, 64)).result(LONG_S).shape == (1, 3, 64, 64)


def test_sizes_do_not_mix(engine):
    with Batcher(engine, size=2, wait_s=LONG_S) as batcher:
        answers = [batcher.submit(*crops(1, side_px)) for side_px in (64, 80)]
        assert [answer.result(LONG_S).shape[-1] for answer in answers] == [64, 80]
    assert batcher.num_passes == 2


def test_an_error_reaches_whoever_asked_and_the_next_is_served(engine):
    x, mask, target = crops(1, 64)
    with Batcher(engine, size=1) as batcher:
        bad = batcher.submit(x[:, :2], mask, target)
        with pytest.raises(RuntimeError):
            bad.result(LONG_S)
        assert batcher.submit(x, mask, target).result(LONG_S).shape == (1, 3, 64, 64)


def test_leaving_answers_what_was_submitted(engine):
    with Batcher(engine, size=4, wait_s=LONG_S) as batcher:
        answers = [batcher.submit(*crops(1, 64)) for _ in range(3)]
    assert all(answer.done() for answer in answers)
