"""Faces restored and frames enlarged by a real farm: sizes, frames and pixels, whatever the chunks."""

from __future__ import annotations

import json
import subprocess

import av
import numpy as np
import pytest

from bench.clips import SOURCE
from bench.farm_process import running_farm
from broker.installed import ModelStore
from tests.workers.stages.tiny import install

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    directory = tmp_path_factory.mktemp("stages")
    store = ModelStore(directory / "models")
    for contract in ("gfpgan", "codeformer", "esrgan-x2"):
        install(store, directory, contract)
    return store


@pytest.fixture(scope="module")
def farm(tmp_path_factory, store):
    """A farm whose workers have the tiny networks."""
    home = tmp_path_factory.mktemp("farm")
    with running_farm(home, "--workers", "2", timeout_s=120, FARM_MODELS=str(store.directory)) as running:
        yield running


@pytest.fixture(scope="module")
def fused(farm, portrait_video, tmp_path_factory):
    """The video with the face fused, and nothing else done."""
    return rendered(farm, portrait_video, tmp_path_factory.mktemp("fused") / "fused.mov")[0]


def rendered(farm, video, output, *wish):
    told = farm.render(
        *(str(video), "--source", str(SOURCE), "--lossless", "-o", str(output)), *map(str, wish)
    )
    with av.open(str(output)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)], told


def judged(path):
    shown = ("-show_entries", "stream=width,height,nb_read_frames", "-of", "json", path)
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", *shown],
        capture_output=True,
        check=True,
    )
    return {name: int(value) for name, value in json.loads(told.stdout)["streams"][0].items()}


def test_faces_are_restored_by_the_weight_and_nothing_else_changes(
    farm, store, portrait_video, fused, tmp_path
):
    """The stand-in tints faces: half as much at half the weight, and the rest is as it was."""
    tints = []
    for weight in ("1", "0.5"):
        frames, told = rendered(
            *(farm, portrait_video, tmp_path / f"{weight}.mov", "--restore", "tiny-gfpgan"),
            *("--restore-weight", weight, "--chunk-seconds", "0.5"),
        )
        assert told["models"]["tiny-gfpgan"] == store.models()["tiny-gfpgan"].digest
        assert len(frames) == len(fused) == 50 and told["frames_fused"] == 50
        changes = [now - before for now, before in zip(frames, fused, strict=True)]
        for change in changes:
            seen = np.abs(change).max(axis=2) > 8
            assert 0.005 < seen.mean() < 0.3
            assert not seen[:8].any() and not seen[:, :8].any()
        tints.append(np.mean([change[..., 0].sum() - change[..., 2].sum() for change in changes]))
    assert tints[0] > 0 and abs(tints[1] / tints[0] - 0.5) < 0.1


def test_a_fidelity_of_one_leaves_what_was_fused(farm, portrait_video, fused, tmp_path):
    wish = ("--restore", "tiny-codeformer", "--restore-weight", 1, "--restore-fidelity", 1)
    frames, _ = rendered(farm, portrait_video, tmp_path / "same.mov", *wish)
    assert all(np.array_equal(a, b) for a, b in zip(frames, fused, strict=True))


def test_frames_are_enlarged_and_chunks_cannot_be_seen(farm, store, portrait_video, fused, tmp_path):
    """Twice the size, the same frames, in larger pixels, since the stand-in repeats them."""
    found = []
    for seconds in ("60", "0.3"):
        output = tmp_path / f"{seconds}.mov"
        frames, told = rendered(
            farm, portrait_video, output, "--upscale", "tiny-esrgan-x2", "--chunk-seconds", seconds
        )
        assert told["models"]["tiny-esrgan-x2"] == store.models()["tiny-esrgan-x2"].digest
        assert judged(output) == {"width": 1280, "height": 720, "nb_read_frames": 50}
        found.append(frames)
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
    for large, small in zip(found[0], fused, strict=True):
        shrunk = large.reshape(360, 2, 640, 2, 3).mean(axis=(1, 3))
        assert np.abs(shrunk - small).mean() < 3


def test_restored_faces_are_enlarged_and_outputs_are_planned_by_the_new_size(farm, portrait_video, tmp_path):
    """H.264 by the workers, a smaller copy by a second encode, both of the enlarged frames."""
    master, small = tmp_path / "master.mp4", tmp_path / "small.mp4"
    wish = ("--restore", "tiny-gfpgan", "--upscale", "tiny-esrgan-x2", "--to", f"{master}:h264")
    told = farm.render(
        *(str(portrait_video), "--source", str(SOURCE), *wish, "-o", str(small), "--resize", "480")
    )
    assert told["frames_fused"] == 50
    assert judged(master) == {"width": 1280, "height": 720, "nb_read_frames": 50}
    assert judged(small)["height"] == 480 and judged(small)["nb_read_frames"] == 50


def test_a_stage_that_is_not_installed_stops_the_job_before_it_renders(farm, portrait_video, tmp_path):
    for wish in (("--restore", "gfpgan_1.4"), ("--upscale", "real_esrgan_x2")):
        answer = farm.command(
            *("render", str(portrait_video), "--source", str(SOURCE), *wish),
            *("-o", str(tmp_path / "no.mp4"), "--json"),
            check=False,
        )
        told = json.loads(answer.stdout)
        assert answer.returncode == 2 and told["error"]["code"] == "model-missing"
        assert f"farm models pull {wish[1]}" in told["error"]["message"]
        assert not (tmp_path / "no.mp4").exists()
