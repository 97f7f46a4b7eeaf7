"""damo's backbone, reconstruction and face model: the published names, and arithmetic that can be told.

`bench/damo_truth.py` holds them to ModelScope's classes; its result is in bench/results/damo-truth.json.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
import torch

from bench import damo_weights
from workers.errors import WeightsRejected
from workers.models.damo.backbone import Backbone, load_backbone
from workers.models.damo.checkpoint import read_weights
from workers.models.damo.coefficients import GROUPS, Reconstruction, load_reconstruction
from workers.models.damo.jaw import JawModel, fused_coefficients, load_jaw, turned

NARROW = 16

#: Of ModelScope's classes: names, weights, and the SHA-256 of lines of "name [shape]", sorted.
PUBLISHED = {
    Backbone: (672, 65_128_768, "9f5404f5990909de291fa752d4e74300d25a00d634e2ce2dfc642c8cf9555855"),
    Reconstruction: (332, 24_034_625, "b1ba33cb24a37b47fa45339c528aa716e87a9106b6c7820e107fc4065968695c"),
}


@pytest.mark.parametrize("kind", sorted(PUBLISHED, key=str))
def test_they_have_the_published_names_and_shapes_and_no_others(kind):
    with torch.device("meta"):
        network = kind()
    shapes = {name: list(value.shape) for name, value in network.state_dict().items()}
    lines = "".join(f"{name} {shape}\n" for name, shape in sorted(shapes.items()))
    num_weights = sum(each.numel() for each in network.parameters())
    assert (len(shapes), num_weights, hashlib.sha256(lines.encode()).hexdigest()) == PUBLISHED[kind]


def test_an_embedding_has_length_one_and_tells_pictures_apart(tmp_path):
    torch.manual_seed(0)
    torch.save(damo_weights.backbone_weights(NARROW), tmp_path / "b.pth")
    backbone = load_backbone(tmp_path / "b.pth", NARROW)
    with torch.inference_mode():
        found = backbone(torch.rand(2, 3, 256, 256) * 2 - 1)
    assert found.shape == (2, 512) and torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-5)
    assert not torch.allclose(found[0], found[1], atol=1e-3)


def test_a_backbone_may_have_what_training_left_and_lack_its_counters(tmp_path):
    state = damo_weights.backbone_weights(NARROW)
    state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    torch.save({**state, "head.kernel": torch.zeros(3)}, tmp_path / "b.pth")
    load_backbone(tmp_path / "b.pth", NARROW)
    del state["output_layer.3.weight"]
    torch.save(state, tmp_path / "b.pth")
    with pytest.raises(WeightsRejected, match=r"identity backbone; weights: 1 missing \(output_layer\.3"):
        load_backbone(tmp_path / "b.pth", NARROW)


def test_coefficients_come_in_groups_and_under_their_key(tmp_path):
    state = damo_weights.reconstruction_weights(NARROW)
    torch.save({"net_recon": state}, tmp_path / "r.pth")
    network = load_reconstruction(tmp_path / "r.pth", NARROW)
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 256, 256)).shape == (1, sum(GROUPS)) == (1, 257)
    torch.save(state, tmp_path / "r.pth")
    with pytest.raises(WeightsRejected, match=r"r\.pth holds no weights under 'net_recon'"):
        load_reconstruction(tmp_path / "r.pth", NARROW)


def test_what_is_no_tensor_is_named(tmp_path):
    torch.save({"a": torch.zeros(1), "optimizer": {"lr": 0.1}}, tmp_path / "net.pt")
    with pytest.raises(WeightsRejected, match=r"net\.pt holds what is no tensor: optimizer"):
        read_weights(tmp_path / "net.pt")


def coefficients(**said):
    """Return coefficients (1, 257) that are 0 but for what is said: by the group's number, its values."""
    parts = [torch.zeros(1, size) for size in GROUPS]
    for number, values in said.items():
        parts[int(number.removeprefix("g"))][0, : len(values)] = torch.tensor(values)
    return torch.cat(parts, dim=1)


def test_a_mean_face_is_projected_where_a_camera_sees_it():
    """A point on the axis lies in the middle; one beside it by focal length over distance; y turns over."""
    mean = torch.zeros(17, 3)
    mean[1] = torch.tensor([1.0, 0.5, 0.0])
    jaw = JawModel(mean, torch.zeros(17, 3, 80), torch.zeros(17, 3, 64))
    found = jaw(coefficients())[0]
    assert torch.allclose(found[0], torch.zeros(2), atol=1e-6)
    assert torch.allclose(found[1], torch.tensor([1.0, -0.5]) * 1015 / 10 / 112, atol=1e-5)
    nearer = jaw(coefficients(g6=[5.0]))[0]
    assert torch.allclose(nearer[1], found[1] * 2, atol=1e-5), "at half the distance"
    shifted = jaw(coefficients(g5=[1.0, 0.0]))[0]
    assert torch.allclose(shifted[0], torch.tensor([1015 / 10 / 112, 0.0]), atol=1e-5)


def test_turns_go_about_x_then_y_then_z():
    quarter = math.pi / 2
    x, y, z = torch.eye(3)
    for angles, taken, given in (
        ([quarter, 0, 0], y, z),
        ([0, quarter, 0], z, x),
        ([0, 0, quarter], x, y),
        ([quarter, quarter, 0], y, x),
    ):
        assert torch.allclose(turned(torch.tensor([angles]))[0] @ taken, given, atol=1e-6), angles


def test_identity_and_expression_move_the_jaw_and_fusing_meets_half_way(tmp_path):
    damo_weights.write_face_model(tmp_path / "m.mat")
    jaw = load_jaw(tmp_path / "m.mat")
    target, source = coefficients(g0=[1.0, -2.0], g1=[0.5]), torch.zeros(1, 80)
    fused = fused_coefficients(source, target)
    assert torch.equal(fused[:, 80:], target[:, 80:]) and torch.allclose(fused[:, :80], target[:, :80] / 2)
    lines = jaw(torch.cat((target, fused, coefficients())))
    assert lines.shape == (3, 17, 2)
    apart = (lines[0] - lines[1]).abs().max(), (lines[1] - lines[2]).abs().max()
    assert all(each > 1e-3 for each in apart)


def test_the_face_model_is_centred_on_all_its_points(tmp_path):
    from scipy.io import loadmat

    damo_weights.write_face_model(tmp_path / "m.mat")
    points = loadmat(tmp_path / "m.mat")["meanshape"].reshape(-1, 3)
    wanted = (points - points.mean(axis=0))[:17].astype(np.float32)
    assert np.allclose(load_jaw(tmp_path / "m.mat").get_buffer("mean").numpy(), wanted, atol=1e-5)


@pytest.mark.parametrize("content", [b"no matrix", b""])
def test_what_is_no_face_model_is_refused_by_name(tmp_path, content):
    (tmp_path / "m.mat").write_bytes(content)
    with pytest.raises(WeightsRejected, match=r"m\.mat"):
        load_jaw(tmp_path / "m.mat")
