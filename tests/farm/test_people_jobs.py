"""Jobs that look for people first, on a simulated farm: real detector, real chunks, faults at any moment."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import av
import numpy as np
import pytest
import sqlalchemy
import torch
from sqlalchemy.orm import Session

import workers.engines
from broker.messages import LOOK, RENDER, RenderChunk
from farm import looking
from farm.errors import BadInput
from farm.states import JobState
from farm.steering.pause import pause, resume
from tests.people_clips import COLLINS, HOPPER, apart, two_people
from workers.people import open_looker
from workers.swappers import open_swapper

NUM_FRAMES = 18


@pytest.fixture(autouse=True)
def _kept_engines(monkeypatch):
    """Open each engine once: simulated workers are made anew for every message."""
    torch.set_num_threads(1)
    monkeypatch.setattr(workers.engines, "open_swapper", _open_swapper)
    monkeypatch.setattr(workers.engines, "open_looker", _open_looker)


@functools.cache
def _opened(name):
    return open_swapper(name)


def _open_swapper(name, others=None):
    return _opened(name)


@functools.cache
def _open_looker():
    return open_looker()


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return two_people(tmp_path_factory.mktemp("people") / "two.mp4", NUM_FRAMES, apart(NUM_FRAMES), gop=5)


@pytest.fixture
def asked(clip, tmp_path):
    """Return a request: Collins, on the left, is to get Hopper's face, and the other way round."""
    return {
        "input": str(clip),
        "output": str(tmp_path / "out.mov"),
        "lossless": True,
        "map": [{"whom": "at:0", "source": str(HOPPER)}, {"whom": "at:1", "source": str(COLLINS)}],
        "chunk_seconds": 0.3,
    }


