"""OpenVINO in the place of onnxruntime: the same answers, within what 16 bits hold, where they may."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.workers.identity.tiny import swap_network
from workers.models.onnx_providers import SessionSettings, attempts, openvino_here
from workers.models.onnx_session import OnnxNetwork
from workers.models.openvino_runner import OpenVinoRunner

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


def ways(available, **settings):
    found, trouble = attempts(SessionSettings(**settings), available)
    return [way.provider for way in found], trouble


def fed(count=1):
    dice = np.random.default_rng(0)
    return {
        "target": dice.random((count, 3, 128, 128), np.float32),
        "source": dice.standard_normal((count, 512), np.float32) / np.float32(512**0.5),
    }


@pytest.mark.parametrize(("half", "most"), [(False, 1e-5), (True, 0.02)])
def test_it_answers_as_onnxruntime_does(tmp_path, half, most):
    path = swap_network(tmp_path / "swap.onnx", "inswapper")
    (wanted,) = OnnxNetwork(path).run(fed())
    network = OnnxNetwork(path, SessionSettings(provider="openvino", may_round=True, half=half))
    (found,) = network.run(fed())
    assert network.provider.startswith("OpenVINO 20")
    assert network.inputs == OnnxNetwork(path).inputs and network.outputs == OnnxNetwork(path).outputs
    assert found.shape == wanted.shape and np.abs(found - wanted).max() < most * np.ptp(wanted)


def test_every_run_gives_arrays_of_its_own_and_any_batch(tmp_path):
    path = swap_network(tmp_path / "swap.onnx", "inswapper", batch="n")
    runner = OpenVinoRunner(path, threads=1, half=False)
    assert runner.inputs["target"] == (None, 3, 128, 128)
    (one,), (three,) = runner.run(fed()), runner.run(fed(3))
    kept = one.copy()
    assert three.shape == (3, 3, 128, 128)
    runner.run({name: -value for name, value in fed().items()})
    assert np.array_equal(one, kept)


def test_a_file_that_it_cannot_read_is_left_to_onnxruntime_and_that_is_said(tmp_path, monkeypatch):
    def broken(self, path, **_):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(OpenVinoRunner, "__init__", broken)
    path = swap_network(tmp_path / "swap.onnx", "inswapper")
    network = OnnxNetwork(path, SessionSettings(provider="openvino", may_round=True))
    assert network.provider == "cpu" and "no such operation" in network.trouble


def test_who_gets_it():
    here = [CPU, *openvino_here()]
    assert ways(here, half=True, may_round=True) == (["openvino", "cpu"], "")
    assert ways(here, may_round=True) == (["cpu"], "")
    assert ways(here, provider="openvino", may_round=True) == (["openvino", "cpu"], "")
    assert ways(here, provider="openvino") == (["cpu"], "")  # finds faces, or tells them apart
    assert ways([CUDA, *here], has_gpu=True, may_round=True, half=True) == (["cuda", "cpu"], "")


def test_where_it_is_missing_it_is_named():
    found, trouble = ways([CPU], half=True, may_round=True)
    assert found == ["cpu"] and "face-fusion-farm[worker,models,openvino]" in trouble


def test_nothing_is_told_to_its_makers(tmp_path):
    """A process of its own, with a home of its own: their package would write a file there, and call out."""
    path = swap_network(tmp_path / "swap.onnx", "inswapper")
    script = (
        "import sys, pathlib; from workers.models.openvino_runner import OpenVinoRunner;"
        f"OpenVinoRunner(pathlib.Path({str(path)!r}), threads=1, half=False);"
        "print([name for name, here in sys.modules.items() if 'openvino_telemetry' in name and here])"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, env={"HOME": str(home)}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]" and not list(home.iterdir()), done.stderr
