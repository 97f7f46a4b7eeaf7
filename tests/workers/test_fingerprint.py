"""What a worker's pixels depend on, as it says itself."""

from __future__ import annotations

import av
import pytest
import torch

from broker.messages import EncodeSpec, FuseSpec
from tests.faults.engines import Trial
from workers.fingerprint import encoder_build, fingerprint
from workers.media.trial import trouble_with
from workers.swappers import open_swapper


def spec(codec: str) -> EncodeSpec:
    return EncodeSpec(codec=codec, pix_fmt="yuv420p")


def test_encoders_name_their_build():
    """x264 and x265 by what they write into every stream."""
    assert encoder_build("libx264", "yuv420p").startswith("x264 - core ")
    assert encoder_build("libx265", "yuv420p").startswith("x265 (build ")


@pytest.mark.parametrize("codec", ["ffv1", "libsvtav1", "libvpx-vp9"])
def test_other_encoders_are_known_by_what_they_make(codec):
    """Twice the same, and not that of another encoder."""
    first = encoder_build(codec, "yuv420p")
    encoder_build.cache_clear()
    assert encoder_build(codec, "yuv420p") == first
    assert first.startswith("digest ")
    assert first != encoder_build("mjpeg", "yuvj420p")


def test_an_encoder_that_is_not_there_is_a_part_as_well():
    """So that a worker without it differs from one that has it, and says so."""
    assert "does not open" in encoder_build("no_such_encoder", "yuv420p")


def test_without_networks_torch_is_no_part():
    parts = fingerprint(open_swapper("passthrough"), FuseSpec(engine="passthrough"), spec("ffv1"))
    assert parts["PyAV"] == av.__version__
    assert "encoder ffv1" in parts
    assert not any(part.startswith(("torch", "model", "device")) for part in parts)


def test_networks_bring_their_digests_and_what_they_run_on():
    """And torch's threads on a CPU: sums are split among them."""
    parts = fingerprint(open_swapper("portrait"), FuseSpec(engine="portrait"), spec("libx264"))
    size = "" if parts["device"] == "cuda" else ", 4 at once"
    assert {f"model fusion-lite{size}", "model mtcnn-pnet", "torch", "device"} <= set(parts)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        other = fingerprint(open_swapper("portrait"), FuseSpec(engine="portrait"), spec("libx264"))
    finally:
        torch.set_num_threads(threads)
    differing = {part for part in parts if parts[part] != other[part]}
    assert differing == ({"torch threads"} if parts["device"] == "cpu" else set())


def test_another_precision_shows(monkeypatch, tmp_path):
    """Two workers of one job must not differ in it."""
    (tmp_path / "farm.yaml").write_text("inference: {amp_enabled: true}")
    monkeypatch.setenv("FARM_WORKER_SETTINGS", str(tmp_path / "farm.yaml"))
    parts = fingerprint(open_swapper("portrait"), FuseSpec(engine="portrait"), None)
    assert any(part.startswith("model fusion-lite in ") for part in parts)
    assert not {"model fusion-lite", "model fusion-lite, 4 at once"} & set(parts)


def test_another_size_of_passes_shows(monkeypatch, tmp_path):
    """It changes last bits: workers that differ in it are told apart, instead of making a seam."""
    (tmp_path / "farm.yaml").write_text("inference: {batch: 3}")
    monkeypatch.setenv("FARM_WORKER_SETTINGS", str(tmp_path / "farm.yaml"))
    assert "model fusion-lite, 3 at once" in fingerprint(
        open_swapper("portrait"), FuseSpec(engine="portrait"), None
    )


def test_an_operators_own_engine_is_known_by_its_source():
    assert "engine trial" in fingerprint(Trial(), FuseSpec(engine="trial"), None)


def test_of_an_encoder_in_hardware_only_whether_it_works_is_a_part():
    """GPUs of two generations may share a job; a worker without one may not."""
    parts = fingerprint(open_swapper("passthrough"), FuseSpec(engine="passthrough"), spec("h264_nvenc"))
    trouble = trouble_with("h264_nvenc", "yuv420p")
    wanted = "works" if trouble is None else f"does not work ({trouble})"
    assert parts["encoder h264_nvenc"] == wanted


def test_stages_are_parts_of_what_pixels_depend_on(tmp_path):
    """Also of a job whose engine has no network: a worker with another file or tile refuses its chunks."""
    from broker.installed import ModelStore
    from tests.workers.stages.tiny import install
    from workers.stages.running import Stages

    store = ModelStore(tmp_path / "models")
    names = install(store, tmp_path, "gfpgan"), install(store, tmp_path, "esrgan-x2")
    asked = FuseSpec(engine="passthrough", restore=names[0], upscale=names[1])
    swapper = open_swapper("passthrough", store)
    plain = fingerprint(swapper, FuseSpec(engine="passthrough"), None, Stages(store))
    found = fingerprint(swapper, asked, None, Stages(store))
    digests = {f"model {name}": store.models()[name].digest[:12] for name in names}
    assert digests.items() <= found.items()
    assert {"upscaling tile", "onnxruntime", "torch"} <= set(found) - set(plain)
