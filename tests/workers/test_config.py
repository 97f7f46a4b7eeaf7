"""What a worker's processes are told: their device, their threads, their name."""

import pytest

from workers.config import WorkerConfig, child_environment
from workers.errors import NoSuchGpu
from workers.gpus import choose_gpus, list_gpus


@pytest.mark.parametrize(("gpu", "seen", "device"), [("2", "2", "gpu 2"), (None, "", "cpu")])
def test_a_worker_sees_its_own_gpu_and_no_other(gpu, seen, device):
    """Pinned before any process starts; hidden where the CPU is wanted, whatever was visible before."""
    environment = child_environment(
        name="w", warm="portrait", gpu=gpu, environment={"CUDA_VISIBLE_DEVICES": "0,1,2,3", "HOME": "/h"}
    )
    assert environment["CUDA_VISIBLE_DEVICES"] == seen
    assert environment["HOME"] == "/h"
    config = WorkerConfig.from_environment(environment)
    assert (config.name, config.warm, config.device) == ("w", ("portrait",), device)


def test_an_operator_may_choose_the_threads():
    environment = child_environment(name="w", warm="", gpu=None, environment={"OMP_NUM_THREADS": "3"})
    assert environment["OMP_NUM_THREADS"] == "3"
    assert child_environment(name="w", warm="", gpu=None, environment={})["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize("text", ["many", "0", "-1", "1.5"])
def test_an_unreadable_setting_is_named(text):
    with pytest.raises(ValueError, match="FARM_WORKER_THREADS"):
        WorkerConfig.from_environment({"FARM_WORKER_THREADS": text})


def test_choosing_gpus(monkeypatch, tmp_path):
    """The driver's own tool is asked; a machine without it has none, and is a CPU worker."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert list_gpus() == ["0", "1"]
    assert choose_gpus("all") == ["0", "1"]
    assert choose_gpus("1") == ["1"]
    assert choose_gpus("none") == [None]
    with pytest.raises(NoSuchGpu, match="no GPU 7"):
        choose_gpus("0,7")
    monkeypatch.setenv("PATH", "/nowhere")
    assert choose_gpus("all") == [None]


def test_the_engine_runs_on_the_gpu_where_there_is_one():
    """And with kernels that give the same bits whenever they see the same crop."""
    import torch

    from workers.models.device import best_device

    device = best_device()
    assert device.type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.needs_gpu
def test_the_gpu_finds_the_face_that_the_cpu_finds():
    """The same portrait, the same box to a pixel, on both devices; and twice the same bits on the GPU."""
    import numpy as np
    import torch

    from bench.clips import SOURCE
    from broker.messages import FuseSpec
    from workers.swappers.portrait import PortraitSwapper

    fuse = FuseSpec(engine="portrait")
    on_cpu, on_gpu = (
        PortraitSwapper(device=torch.device(kind)).prepare(SOURCE.read_bytes(), fuse)
        for kind in ("cpu", "cuda")
    )
    assert np.allclose(on_cpu.faces[0].box, on_gpu.faces[0].box, atol=1.0)
    again = PortraitSwapper(device=torch.device("cuda")).prepare(SOURCE.read_bytes(), fuse)
    assert np.array_equal(on_gpu.faces[0].landmarks, again.faces[0].landmarks)