def frames(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def is_chunk(message, work) -> bool:
    return isinstance(message, RenderChunk) and message.work == work


def until(simulation, job_id, work, limit=200):
    """Advance and deliver until a chunk of this kind waits; return its place in the mailbox."""
    for _ in range(limit):
        simulation.advance(job_id)
        for place, message in enumerate(simulation.mailbox.messages):
            if is_chunk(message, work):
                return place
        if simulation.mailbox.messages:
            simulation.deliver()
        else:
            simulation.clock.sleep(3.0)
    raise AssertionError(simulation.job(job_id).state)


def test_a_gallery(simulation, clip, tmp_path):
    """Two people, each with a picture and all frames; the same files for any chunks."""
    found = []
    for seconds in (5.0, 0.3):
        output = tmp_path / f"who-{seconds}"
        asked = {"input": str(clip), "output": str(output), "work": "faces", "chunk_seconds": seconds}
        job = simulation.run(simulation.submit(**asked))
        assert (job.state, job.error_message) == (JobState.DONE, None)
        assert any("No recogniser is installed" in note for note in job.notes)
        simulation.advance(job.id)
        assert simulation.is_clean(job.id)
        body = json.loads((output / "gallery.json").read_text())
        assert [person["frames"] for person in body["people"]] == [NUM_FRAMES, NUM_FRAMES]
        assert "<img" in (output / "index.html").read_text()
        body.pop("job")
        found.append(
            (body, {path.name: path.read_bytes() for path in output.iterdir() if path.name != "gallery.json"})
        )
    assert found[0] == found[1]
    with pytest.raises(BadInput, match="already there"):
        simulation.submit(**asked)


def test_a_worker_dies_while_it_looks(simulation, asked):
    """The chunk is looked through by another; the output is that of an undisturbed job."""
    job_id = simulation.submit(**asked)
    simulation.die_in(until(simulation, job_id, LOOK))
    job = simulation.run(job_id)
    assert job.state == JobState.DONE
    calm = simulation.run(simulation.submit(**{**asked, "output": asked["output"].replace("out", "calm")}))
    assert all(map(np.array_equal, frames(job.output_path), frames(calm.output_path)))


def test_a_late_message_of_the_first_pass_is_refused(simulation, asked):
    """It must not take the second pass's attempt: what it would leave is no video."""
    job_id = simulation.submit(**asked)
    late = simulation.mailbox.messages[until(simulation, job_id, LOOK)]
    until(simulation, job_id, RENDER)
    simulation.mailbox.messages.insert(0, late)
    simulation.deliver()
    assert late.index not in simulation.broker.leases.results(job_id)
    assert simulation.run(job_id).state == JobState.DONE


def test_a_pause_between_the_passes(simulation, asked):
    """What is known of the people is kept; nobody is looked for again."""
    job_id = simulation.submit(**asked)
    until(simulation, job_id, RENDER)
    pause(simulation.farm, job_id)
    simulation.advance(job_id)
    assert simulation.holds_nothing_in_redis(job_id)
    simulation.mailbox.messages.clear()
    resume(simulation.farm, job_id)
    assert until(simulation, job_id, RENDER) == 0
    assert simulation.run(job_id).state == JobState.DONE


class Death(BaseException):
    """Ends the reconciler, as a kill would."""


@pytest.fixture
def doom(monkeypatch):
    """Return a list: its number says after how many commits the reconciler dies, the people known."""
    left: list[int] = []
    plan_render, is_counting = looking._plan_render, []

    def planning(*arguments) -> None:
        is_counting.append(True)
        plan_render(*arguments)

    def count(_: object) -> None:
        if is_counting and left:
            left[0] -= 1
            if left[0] == 0:
                left.clear()
                raise Death

    monkeypatch.setattr(looking, "_plan_render", planning)
    sqlalchemy.event.listen(Session, "after_commit", count)
    yield left
    sqlalchemy.event.remove(Session, "after_commit", count)


@pytest.mark.parametrize("num_commits", [1, 2, 3])
def test_the_reconciler_dies_between_the_passes(simulation, asked, clip, doom, num_commits):
    """After any of its commits: no chunk is lost, and all are rendered."""
    gallery = str(Path(asked["output"]).parent / "who")
    simulation.run(simulation.submit(input=str(clip), output=gallery, work="faces"))
    doom.append(num_commits)
    job_id = simulation.submit(**asked, gallery=gallery)
    with pytest.raises(Death):
        until(simulation, job_id, RENDER)
    until(simulation, job_id, RENDER)
    chunks = simulation.farm.store.chunks(job_id)
    assert simulation.job(job_id).num_chunks == len(chunks) == 3
    assert [chunk.start for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]
    assert chunks[-1].end == NUM_FRAMES


def test_nobody_is_there(simulation, asked):
    """Bad input, with what is there; nothing is rendered, and nothing is left."""
    job = simulation.run(simulation.submit(**{**asked, "map": [{"whom": "7", "source": str(HOPPER)}]}))
    assert (job.state, job.error_code) == (JobState.FAILED, "person-not-found")
    assert "the input has 2" in job.error_message
    simulation.advance(job.id)
    assert simulation.is_clean(job.id)


def test_a_reference_needs_a_recogniser(simulation, asked):
    """None is installed here: refused before anything is looked at, with the command that installs one."""
    asked.pop("map")
    job = simulation.run(simulation.submit(**asked, reference=str(COLLINS), source=str(HOPPER)))
    assert (job.state, job.error_code) == (JobState.FAILED, "model-missing")
    assert "farm models pull buffalo_l" in job.error_message
    assert job.num_attempts == 0


def test_numbers_are_of_the_whole_video(simulation, asked):
    asked["map"] = [{"whom": "1", "source": str(HOPPER)}]
    with pytest.raises(BadInput, match="numbered in the whole video"):
        simulation.submit(**asked, start="4f")


def test_a_gallery_saves_the_first_pass(simulation, asked, clip, tmp_path):
    """And its numbers hold in a part of the video, too. A gallery of another video is refused."""
    who = {"input": str(clip), "output": str(tmp_path / "who"), "work": "faces"}
    simulation.run(simulation.submit(**who))
    part = {**asked, "map": [{"whom": "2", "source": str(COLLINS)}], "gallery": who["output"], "start": "9f"}
    job_id = simulation.submit(**part)
    until(simulation, job_id, RENDER)
    assert not any(is_chunk(message, LOOK) for message in simulation.mailbox.messages)
    job = simulation.run(job_id)
    assert (job.state, job.frames_fused) == (JobState.DONE, NUM_FRAMES - 9)
    other = two_people(tmp_path / "other.mp4", NUM_FRAMES + 1, apart(NUM_FRAMES))
    job = simulation.run(
        simulation.submit(**{**part, "input": str(other), "output": str(tmp_path / "other.mov")})
    )
    assert job.error_code == "gallery-refused"
