"""Masks: boxes and outlines, and segmentation networks of the published names and shapes."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from broker.installed import ModelStore
from broker.messages import FuseSpec
from farm.errors import ModelRefused
from farm.modelstore.arrival import Introduction, add
from farm.modelstore.registry import check_masks
from tests.workers.identity.tiny import saved
from workers.errors import ModelMissing, ModelUnusable
from workers.face.align import ARCFACE_112
from workers.face.box_mask import box_mask
from workers.masking.masks import Masks, outline_mask
from workers.masking.opening import MaskMaker

SIDE = 128
MARKS = np.asarray(ARCFACE_112 * (SIDE / 112), np.float32)


def crop(left, right):
    """Return a crop of two colours, RGB: its left half and its right."""
    picture = np.empty((SIDE, SIDE, 3), np.float32)
    picture[:, : SIDE // 2], picture[:, SIDE // 2 :] = left, right
    return picture


def occluder(path):
    """Write an XSeg: rows of BGR in, one channel out: how blue a pixel is. Blue is first, as in BGR."""
    weights = {
        "axes": np.array([3], np.int64),
        "from": np.array([0], np.int64),
        "to": np.array([1], np.int64),
    }
    nodes = [helper.make_node("Slice", ["input", "from", "to", "axes"], ["output"])]
    return saved(path, nodes, {"input": [1, 256, 256, 3]}, {"output": [1, 256, 256, 1]}, weights)


def parser(path):
    """Write a BiSeNet: skin (class 1) where red outweighs green, hair (17) where not."""
    mix = np.zeros((19, 3, 1, 1), np.float32)
    mix[1, 0], mix[17, 1] = 1, 1
    nodes = [helper.make_node("Conv", ["input", "mix"], ["output"])]
    shapes = {"input": [1, 3, 512, 512]}, {"output": [1, 19, 512, 512]}
    return saved(path, nodes, *shapes, {"mix": mix})


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


@pytest.fixture
def maker(store, tmp_path):
    add(store, occluder(tmp_path / "o.onnx"), Introduction(name="my-xseg", contract="xseg"))
    add(store, parser(tmp_path / "p.onnx"), Introduction(name="my-parser", contract="bisenet"))
    return MaskMaker(store)


def spec(*kinds, **fields):
    return FuseSpec(engine="portrait", mask=kinds, **fields)


def test_a_box_is_kept_away_from_each_side():
    wide = box_mask(SIDE)
    assert np.array_equal(wide, box_mask(SIDE, 0.3, (0, 0, 0, 0)))
    top, right, bottom, left = (
        box_mask(SIDE, 0.1, p) for p in np.diag([40, 40, 40, 40]).tolist() for p in [tuple(p)]
    )
    for mask, empty, full in (
        (top, np.s_[:48], np.s_[70:110, 64]),
        (bottom, np.s_[-48:], np.s_[18:58, 64]),
        (left, np.s_[:, :48], np.s_[64, 70:110]),
        (right, np.s_[:, -48:], np.s_[64, 18:58]),
    ):
        assert not mask[empty].any()
        assert (mask[full] > 0.99).all()
    for mask in (wide, top):
        assert not mask[0].any() and not mask[-1].any() and not mask[:, 0].any() and not mask[:, -1].any()
    assert not box_mask(SIDE, 0.3, (60, 0, 60, 0)).any()


def test_an_outline_holds_the_features_and_leaves_the_corners():
    mask = outline_mask(MARKS, SIDE)
    assert all(mask[round(y), round(x)] > 0.9 for x, y in MARKS)
    assert not any(mask[y, x] for y in (0, -1) for x in (0, -1))


def test_what_covers_a_face_is_left_alone(maker):
    """The crop is RGB, and the network sees BGR: blue must count."""
    mask = maker.masks(spec("occlusion")).before(crop((0, 0, 1), (1, 0, 0)), MARKS)
    assert (mask[:, :48] > 0.99).all()
    assert not mask[:, 64:].any()


def test_what_is_no_face_is_left_alone(maker):
    """Of the changed crop, where an engine paints one."""
    masks = maker.masks(spec("region"))
    target, changed = crop((1, 0, 0), (1, 0, 0)), crop((1, 0, 0), (0, 1, 0))
    before = masks.before(target, MARKS)
    assert before.all()
    after = masks.after(changed, before)
    assert (after[:, :48] > 0.99).all()
    assert not after[:, 64:].any()
    assert masks.at_once(target, MARKS).all()


def test_of_several_the_least_counts(maker):
    both = maker.masks(spec("box", "occlusion", mask_blur=0.2, mask_padding=(50, 0, 0, 0)))
    mask = both.before(crop((0, 0, 1), (1, 0, 0)), MARKS)
    alone = box_mask(SIDE, 0.2, (50, 0, 0, 0))
    assert not mask[:50].any() and not mask[:, 64:].any()
    assert np.allclose(mask[:, :48], alone[:, :48], atol=1e-3)
    assert set(maker.digests(spec("box", "occlusion"))) == {"my-xseg"}


def test_what_is_not_installed_is_refused_by_name(store):
    with pytest.raises(ModelMissing, match="farm models pull xseg_1"):
        MaskMaker(store).masks(spec("occlusion"))
    with pytest.raises(ModelRefused, match="none is installed") as refused:
        check_masks(store, ["box", "region"])
    assert "bisenet_resnet_34" in refused.value.hint
    check_masks(store, ["box", "hull"])


def test_a_network_of_another_kind_is_refused(store, tmp_path):
    add(store, parser(tmp_path / "p.onnx"), Introduction(name="wrong", contract="xseg"))
    with pytest.raises(ModelUnusable, match="is no occluder"):
        MaskMaker(store).masks(spec("occlusion"))


def test_an_engines_own_mask_counts_beside_them():
    own = np.zeros((64, 64), np.float32)
    own[:, :32] = 1
    mask = Masks(own=own, has_box=True).before(crop((0, 0, 0), (0, 0, 0)), MARKS)
    assert mask[64, 40] > 0.9
    assert not mask[:, 70:].any()
