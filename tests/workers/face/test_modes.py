"""The classical ways to join a face: harmonic between the borders, no seam, nothing outside the mask."""

import cv2
import numpy as np
import pytest

from workers.face.modes import membrane, multiband, poisson

SIDE_PX = 128
YY, XX = np.mgrid[:SIDE_PX, :SIDE_PX].astype(np.float32) / SIDE_PX


def disc_mask() -> np.ndarray:
    depth = 0.35 - np.hypot(XX - 0.5, YY - 0.5)
    return np.clip(depth / 0.08, 0, 1).astype(np.float32)


def scene(seed: int, light: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (SIDE_PX, SIDE_PX, 3)).astype(np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 2) * 0.2
    return np.clip(light + 0.15 * XX[..., None] + texture, 0, 1).astype(np.float32)


def test_a_membrane_is_harmonic():
    """x^2 - y^2 and xy are: from the border alone they come back, to two levels of 255."""
    values = np.stack([XX**2 - YY**2, XX * YY, XX - YY], axis=2).astype(np.float32)
    inside = disc_mask() > 0
    holed = np.where(inside[..., None], 9.0, values).astype(np.float32)
    assert np.abs(membrane(holed, inside) - values).max() < 0.008


def test_a_membrane_without_inside_is_its_border():
    values = scene(1, 0.4)
    assert membrane(values, np.zeros((SIDE_PX, SIDE_PX), bool)) is values


def test_poisson_keeps_the_sources_gradients_and_the_targets_light():
    """A source darker by a fifth is lifted to the target around it; its texture stays."""
    target, source, mask = scene(1, 0.6), scene(2, 0.4), disc_mask()
    joined = poisson(target, source, mask)
    core = mask == 1
    shift = (joined - source)[core]
    assert abs(float(shift.mean()) - 0.2) < 0.04
    assert (
        np.corrcoef(np.diff(joined, axis=0)[core[1:]].ravel(), np.diff(source, axis=0)[core[1:]].ravel())[
            0, 1
        ]
        > 0.98
    )


@pytest.mark.parametrize("mode", [poisson, multiband])
def test_nothing_changes_outside_the_mask(mode):
    target, source, mask = scene(1, 0.6), scene(2, 0.4), disc_mask()
    joined = mode(target, source, mask)
    assert np.array_equal(joined[mask == 0], target[mask == 0])
    assert not np.array_equal(joined[mask == 1], target[mask == 1])


def test_bands_mix_light_broadly_and_detail_at_once():
    """Well inside, detail is the source's; the step in light at the rim is wider than the mask's."""
    target, source, mask = scene(1, 0.6), scene(2, 0.4), disc_mask()
    joined, plain = multiband(target, source, mask), target + mask[..., None] * (source - target)
    fine = [picture - cv2.GaussianBlur(picture, (0, 0), 1.5) for picture in (joined, source)]
    core = cv2.erode(mask, np.ones((15, 15))) == 1
    assert np.abs(fine[0] - fine[1])[core].max() < 0.01
    light = [cv2.GaussianBlur(picture, (0, 0), 4)[..., 1] for picture in (joined, plain)]
    steepest = [np.abs(np.diff(values, axis=1)[SIDE_PX // 2]).max() for values in light]
    assert steepest[0] < steepest[1]


@pytest.mark.parametrize("mode", [poisson, multiband])
def test_a_face_joined_to_itself_is_itself(mode):
    target = scene(1, 0.5)
    np.testing.assert_allclose(mode(target, target, disc_mask()), target, atol=1e-5)
