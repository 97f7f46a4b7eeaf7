"""The farm's own damo network: the published names and shapes, strictly, and arithmetic that can be told.

`bench/damo_truth.py` holds it to ModelScope's classes; its result is in bench/results/damo-truth.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from workers.errors import WeightsRejected
from workers.models.damo.attributes import AttributeEncoder
from workers.models.damo.checkpoint import renamed
from workers.models.damo.motion import DenseMotion
from workers.models.damo.network import DamoNetwork, load_damo
from workers.models.damo.spectral import SpectralConv

NAMES = json.loads(Path(__file__).with_name("damo_names.json").read_text())["weights"]
RESULT = Path(__file__).parents[3] / "bench" / "results" / "damo-truth.json"


def test_it_has_the_published_names_and_shapes_and_no_others():
    with torch.device("meta"):
        own = {name: list(value.shape) for name, value in DamoNetwork().state_dict().items()}
    assert own == NAMES


@pytest.mark.parametrize("prefix", ["", "module.", "module.model."])
def test_a_prefix_before_every_name_is_left_out(prefix):
    state = {f"{prefix}{name}": torch.zeros(()) for name in ("encoder.a", "generator.module.b")}
    assert set(renamed(state)) == {"encoder.a", "generator.module.b"}


def test_a_checkpoint_with_missing_or_wrong_weights_is_refused_by_name(tmp_path):
    path = tmp_path / "pytorch_model.pt"
    torch.save({"state_dict": {"generator.up1.weight": torch.zeros(2, 2)}}, path)
    with pytest.raises(WeightsRejected, match=r"model\.pt.*496 missing \(encoder.*1 of another shape"):
        load_damo(path)


class Evil:
    """A pickle of it makes a file when it is read by whoever trusts it."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


def test_a_pickle_that_would_run_code_is_refused_unread(tmp_path):
    path, trace = tmp_path / "pytorch_model.pt", tmp_path / "trace"
    torch.save({"state_dict": Evil(trace)}, path)
    with pytest.raises(WeightsRejected):
        load_damo(path)
    assert not trace.exists()


def test_without_a_wanted_change_nothing_is_bent():
    """Where the fused jaw line is the target's own, the flow is the identity, whatever the weights."""
    torch.manual_seed(0)
    motion = DenseMotion().eval()
    jaw = torch.rand(1, 17, 2) - 0.5
    with torch.inference_mode():
        flow = motion(torch.rand(1, 3, 256, 256), jaw, jaw)
        moved = motion(torch.rand(1, 3, 256, 256), jaw + 0.2, jaw)
    across = torch.linspace(-1, 1, 64)
    assert torch.allclose(flow[0, :, :, 0], across.expand(64, 64), atol=1e-5)
    assert torch.allclose(flow[0, :, :, 1], across[:, None].expand(64, 64), atol=1e-5)
    assert (moved[0, :, :, 0] - across).mean() < -0.05, "what lies to the right comes from the left"


def test_attributes_come_at_eight_scales():
    with torch.device("meta"):
        found = AttributeEncoder().eval()(torch.empty(1, 3, 256, 256))
    assert [tuple(each.shape[1:]) for each in found] == [
        (1024, 2, 2),
        (2048, 4, 4),
        (1024, 8, 8),
        (512, 16, 16),
        (256, 32, 32),
        (128, 64, 64),
        (64, 128, 128),
        (64, 256, 256),
    ]


def test_folded_spectral_norm_is_the_unfolded_one():
    torch.manual_seed(0)
    conv = SpectralConv(3, 5, 3, has_bias=True)
    held = conv.module
    weight, bias = torch.randn(5, 3, 3, 3), torch.randn(5)
    u, _, v = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    held.load_state_dict({"weight_bar": weight, "weight_u": u[:, 0], "weight_v": v[0], "bias": bias})
    conv.fold()
    conv.fold()
    x = torch.randn(1, 3, 8, 8)
    largest = torch.linalg.matrix_norm(weight.flatten(1), 2)
    assert torch.allclose(conv(x), torch.nn.functional.conv2d(x, weight / largest, bias), atol=1e-5)


def test_it_was_found_equal_to_modelscopes_own():
    rows = json.loads(RESULT.read_text())["rows"]
    parts = {row["part"] for row in rows}
    assert parts == {"network", "backbone", "reconstruction", "jaw lines"} and len(rows) >= 3 * len(parts)
    assert all(row["double precision"] <= 1e-4 for row in rows)
    assert all(row["spread of the output"] > 0.03 for row in rows), "outputs that are worth comparing"
