"""A worker's next chunk needs networks that are away: they come while its segment is still being fetched."""

from __future__ import annotations

import dataclasses
import threading

import av
import pytest

from broker.clock import SystemClock
from broker.config import BrokerConfig
from broker.connect import memory_broker
from broker.framing import read_segment
from broker.messages import ChunkFailed, ChunkRendered, FuseSpec, RenderChunk
from broker.segments import SegmentName
from farm.modelstore.arrival import Introduction, add
from tests.farm.simulation import Mailbox
from tests.workers.face.moving import HOPPER, moving_picture
from tests.workers.identity.test_alternating import WEIGHTS_BYTES, heavy
from tests.workers.identity.tiny import recogniser
from tests.workers.segments import FFV1, clip, segment
from workers.config import STUCK_S, WorkerConfig
from workers.engine.budget import this_residency
from workers.keeper import Keeper, first_beat
from workers.segment_io import read_parts
from workers.sources import portrait_name
from workers.stuck import Patience
from workers.worker import Worker

NUM_FRAMES = 3
PATIENCE_S = 60


class Slow:
    """The segment store of a worker far away: a chunk's input comes when `until` says so."""

    def __init__(self, store, until):
        self._store = store
        self.until = until
        self.is_slow = False
        self.waited = 0

    def get(self, name, number):
        if self.is_slow and name.kind == "in":
            for _ in range(PATIENCE_S * 100):
                if self.until():
                    break
                threading.Event().wait(0.01)
            else:
                raise AssertionError("what the chunk needs did not come before the chunk")
            self.waited += 1
        return self._store.get(name, number)

    def __getattr__(self, name):
        return getattr(self._store, name)


@pytest.fixture
def models(store, tmp_path, monkeypatch):
    """Install two networks."""
    monkeypatch.setenv("FARM_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("FARM_WORKER_GPU_MEMORY_LIMIT", "2")
    add(store, recogniser(tmp_path / "w600k_r50.onnx"), Introduction(name="r", contract="arcface"))
    for seed, name in enumerate(("one", "two")):
        heavy(tmp_path / f"{name}.onnx", seed)
        add(store, tmp_path / f"{name}.onnx", Introduction(name=name, contract="hyperswap"))
    this_residency.cache_clear()
    yield store
    this_residency.cache_clear()


def small(monkeypatch):
    """Give the next worker the memory of one; a process's first session, which brings more, is over."""
    monkeypatch.setenv("FARM_WORKER_GPU_MEMORY_LIMIT", f"{1.9 * WEIGHTS_BYTES / 1e9:.4f}")
    this_residency.cache_clear()


@pytest.fixture
def segments():
    packets, stream = clip([_frame(index) for index in range(NUM_FRAMES)])
    return segment(packets, stream)


def _frame(index):
    return av.VideoFrame.from_ndarray(moving_picture(index), format="rgb24").reformat(format="yuv420p")


class Bench:
    """A worker, and what is around it."""

    def __init__(self, data: bytes) -> None:
        clock = SystemClock()
        # Nobody renews leases here, and a loaded machine takes its time to open a network.
        broker = memory_broker(BrokerConfig(lease_ttl_s=600), clock)
        self.slow = Slow(broker.segments, lambda: True)
        self.broker = dataclasses.replace(broker, segments=self.slow)
        self.data = data
        keeper = Keeper(self.broker, first_beat("w", "cpu", "1"), Patience(STUCK_S))
        self.worker = Worker(
            WorkerConfig(name="w", threads=1), self.broker, Mailbox(), keeper, clock, leave=print
        )
        self.num = 0

    def render(self, engine: str) -> ChunkRendered | ChunkFailed:
        """Offer a chunk of a job of this engine; return what the farm gets to know."""
        job, index = f"job-{engine}", self.num
        self.num += 1
        if not self.broker.segments.num_parts(portrait_name(job, 0)):
            self._put(portrait_name(job, 0), HOPPER.read_bytes())
        self._put(SegmentName(job_id=job, index=index, kind="in", attempt=1), self.data)
        self.broker.leases.offer(job, index, 1)
        self.worker.render_chunk(
            RenderChunk(
                job_id=job,
                index=index,
                attempt=1,
                start=0,
                end=NUM_FRAMES,
                fuse=FuseSpec(engine=engine),
                encode=FFV1,
            )
        )
        return self.broker.leases.results(job)[index]

    def output(self, result: ChunkRendered) -> list[bytes]:
        name = SegmentName(job_id=result.job_id, index=result.index, kind="out", attempt=1)
        _, packets = read_segment(read_parts(self.broker.segments, name))
        return [bytes(packet.data) for packet in packets]

    def _put(self, name, data):
        self.broker.segments.append(name, 0, data, limit_bytes=2**30)


def test_networks_are_there_before_the_chunk_is(models, segments, monkeypatch):
    """By turns, in the memory of one: each is there while its chunk's bytes are still on their way."""
    large = Bench(segments)
    expected = {name: large.output(large.render(name)) for name in ("one", "two")}
    small(monkeypatch)
    bench = Bench(segments)
    for name in ("one", "two"):
        assert bench.output(bench.render(name)) == expected[name]
    residency, bench.slow.is_slow = this_residency(), True
    for name in ("one", "two", "one"):
        assert name not in residency.resident
        bench.slow.until = lambda name=name: name in residency.resident
        assert bench.output(bench.render(name)) == expected[name]
        assert residency.resident_bytes <= residency.room_bytes
    assert bench.slow.waited >= 3
    assert not any(thread.name == "prefetch" for thread in threading.enumerate())


def test_a_network_that_does_not_come_fails_its_chunk_as_ever(models, segments, tmp_path, monkeypatch):
    """The file is gone by then: the chunk's own error, and chunks of another job are rendered."""
    Bench(segments).render("one")
    small(monkeypatch)
    bench = Bench(segments)
    for name in ("one", "two"):
        assert isinstance(bench.render(name), ChunkRendered)
    path = next(iter(tmp_path.rglob("models/**/one.onnx")))
    hidden = path.rename(path.with_suffix(".away"))
    failed = bench.render("one")
    assert isinstance(failed, ChunkFailed)
    assert (failed.code, "one" in failed.message) == ("model-unusable", True)
    assert isinstance(bench.render("two"), ChunkRendered)
    hidden.rename(path)
    assert isinstance(bench.render("one"), ChunkRendered)
