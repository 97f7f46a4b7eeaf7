"""Providers in their order, by what is here and by a setting; what is not here is said."""

from __future__ import annotations

import logging

import pytest

from tests.workers.identity.tiny import recogniser
from workers.models.onnx_providers import SessionSettings, attempts, ran_on
from workers.models.onnx_session import OnnxNetwork

CPU, CUDA, TENSORRT = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt"))


def names(ways):
    return [[name for name, _ in way.entries] for way in ways]


@pytest.mark.parametrize(
    ("provider", "has_gpu", "available", "wanted", "said"),
    [
        ("auto", False, [CPU], [[CPU]], ""),
        ("auto", False, [CUDA, CPU], [[CPU]], ""),
        ("auto", True, [CUDA, CPU], [[CUDA, CPU], [CPU]], ""),
        ("auto", True, [CPU], [[CPU]], "pip install onnxruntime-gpu"),
        ("tensorrt", True, [TENSORRT, CUDA, CPU], [[TENSORRT, CUDA, CPU], [CUDA, CPU], [CPU]], ""),
        ("tensorrt", True, [CUDA, CPU], [[CUDA, CPU], [CPU]], TENSORRT),
        ("cuda", False, [CUDA, CPU], [[CPU]], "no GPU"),
        ("cpu", True, [CUDA, CPU], [[CPU]], ""),
    ],
)
def test_providers_fall_back_in_order_and_not_in_silence(provider, has_gpu, available, wanted, said):
    ways, trouble = attempts(SessionSettings(provider=provider, has_gpu=has_gpu), available)
    assert names(ways) == wanted
    assert said in trouble and bool(said) == bool(trouble)


def test_the_budget_and_the_engines_place_reach_the_providers(tmp_path):
    settings = SessionSettings(provider="tensorrt", has_gpu=True, arena_bytes=10**9, engines=tmp_path)
    (first, *_), _ = attempts(settings, [TENSORRT, CUDA, CPU])
    options = dict(first.entries)
    assert options[CUDA] == {"arena_extend_strategy": "kSameAsRequested", "gpu_mem_limit": 10**9}
    assert options[TENSORRT]["trt_engine_cache_enable"] is True
    assert options[TENSORRT]["trt_engine_cache_path"] == str(tmp_path)
    assert options[CPU] == {}


def test_a_provider_that_does_not_load_is_no_longer_in_the_session():
    assert ran_on([CUDA, CPU]) == "cuda" and ran_on([CPU]) == "cpu"


def test_a_worker_without_a_gpu_says_so_and_runs(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        network = OnnxNetwork(recogniser(tmp_path / "r.onnx"), SessionSettings(provider="cuda"))
    assert network.provider == "cpu" and "no GPU" in network.trouble
    assert "r.onnx runs on the cpu" in caplog.text
