"""Cuts are found at any light and in any rhythm; motion, noise, flashes and dissolves are none."""

import cv2
import numpy as np
import pytest

from tests.workers.face.moving import COLLINS, HOPPER, moving_picture, picture_of
from workers.face.cuts import REACH, Sketch, is_cut, unlike

WIDTH_PX, HEIGHT_PX = 320, 180


def shot(path, num: int, *, light: float = 1.0, speed: float = 0.004, zoom: float = 1.3) -> list[np.ndarray]:
    """Return frames of a camera that pans over a portrait by `speed` of the width a frame, with its noise."""
    picture, noise = picture_of(path), np.random.default_rng(3)
    scale = max(WIDTH_PX / picture.shape[1], HEIGHT_PX / picture.shape[0]) * zoom
    frames = []
    for i in range(num):
        matrix = np.array([[scale, 0, -speed * i * WIDTH_PX], [0, scale, -0.1 * HEIGHT_PX]], np.float32)
        frame = cv2.warpAffine(picture, matrix, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REFLECT)
        frames.append(np.clip(frame * light + noise.normal(0, 4, frame.shape), 0, 255).astype(np.uint8))
    return frames


def cuts(frames: list[np.ndarray]) -> list[int]:
    """Return the frames that begin a new shot."""
    sketches = [Sketch.of(frame) for frame in frames]
    return [
        i
        for i in range(1, len(frames))
        if is_cut(sketches[max(0, i - 1 - REACH) : i], sketches[i : i + 1 + REACH])
    ]


@pytest.mark.parametrize("light", [1.0, 0.4, 0.12])
@pytest.mark.parametrize("first, second", [(COLLINS, HOPPER), (HOPPER, COLLINS)])
def test_a_hard_cut_is_found_at_its_frame(first, second, light):
    """Between two portraits framed alike, in daylight and in the dark."""
    assert cuts(shot(first, 5, light=light) + shot(second, 5, light=light)) == [5]


def test_a_cut_to_a_close_view_of_the_same_scene_is_found():
    """The same person, nearer: another shot."""
    assert cuts(shot(COLLINS, 5) + shot(COLLINS, 5, zoom=2.6)) == [5]


def test_shots_of_a_few_frames_each():
    """A montage with a cut at every third frame."""
    frames = [frame for i in range(4) for frame in shot((COLLINS, HOPPER)[i % 2], 3, zoom=1.3 + i // 2)]
    assert cuts(frames) == [3, 6, 9]


@pytest.mark.parametrize("speed", [0.0, 0.06, 0.15])
@pytest.mark.parametrize("path", [COLLINS, HOPPER])
def test_a_moving_camera_is_no_cut(path, speed):
    """Still, a fast pan, and a whip pan that crosses the picture in seven frames."""
    assert cuts(shot(path, 8, speed=speed)) == []


def test_a_moving_head_is_no_cut():
    """A head that nods and turns fills the picture."""
    assert cuts([moving_picture(i) for i in range(20)]) == []


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("light", [1.8, 3.0])
def test_a_flash_is_no_cut(length, light):
    """One or two frames, brighter or burnt out, and then the same shot again."""
    frames = shot(COLLINS, 9)
    for i in range(4, 4 + length):
        frames[i] = np.clip(frames[i] * light + 60, 0, 255).astype(np.uint8)
    assert unlike(Sketch.of(frames[3]), Sketch.of(frames[4])) > 0.3, "the flash must show"
    assert cuts(frames) == []


def test_a_dissolve_is_no_cut():
    """Over eight frames, no two of which differ by much: smoothing goes on through it."""
    first, second = shot(COLLINS, 16), shot(HOPPER, 16)
    share = np.clip((np.arange(16) - 4) / 8, 0, 1)
    frames = [
        np.asarray(cv2.addWeighted(first[i], 1 - share[i], second[i], share[i], 0), np.uint8)
        for i in range(16)
    ]
    assert cuts(frames) == []


def test_flat_pictures_are_told_by_their_light():
    """Black to grey is a cut; black with noise to black with noise is none."""
    noise = np.random.default_rng(1)
    dark = [noise.integers(0, 8, (90, 160, 3), dtype=np.uint8) for _ in range(4)]
    grey = [np.full((90, 160, 3), 128, np.uint8) for _ in range(4)]
    assert cuts(dark + grey) == [4]
    assert cuts(dark) == []
