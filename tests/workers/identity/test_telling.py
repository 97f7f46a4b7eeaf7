"""What runs an installed network is no secret: the job's note, its fingerprint, the worker's plan."""

from __future__ import annotations

import pytest

from broker.messages import FuseSpec
from tests.workers.identity.tiny import install
from workers.engine.budget import this_residency
from workers.fingerprint import fingerprint
from workers.swappers import open_swapper

TROUBLE = "onnx.provider is cuda, but this worker has no GPU"


@pytest.fixture
def swapper(store, tmp_path, monkeypatch):
    (tmp_path / "farm.yaml").write_text("onnx: {provider: cuda}")
    monkeypatch.setenv("FARM_WORKER_SETTINGS", str(tmp_path / "farm.yaml"))
    return open_swapper(install(store, tmp_path, "inswapper"), store)


def test_a_network_that_falls_back_says_so_and_by_what_it_runs(swapper):
    fuse = FuseSpec(engine=swapper.name)
    assert swapper.notes(fuse) == (f"{swapper.name}.onnx runs on the cpu: {TROUBLE}",)
    assert fingerprint(swapper, fuse, None)["onnxruntime"].endswith(" on cpu")


def test_what_lies_in_memory_is_named(swapper):
    assert swapper.name in str(this_residency())


def test_16_bits_on_a_cpu_bring_openvino_and_the_fingerprint_says_so(store, tmp_path, monkeypatch):
    (tmp_path / "farm.yaml").write_text("inference: {amp_enabled: true}")
    monkeypatch.setenv("FARM_WORKER_SETTINGS", str(tmp_path / "farm.yaml"))
    swapper = open_swapper(install(store, tmp_path, "inswapper"), store)
    assert " on OpenVINO 20" in fingerprint(swapper, FuseSpec(engine=swapper.name), None)["onnxruntime"]
