"""A disk that is really full, a tmpfs of a few MiB: the job pauses with the reason, and goes on by itself."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import numpy as np
import pytest

from farm import disk
from farm.errors import FarmError
from farm.states import JobState
from farm.steering.pause import REST_S, pause, resume
from tests.farm.driving import assert_exact
from tests.farm.simulation import Simulation

pytestmark = pytest.mark.needs_ffmpeg

MIB = 2**20


class Disk:
    """A file system of a chosen size. Where none can be mounted, the test cannot be run, and says so."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def fill(self) -> None:
        """Leave no block free."""
        with (self.place / "ballast").open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        assert disk.free_bytes(self.place) == 0

    def free(self) -> None:
        (self.place / "ballast").unlink()


@contextmanager
def mounted(place: Path, size_bytes: int):
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", place]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small file system here")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def small_disk(tmp_path):
    with mounted(tmp_path / "disk", 128 * MIB) as small:
        yield small


def run_until(simulation, job_id: str, condition, limit: int = 100) -> None:
    for _ in range(limit):
        simulation.advance(job_id)
        if condition(simulation.job(job_id)):
            return
        if simulation.mailbox.messages:
            simulation.deliver()
        else:
            simulation.clock.sleep(3.0)
    raise AssertionError(simulation.job(job_id).state)


@pytest.fixture
def spooled(small_disk, tmp_path):
    """A farm whose spool, and database, lie on the small disk."""
    home = small_disk.place / "home"
    home.mkdir()
    disk.tend_spare(home)
    return Simulation(home)


def assert_waits_for_space(simulation, job_id: str, place: Path) -> None:
    job = simulation.job(job_id)
    assert (job.state, job.pause_code, job.error_code) == (JobState.PAUSED, "disk-full", None)
    assert str(place) in job.pause_reason
    assert "MiB free" in job.pause_reason
    simulation.clock.sleep(REST_S + 1)
    simulation.advance(job_id)
    assert simulation.job(job_id).state == JobState.PAUSED
    assert simulation.holds_nothing_in_redis(job_id)


def test_the_spool_is_full(spooled, small_disk, request_, clip):
    """Chunks come back and cannot be kept: the job waits with those it has, and goes on with room."""
    job_id = spooled.submit(**request_)
    run_until(spooled, job_id, lambda job: job.num_rendered == 1)
    small_disk.fill()
    run_until(spooled, job_id, lambda job: job.state == JobState.PAUSED)
    assert_waits_for_space(spooled, job_id, small_disk.place)
    small_disk.free()
    spooled.clock.sleep(REST_S + 1)
    job = spooled.run(job_id)
    assert_exact(job, clip, spooled)
    assert all(chunk.failures == 0 for chunk in spooled.farm.store.chunks(job_id))


def test_a_clock_that_is_set_back_keeps_no_job_paused(spooled, small_disk, request_):
    """There is room again, and the pause began in what is now the future."""
    job_id = spooled.submit(**request_)
    run_until(spooled, job_id, lambda job: job.num_rendered == 1)
    small_disk.fill()
    run_until(spooled, job_id, lambda job: job.state == JobState.PAUSED)
    small_disk.free()
    spooled.farm = dataclasses.replace(spooled.farm, wall=lambda: spooled.clock.now_s() - 3600)
    spooled.advance(job_id)
    assert spooled.job(job_id).state == JobState.RENDERING


def test_the_output_is_full(simulation, small_disk, request_, clip):
    """The final mux meets a full disk: nothing half-written stays, and the stitch is done again later."""
    output = small_disk.place / "out.mov"
    job_id = simulation.submit(**{**request_, "output": str(output)})
    small_disk.fill()
    run_until(simulation, job_id, lambda job: job.state == JobState.PAUSED)
    assert_waits_for_space(simulation, job_id, small_disk.place)
    assert {path.name for path in small_disk.place.iterdir()} == {"ballast"}
    attempts = simulation.job(job_id).num_attempts
    small_disk.free()
    simulation.clock.sleep(REST_S + 1)
    job = simulation.run(job_id)
    assert_exact(job, clip, simulation)
    assert job.num_attempts == attempts


def test_a_user_who_pauses_it_too_must_resume_it(simulation, small_disk, request_, clip):
    """Space alone no longer lets it go on."""
    output = small_disk.place / "out.mov"
    job_id = simulation.submit(**{**request_, "output": str(output)})
    small_disk.fill()
    run_until(simulation, job_id, lambda job: job.state == JobState.PAUSED)
    pause(simulation.farm, job_id)
    small_disk.free()
    simulation.clock.sleep(REST_S + 1)
    simulation.advance(job_id)
    assert simulation.job(job_id).state == JobState.PAUSED
    resume(simulation.farm, job_id)
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_job_is_not_taken_when_its_portrait_cannot_be_kept(spooled, small_disk, request_, tmp_path):
    """The submitter is told why, and no half of a job stays behind."""
    portrait = tmp_path / "face.png"
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)  # PNG cannot make it smaller
    av.VideoFrame.from_ndarray(noise, format="rgb24").to_image().save(portrait)
    small_disk.fill()
    with pytest.raises(FarmError) as caught:
        spooled.submit(**{**request_, "source": str(portrait)})
    assert caught.value.code == "disk-full"
    assert spooled.farm.store.jobs() == []
    assert not list((spooled.farm.config.home / "jobs").glob("*"))


def test_the_spare_file_is_given_up_when_the_disk_is_nearly_full(small_disk):
    """So that the database can take the row that says why; it comes back when there is room."""
    disk.tend_spare(small_disk.place)
    spare = small_disk.place / disk.SPARE_NAME
    assert spare.stat().st_blocks * 512 == disk.SPARE_BYTES
    small_disk.fill()
    disk.tend_spare(small_disk.place)
    assert disk.free_bytes(small_disk.place) == disk.SPARE_BYTES
    small_disk.free()
    disk.tend_spare(small_disk.place)
    assert spare.exists()


def test_free_bytes_are_those_of_the_nearest_directory_there_is(small_disk):
    before = disk.free_bytes(small_disk.place / "not" / "yet")
    (small_disk.place / "file").write_bytes(bytes(MIB))
    assert before - disk.free_bytes(small_disk.place / "not" / "yet") == MIB
