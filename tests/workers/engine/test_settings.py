"""farm.yaml: every key is documented, no key is guessed."""

import pytest
import torch
import yaml

from workers.config import EngineConfig
from workers.engine.ladder import Point
from workers.engine.opening import open_fusion
from workers.engine.precision import Precision
from workers.engine.profile import PROFILES, class_of
from workers.engine.settings import KEYS, manual, read_settings, settings_of
from workers.errors import BadSettings

CPU = torch.device("cpu")


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "farm.yaml"
        path.write_text(text)
        return path

    return write


def test_the_manual_is_a_file_of_all_defaults(write):
    assert read_settings(write(manual())) == read_settings(None) == {key.name: key.default for key in KEYS}
    assert all(key.meaning in manual() for key in KEYS)
    assert yaml.safe_load(manual())["inference"]["batch"] is None


def test_values_are_taken(write):
    settings = read_settings(write("gpu_memory_limit: 6\ninference: {amp_enabled: true}\ncuda_graph:\n"))
    assert settings["gpu_memory_limit"] == 6.0
    assert settings["inference.amp_enabled"] is True
    assert settings["cuda_graph.enabled"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inference: {amp_enable: true}", "'inference.amp_enabled'"),
        ("gpu_memory_limt: 6", "'gpu_memory_limit'"),
        ("profile: huge", "one of auto, entry"),
        ("gpu_memory_limit: plenty", "no number"),
        ("gpu_memory_limit: 0", "at least 0.001"),
        ("inference: {batch: true}", "no whole number"),
        ("inference: {batch: 65}", "at least 1 and at most 64"),
        ("inference: 5", "inference is no list of keys"),
        ("- a", "the file is no list"),
        ("a: [", "farm.yaml"),
    ],
)
def test_what_cannot_be_is_refused_with_the_nearest_or_the_range(write, text, message):
    with pytest.raises(BadSettings, match=message):
        read_settings(write(text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadSettings, match="none"):
        read_settings(tmp_path / "none.yaml")


def test_the_command_line_goes_before_the_file(write):
    path = write("gpu_memory_limit: 6\nprofile: entry\n")
    given = EngineConfig(settings_path=path, gpu_memory_limit_gb=2.5)
    assert settings_of(given)["gpu_memory_limit"] == 2.5
    assert settings_of(given)["profile"] == "entry"
    with pytest.raises(BadSettings, match="one of auto"):
        settings_of(EngineConfig(profile="tiny"))


def test_settings_reach_the_engine(write):
    text = (
        "{gpu_memory_limit: 0.5, tile: 256, inference: {batch: 2, amp_enabled: on}, default_resolution: 256}"
    )
    plan = open_fusion(CPU, EngineConfig(settings_path=write(text))).warm()
    assert plan.point == Point(batch=2, tile_px=256, precision=Precision.BF16)
    assert (plan.limit_bytes, plan.side_px) == (500_000_000, 256)


def test_what_was_learnt_holds_for_the_settings_that_it_was_learnt_with(write, tmp_path):
    """Who asks for a smaller batch than then does not get a larger one from a lesson."""

    def opened(batch):
        text = f"{{inference: {{batch: {batch}}}, cuda_graph: {{cache_path: {tmp_path / 'kept'}}}}}"
        return open_fusion(CPU, EngineConfig(settings_path=write(text)))

    opened(8)._step_down("no memory", 256)
    assert opened(8).plan.point.batch == 4
    assert opened(1).plan.point.batch == 1


def test_managed_memory_is_refused_where_there_is_no_gpu(write):
    settings = write("{managed_memory_limit: 20}")
    with pytest.raises(BadSettings, match=r"managed_memory_limit.*no GPU"):
        open_fusion(CPU, EngineConfig(settings_path=settings))


def test_without_settings_a_cpu_runs_in_float32_without_a_limit():
    """Whatever CPU it is: two workers' pixels should not differ for what each is fast at."""
    plan = open_fusion(CPU, EngineConfig()).plan
    assert (plan.point, plan.limit_bytes) == (Point(tile_px=1024, batch=4), None)


@pytest.mark.parametrize(
    ("gib", "name"),
    [(6, "entry"), (8, "entry"), (10, "mainstream"), (24, "mainstream"), (80, "professional")],
)
def test_cards_have_a_class(gib, name):
    assert class_of(int(gib * 0.98 * 2**30)) == name
    assert PROFILES[name].graphs == (name != "entry")


def test_the_environment_names_what_it_refuses():
    assert EngineConfig.from_environment({}) == EngineConfig()
    given = {
        "FARM_WORKER_SETTINGS": "/f.yaml",
        "FARM_WORKER_PROFILE": "entry",
        "FARM_WORKER_GPU_MEMORY_LIMIT": "6.5",
    }
    config = EngineConfig.from_environment(given)
    assert (str(config.settings_path), config.profile, config.gpu_memory_limit_gb) == (
        "/f.yaml",
        "entry",
        6.5,
    )
    for bad in ("6GB", "-1", "0", "inf", "nan"):
        with pytest.raises(ValueError, match="FARM_WORKER_GPU_MEMORY_LIMIT"):
            EngineConfig.from_environment({"FARM_WORKER_GPU_MEMORY_LIMIT": bad})
