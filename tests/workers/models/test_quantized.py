"""The 8-bit network is near the float one, on faces that its ranges were not measured on."""

import json

import pytest
import torch

from workers.config import EngineConfig
from workers.engine.opening import open_fusion
from workers.engine.precision import Precision, cast
from workers.errors import UnsuitablePrecision, WeightsRejected
from workers.models.quantized import SHIPPED, quantize_core
from workers.models.weights import load_fusion, read_facts
from workers.training.batches import to_batch
from workers.training.exam import by_network, drawn_exams, examine

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def exam():
    return drawn_exams(8, 128)["drawn, other person"]


@pytest.fixture
def engine(tmp_path):
    path = tmp_path / "farm.yaml"
    path.write_text("inference: {quantization: int8, batch: 2}")
    return open_fusion(CPU, EngineConfig(settings_path=path))


def test_a_setting_away_and_near_the_float_network(engine, exam):
    """On average under a level of 255, in the worst pixel some; and it settles faces nearly as well."""
    batch, exact = to_batch(exam), load_fusion()
    assert engine.warm().point.precision is Precision.INT8
    fused, expected = engine(batch.x, batch.mask, batch.target), exact(batch.x, batch.mask, batch.target)
    away = (fused - expected).abs() * 255
    assert 0 < away.mean() < 0.5
    assert away.max() < 16
    quick = load_fusion()
    quantize_core(quick)
    scores = [examine(by_network(network), exam).mse for network in (quick, exact)]
    assert scores[0] < 1.15 * scores[1]


def test_who_came_together_shows_in_nobodys_pixels(engine, exam):
    batch = to_batch(exam[:4])
    together = engine(batch.x, batch.mask, batch.target)
    for order in ([3, 0, 2], [1]):
        assert torch.equal(engine(batch.x[order], batch.mask[order], batch.target[order]), together[order])


def test_not_for_gpus():
    with pytest.raises(UnsuitablePrecision, match="fp16"):
        cast(load_fusion(), Precision.INT8, torch.device("cuda"))


def test_only_the_file_that_was_described_is_taken(tmp_path):
    path = tmp_path / SHIPPED.name
    with pytest.raises(WeightsRejected, match="No such file"):
        quantize_core(load_fusion(), path)
    path.write_bytes(SHIPPED.read_bytes()[:-1])
    path.with_suffix(".json").write_text(SHIPPED.with_suffix(".json").read_text())
    with pytest.raises(WeightsRejected, match="sha256"):
        quantize_core(load_fusion(), path)


def test_the_shipped_one_is_of_the_shipped_weights_and_still_beats_poisson():
    facts = json.loads(SHIPPED.with_suffix(".json").read_text())
    assert facts["of"] == read_facts()["sha256"]
    assert facts["scores"]["drawn, other person"]["int8"]["mse"] < 403.8 / 2  # Poisson's, in the model card
