"""A weight file is taken only if it is the one that its JSON file describes."""

import hashlib
import json

import pytest
import torch

from workers.errors import WeightsRejected
from workers.models.unet import LITE, FusionConfig, FusionUNet
from workers.models.weights import SHIPPED, load_fusion, read_facts
from workers.training.publish import publish


@pytest.fixture
def written(tmp_path):
    torch.manual_seed(3)
    network = FusionUNet(FusionConfig(width=4, depth=5))
    path = tmp_path / "tiny.safetensors"
    publish(network, path, {"training": {"steps": 0}})
    return path, network


def test_what_was_written_is_loaded(written):
    path, network = written
    loaded = load_fusion(path)
    assert not loaded.training
    assert loaded.config == network.config
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_a_changed_file_is_refused(written):
    path, _ = written
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsRejected, match="sha256"):
        load_fusion(path)


def test_weights_of_another_shape_are_refused(written):
    path, _ = written
    facts = read_facts(path)
    facts["config"]["width"] = 8
    path.with_suffix(".json").write_text(json.dumps(facts))
    with pytest.raises(WeightsRejected, match="size mismatch"):
        load_fusion(path)


def test_an_unknown_config_is_refused(written):
    path, _ = written
    facts = read_facts(path)
    facts["config"]["colour"] = 8
    path.with_suffix(".json").write_text(json.dumps(facts))
    with pytest.raises(WeightsRejected, match="colour"):
        load_fusion(path)


def test_what_is_no_safetensors_file_is_refused(written):
    path, _ = written
    path.write_bytes(b"nothing of the kind")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(read_facts(path) | {"sha256": digest}))
    with pytest.raises(WeightsRejected):
        load_fusion(path)


@pytest.mark.parametrize("missing", [".safetensors", ".json"])
def test_a_missing_file_is_named(written, missing):
    path, _ = written
    path.with_suffix(missing).unlink()
    with pytest.raises(WeightsRejected, match=f"tiny{missing}"):
        load_fusion(path)


def test_the_shipped_weights_load():
    network = load_fusion()
    assert network.config == LITE
    assert not network.training
    assert SHIPPED.stat().st_size < 6_000_000
