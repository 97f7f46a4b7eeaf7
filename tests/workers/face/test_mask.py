"""Masks are soft, bounded, and stay on the face."""

import cv2
import numpy as np
import pytest

from tests.workers.face.moving import COLLINS, HOPPER, picture_of
from workers.face.align import CROP_SIDES_PX, apply, similarity, template
from workers.face.fuse import Likeness
from workers.face.mask import core_of, hull, hull_mask
from workers.face.pyramid import Pyramid
from workers.face.shape import pose_of
from workers.models.mtcnn_cascade import FaceFinder


@pytest.mark.parametrize("side_px", CROP_SIDES_PX)
def test_mask_is_soft_and_bounded(side_px):
    """A mask lies in 0..1, is 1 in the face's middle, 0 at the crop's rim, and never jumps."""
    mask = hull_mask(hull(pose_of(template(side_px))), side_px)
    assert mask.shape == (side_px, side_px)
    assert mask.min() == 0.0
    assert mask.max() <= 1.0
    x, y = template(side_px).mean(axis=0).round().astype(int)
    assert mask[y, x] == 1.0
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert rim.max() == 0.0
    steps = np.abs(np.diff(mask, axis=0)).max() * side_px / 256
    assert steps < 0.25


def test_mask_is_nothing_outside_the_outline():
    """Pixels more than one coarse cell outside the outline are exactly 0."""
    outline = hull(pose_of(template(256)))
    mask = hull_mask(outline, 256)
    drawn = cv2.fillConvexPoly(np.zeros((256, 256), np.uint8), outline.round().astype(np.int32), 1)
    beyond = cv2.dilate(drawn, np.ones((9, 9), np.uint8)) == 0
    assert mask[beyond].max() == 0.0


def test_mask_moves_by_fractions_of_a_pixel():
    """Half a pixel to the right moves the mask's centre by half a pixel."""
    outline = hull(pose_of(template(256)))
    columns = np.arange(256)
    centres = []
    for shift in (0.0, 0.5):
        mask = hull_mask(outline + np.array([shift, 0], np.float32), 256)
        centres.append(float((mask.sum(axis=0) * columns).sum() / mask.sum()))
    assert centres[1] - centres[0] == pytest.approx(0.5, abs=0.05)


def test_core_is_the_inner_half():
    """The core is 0 up to half the mask's height and 1 where the mask is."""
    assert core_of(np.array([[0, 0.5, 0.75, 1]], np.float32)).tolist() == [[0, 0, 0.5, 1]]


@pytest.mark.parametrize("path", [COLLINS, HOPPER])
def test_source_region_leaves_hair_and_hat_out(path):
    """The region holds eyes and mouth, and nothing as dark as hat or as far up as hair."""
    picture = picture_of(path)
    landmarks = FaceFinder().find(Pyramid(picture))[0].landmarks
    likeness = Likeness.of(picture, landmarks)
    region, crop = likeness.regions[256], likeness.crops[256]
    marks = apply(similarity(landmarks, template(256)), landmarks).round().astype(int)
    assert all(region[y, x] > 0.9 for x, y in marks)
    above = slice(0, marks[:2, 1].min() - 20)
    lightness = cv2.cvtColor(crop, cv2.COLOR_RGB2Lab)[above, :, 0]
    skin = np.median(cv2.cvtColor(crop, cv2.COLOR_RGB2Lab)[..., 0][region > 0.9])
    assert (region[above] * (lightness < 0.6 * skin)).max() < 0.35
