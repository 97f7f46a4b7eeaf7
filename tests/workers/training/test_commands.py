"""The commands that make and judge the shipped weights, run as a person runs them, only shorter."""

import json
import shutil

import pytest

from workers.models.weights import SHIPPED, load_fusion, read_facts
from workers.training.__main__ import main as train
from workers.training.evaluate import main as evaluate


def test_training_writes_weights_that_load_and_goes_on_where_it_stopped(tmp_path):
    out, state = tmp_path / "new.safetensors", tmp_path / "state.pt"
    options = ["--trios", "3", "--seed", "4", "--out", str(out), "--checkpoint", str(state)]
    train([*options, "--minutes", "0.02"])
    first = read_facts(out)["training"]["steps"]
    train([*options, "--minutes", "0.06", "--resume"])
    facts = read_facts(out)
    assert facts["training"]["steps"] > first > 0
    assert facts["training"]["seed"] == 4
    assert not load_fusion(out).training


def test_training_takes_photographs(tmp_path):
    folder = tmp_path / "portraits"
    folder.mkdir()
    shutil.copy(SHIPPED.parents[2] / "farm" / "assets" / "grace_hopper.jpg", folder)
    out = tmp_path / "new.safetensors"
    options = [
        "--trios",
        "2",
        "--minutes",
        "0.01",
        "--out",
        str(out),
        "--checkpoint",
        str(tmp_path / "state.pt"),
    ]
    train([*options, "--portraits", str(folder)])
    assert read_facts(out)["training"]["data"] == {"drawn_trios": 2, "photos": 1}
    assert str(tmp_path) not in out.with_suffix(".json").read_text()


def test_evaluating_writes_the_table_where_it_is_told(tmp_path, caplog):
    caplog.set_level("INFO")
    weights = tmp_path / "copy.safetensors"
    shutil.copy(SHIPPED, weights)
    shutil.copy(SHIPPED.with_suffix(".json"), weights.with_suffix(".json"))
    options = [
        "--weights",
        str(weights),
        "--out",
        str(tmp_path / "result.json"),
        "--sheet",
        str(tmp_path / "sheet.png"),
    ]
    evaluate([*options, "--count", "2"])
    result = json.loads((tmp_path / "result.json").read_text())
    row = result["scores"]["drawn, other person"]
    assert row["fusion network"]["mse"] == pytest.approx(
        read_facts(weights)["scores"]["drawn, other person"]["fusion network"]["mse"]
    )
    assert row["fusion network"]["mse"] < row["plain composite"]["mse"]
    assert "Poisson" in caplog.text
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
