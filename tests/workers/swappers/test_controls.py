"""What each control of the fusion does, measured on a public-domain portrait."""

import cv2
import numpy as np
import pytest

from broker.messages import FuseSpec
from tests.workers.face.moving import COLLINS, HOPPER, SIDE_PX, frame_of, moving_picture, picture_of
from workers.face.align import ARCFACE_112, apply, similarity
from workers.face.pyramid import Pyramid
from workers.media.pictures import planes_of
from workers.swappers.contract import Source
from workers.swappers.portrait import PortraitSwapper

PLAIN = FuseSpec(engine="portrait")


@pytest.fixture(scope="module")
def swapper() -> PortraitSwapper:
    return PortraitSwapper()


@pytest.fixture(scope="module")
def source(swapper) -> Source:
    return swapper.prepare(HOPPER.read_bytes(), PLAIN)


@pytest.fixture(scope="module")
def given() -> np.ndarray:
    """Return a noisy frame: smoothing and sharpness have something to show."""
    dice = np.random.default_rng(2)
    noisy = moving_picture(2) + dice.normal(0, 3, (SIDE_PX, SIDE_PX, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def fused(swapper, source, given):
    """Return a function from controls to the planes of the fused frame, as R, G, B (H, W)."""

    def run(**controls: object) -> np.ndarray:
        frame = frame_of(given, 0, "gbrp")
        (out,) = swapper.run([frame], source, FuseSpec(engine="portrait", **controls))
        return np.stack(planes_of(out.picture), axis=2).astype(float)

    return run


def unlike_input(picture: np.ndarray, given: np.ndarray) -> float:
    return float(np.abs(picture - given).mean())


def strips(swapper, given) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where the frame shows a cheek, and where it shows the eyes."""
    marks = swapper._finder.find(Pyramid(given))[0].landmarks
    to_frame = similarity(ARCFACE_112, marks)
    cheek = apply(to_frame, np.array([[32, 74]], np.float32))[0].round().astype(int)
    x, y = marks[:2].mean(axis=0).round().astype(int)
    width = int(np.linalg.norm(marks[0] - marks[1]) * 0.7)
    return (
        (slice(cheek[1] - 5, cheek[1] + 6), slice(cheek[0] - 5, cheek[0] + 6)),
        (slice(y - 8, y + 9), slice(x - width, x + width)),
    )


def fine(picture: np.ndarray) -> np.ndarray:
    """Return what is finer than about two pixels."""
    return picture - cv2.GaussianBlur(picture, (0, 0), 2)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gbrp"])
@pytest.mark.parametrize("mode", ["normal", "blend", "overlay"])
def test_ratio_0_is_the_input_bit_for_bit(swapper, source, given, pix_fmt, mode):
    frame = frame_of(given, 0, pix_fmt)
    (out,) = swapper.run([frame], source, FuseSpec(engine="portrait", ratio=0.0, mode=mode, brightness=0.1))
    assert all(
        np.array_equal(a, b) for a, b in zip(planes_of(frame.picture), planes_of(out.picture), strict=True)
    )


def test_more_ratio_is_more_change(fused, given):
    """The distance from the input grows with the ratio, and about in proportion to it."""
    apart = [unlike_input(fused(ratio=ratio), given) for ratio in (0.25, 0.5, 0.75, 1.0)]
    assert apart == sorted(apart)
    assert apart[1] / apart[3] == pytest.approx(0.5, abs=0.05)


def test_smoothing_takes_texture_from_skin_and_leaves_the_eyes(swapper, fused, given):
    """Energy above two pixels falls with every step on the cheek; around the eyes more of it stays."""
    cheek, eyes = strips(swapper, given)
    energy = [fine(fused(smoothing=strength)) ** 2 for strength in (0.0, 0.4, 1.0)]
    on_cheek, at_eyes = ([float(values[part].mean()) for values in energy] for part in (cheek, eyes))
    assert on_cheek[1] < 0.85 * on_cheek[0]
    assert on_cheek[2] < 0.6 * on_cheek[0]
    assert at_eyes[2] / at_eyes[0] > 1.25 * on_cheek[2] / on_cheek[0]


@pytest.mark.parametrize("brightness", [-0.1, 0.05])
def test_brightness_moves_the_face_alone(fused, given, brightness):
    """The fused face by that share of the range, the rest of the frame by nothing."""
    plain, bright = fused(), fused(brightness=brightness)
    changed = (plain != given).any(axis=2)
    away = cv2.dilate(changed.astype(np.uint8), np.ones((9, 9))) == 0
    assert np.array_equal(bright[away], given[away])
    middle = cv2.erode(changed.astype(np.uint8), np.ones((41, 41))).astype(bool)
    assert middle.sum() > 200
    assert (bright - plain)[middle].mean() / 255 == pytest.approx(brightness, abs=0.01)


def test_modes_differ_and_keep_the_light(fused, given):
    """Three pictures, none alike, all with about the target's own colour on the face."""
    pictures = {mode: fused(mode=mode) for mode in ("normal", "blend", "overlay")}
    middle = cv2.erode((pictures["normal"] != given).any(axis=2).astype(np.uint8), np.ones((41, 41))) > 0
    for one, two in (("normal", "blend"), ("normal", "overlay"), ("blend", "overlay")):
        assert np.abs(pictures[one] - pictures[two])[middle].mean() > 0.5
    for picture in pictures.values():
        assert np.abs(np.median(picture[middle], axis=0) - np.median(given[middle], axis=0)).max() < 30


def test_the_threshold_decides_what_is_a_face(swapper, source):
    """A face so blurred that the detector is hardly sure counts at a low threshold, and not at a high one."""
    picture = picture_of(COLLINS)
    scores = {}
    for sigma in (6, 8, 10, 12, 14):
        blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
        faces = swapper._finder.find(Pyramid(blurred))
        if faces and 0.45 < faces[0].score < 0.94:
            scores[sigma] = (faces[0].score, blurred)
    score, blurred = next(iter(scores.values()))
    for threshold, num in ((score - 0.02, 1), (score + 0.02, 0)):
        spec = FuseSpec(engine="portrait", threshold=threshold)
        (out,) = swapper.run([frame_of(blurred, 0)], source, spec)
        assert out.num_faces == num
