"""`farm models`, as a process."""

from __future__ import annotations

import json

import pytest

from broker.installed import ModelStore
from farm.demo import make_clip
from tests.farm.modelstore.conftest import onnx_bytes
from tests.workers.face.moving import COLLINS as PORTRAIT
from tests.workers.face.moving import HOPPER as OTHER
from tests.workers.identity.tiny import install


@pytest.fixture
def environment(environment, tmp_path):
    return {**environment, "FARM_MODELS": str(tmp_path / "models")}


def test_a_model_is_added_listed_verified_and_removed(farm, tmp_path):
    weights = tmp_path / "mine.onnx"
    weights.write_bytes(onnx_bytes())
    added = farm("models", "add", weights, "--contract", "inswapper", "--licence", "my own", "--json")
    assert added.returncode == 0, added.stderr
    told = json.loads(added.stdout)
    assert told["licence"] == "my own" and len(told["digest"]) == 64
    listed = json.loads(farm("models", "list", "--json").stdout)
    assert [model["name"] for model in listed["installed"]] == ["mine"]
    assert "inswapper_128" in {model["name"] for model in listed["known"]}
    assert farm("models", "verify").stdout == "mine: ok\n"
    (tmp_path / "models" / "mine" / "mine.onnx").write_bytes(onnx_bytes(seed=1))
    spoiled = farm("models", "verify", "mine")
    assert spoiled.returncode == 1 and "mine.onnx" in spoiled.stdout
    assert farm("models", "remove", "mine").returncode == 0
    assert not (tmp_path / "models" / "mine").exists()


def test_terms_are_told_before_anything_is_downloaded(farm):
    refused = farm("models", "pull", "blendswap_256")
    assert refused.returncode == 2
    assert "Non-commercial" in refused.stderr and "--accept-licence" in refused.stderr


def test_a_job_that_asks_for_a_missing_model_is_refused_at_once_with_the_command(farm, clip, tmp_path, home):
    for wish in (("--engine", "hyperswap_1a_256"), ("--analyser", "buffalo_l")):
        refused = farm("render", clip, "-s", PORTRAIT, "--private", "-o", tmp_path / "o.mp4", *wish, "--json")
        assert refused.returncode == 2
        error = json.loads(refused.stdout)["error"]
        assert error["code"] == "model-missing"
        assert f"farm models pull {wish[1]} --accept-licence" in error["hint"]
        assert list(home.iterdir()) == [], "no farm was started"


@pytest.mark.needs_redis
@pytest.mark.needs_ffmpeg
def test_an_installed_network_renders_and_the_job_records_its_digests(farm, clip, tmp_path):
    """Real processes: the engine is the model's name; the result holds what the registry has."""
    store = ModelStore(tmp_path / "models")
    name = install(store, tmp_path, "inswapper")
    output = tmp_path / "swapped.mkv"
    wish = ("--engine", name, "--pixel-boost", "2", "--lossless", "-o", output, "--json")
    done = farm("render", clip, "-s", PORTRAIT, "--private", "--gpus", "none", *wish)
    assert done.returncode == 0, done.stderr
    models = json.loads(done.stdout)["models"]
    assert models == {each: model.digest for each, model in store.models().items()}
    assert output.exists()


def test_a_directory_of_portraits_is_for_swap_networks(farm, clip, tmp_path):
    portraits = tmp_path / "portraits"
    portraits.mkdir()
    nothing = farm("render", clip, "-s", portraits, "--engine", "own-net", "-o", tmp_path / "o.mp4")
    assert nothing.returncode == 2 and "holds 0 files" in nothing.stderr
    (portraits / "a.jpg").write_bytes(PORTRAIT.read_bytes())
    (portraits / "b.jpg").write_bytes(OTHER.read_bytes())
    refused = farm("render", clip, "-s", portraits, "-o", tmp_path / "o.mp4")
    assert refused.returncode == 2 and "choose a swap network" in refused.stderr


@pytest.mark.needs_redis
@pytest.mark.needs_ffmpeg
def test_several_portraits_reach_the_workers(farm, tmp_path):
    """The frame differs from what one of them alone gives."""
    store = ModelStore(tmp_path / "models")
    name = install(store, tmp_path, "inswapper")
    film = tmp_path / "film.mp4"
    make_clip(PORTRAIT, film)
    portraits = tmp_path / "portraits"
    portraits.mkdir()
    for path in (PORTRAIT, OTHER):
        (portraits / path.name).write_bytes(path.read_bytes())
    looks = []
    for source in (portraits, PORTRAIT):
        look = tmp_path / f"{source.name}.png"
        wish = ("--engine", name, "-s", source, "--private", "--gpus", "none", "--json", "-o", look)
        done = farm("preview", film, "--at", "2", *wish)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["frames_fused"] == 1
        looks.append(look.read_bytes())
    assert looks[0] != looks[1]


@pytest.mark.needs_redis
def test_a_worker_without_the_model_refuses_the_job_before_it_renders(farm, clip, tmp_path):
    wish = ("--engine", "nobodys", "-o", tmp_path / "o.mp4", "--json")
    refused = farm("render", clip, "-s", PORTRAIT, "--private", "--gpus", "none", *wish)
    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert error["code"] == "unknown-engine" and "farm models pull nobodys" in error["message"]


def test_a_boost_for_an_engine_of_the_farms_own_is_refused(farm, clip, tmp_path):
    refused = farm("render", clip, "-s", PORTRAIT, "--pixel-boost", "2", "-o", tmp_path / "o.mp4")
    assert refused.returncode == 2 and "--pixel-boost" in refused.stderr
