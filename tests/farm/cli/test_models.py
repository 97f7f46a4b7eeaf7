"""`farm models`, as a process."""

from __future__ import annotations

import json

import pytest

from tests.farm.modelstore.conftest import onnx_bytes


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
