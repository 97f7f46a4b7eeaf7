"""Faces are followed through gaps, calm, without a look further than the radius."""

import cv2
import numpy as np
import pytest

from tests.workers.face.moving import (
    COLLINS,
    HOPPER,
    SIDE_PX,
    BlinkingFinder,
    motion,
    moving_picture,
    picture_of,
    with_mark,
)
from workers.face.align import apply
from workers.face.flow import follow
from workers.face.pyramid import Pyramid
from workers.face.sighting import same_face
from workers.face.track import GAP, RADIUS, SMOOTH, Tracker
from workers.frames import Face


@pytest.fixture(scope="module")
def finder() -> BlinkingFinder:
    return BlinkingFinder()


@pytest.fixture(scope="module")
def still(finder: BlinkingFinder) -> np.ndarray:
    """Return the landmarks in the portrait that the moving frames are warped from."""
    return finder.find(Pyramid(picture_of(COLLINS)))[0].landmarks


def tracked(finder: BlinkingFinder, pictures: list[np.ndarray], first: int = 0) -> Tracker:
    tracker = Tracker(finder)
    for offset, picture in enumerate(pictures):
        tracker.feed(first + offset, Pyramid(picture))
    return tracker


def shown(blind: set[int], num: int) -> list[np.ndarray]:
    """Return moving frames, those in `blind` marked so that the detector sees nothing."""
    return [with_mark(moving_picture(i)) if i in blind else moving_picture(i) for i in range(num)]


def truth(still: np.ndarray, index: int) -> np.ndarray:
    return apply(motion(index), still)


@pytest.mark.parametrize("blind", [{5}, {4, 5, 6, 7, 8}, set(range(GAP + 1, 2 * GAP + 4))])
def test_gaps_between_sightings_are_filled(finder, still, blind):
    """Every frame of a gap has the face, where it is: within 3 % of the face's side (96 px here)."""
    num = max(blind) + 6
    tracker = tracked(finder, shown(blind, num))
    for index in sorted(blind):
        faces = tracker.faces(index)
        assert len(faces) == 1
        assert np.abs(faces[0].landmarks - truth(still, index)).max() < 3


@pytest.mark.parametrize("blind", [set(range(6)), set(range(8, 14))])
def test_ends_are_filled(finder, still, blind):
    """Where the face is not found up to the first or last frame, it is followed there from one side."""
    tracker = tracked(finder, shown(blind, 14))
    for index in sorted(blind):
        faces = tracker.faces(index)
        assert len(faces) == 1
        assert np.abs(faces[0].landmarks - truth(still, index)).max() < 3


def test_a_face_that_went_away_is_not_invented(finder):
    """When the picture turns grey, no face stays behind in it."""
    pictures = shown(set(), 4) + [np.full((SIDE_PX, SIDE_PX, 3), 118, np.uint8)] * 6
    tracker = tracked(finder, pictures)
    assert len(tracker.faces(3)) == 1
    assert all(tracker.faces(index) == () for index in range(4, 10))


def test_nothing_crosses_a_cut(finder):
    """Landmarks on either side of a cut are those that the shot has alone."""
    other = np.asarray(cv2.resize(picture_of(HOPPER)[:512], (SIDE_PX, SIDE_PX)))
    whole = tracked(finder, shown(set(), 4) + [other] * 3)
    alone, after = tracked(finder, shown(set(), 4)), tracked(finder, [other] * 3)
    for index in range(4):
        assert np.array_equal(whole.faces(index)[0].landmarks, alone.faces(index)[0].landmarks)
    for index in range(4, 7):
        assert np.array_equal(whole.faces(index)[0].landmarks, after.faces(index - 4)[0].landmarks)


def test_answer_looks_no_further_than_the_radius(finder):
    """A tracker that has only frames [t - RADIUS, t + RADIUS] says the same, bit for bit, as one with all."""
    blind = {2, 9, 10, 11, 12, 20, 21, 22, 26, 27}
    pictures = shown(blind, 34)
    whole = tracked(finder, pictures)
    for index in (0, 11, 17, 21, 27, 33):
        first = max(0, index - RADIUS)
        part = tracked(finder, pictures[first : index + RADIUS + 1], first)
        one, two = part.faces(index), whole.faces(index)
        assert [face.box for face in one] == [face.box for face in two]
        assert all(np.array_equal(a.landmarks, b.landmarks) for a, b in zip(one, two, strict=True))


def test_landmarks_are_calmer_than_seen_and_do_not_lag(finder, still):
    """Smoothing lessens the jitter (second difference) and keeps the mean offset from the truth."""
    num = 24
    tracker = tracked(finder, shown(set(), num))
    true = np.array([truth(still, i) for i in range(num)])
    seen = np.array([finder.find(Pyramid(moving_picture(i)))[0].landmarks for i in range(num)]) - true
    smooth = np.array([tracker.faces(i)[0].landmarks for i in range(num)]) - true
    assert np.diff(smooth[2:-2], 2, axis=0).std() < 0.5 * np.diff(seen[2:-2], 2, axis=0).std()
    assert np.abs(smooth[2:-2].mean(axis=(0, 1)) - seen[2:-2].mean(axis=(0, 1))).max() < 0.1


def test_a_still_face_under_sensor_noise_keeps_still(finder):
    """RMS second difference with smoothing is at most 0.3 of that without, with noise of 5 levels."""
    dice, num = np.random.default_rng(5), 16
    still = moving_picture(3).astype(float)
    noisy = [np.clip(still + dice.normal(0, 5, still.shape), 0, 255).astype(np.uint8) for _ in range(num)]
    tracker = tracked(finder, noisy)
    inner = range(SMOOTH, num - SMOOTH)
    seen = np.array([finder.find(Pyramid(noisy[i]))[0].landmarks for i in inner], float)
    smooth = np.array([tracker.faces(i)[0].landmarks for i in inner], float)
    jitter = [np.sqrt((np.diff(marks, 2, axis=0) ** 2).mean()) for marks in (smooth, seen)]
    assert jitter[0] < 0.3 * jitter[1]


def test_a_flash_keeps_its_face(finder, still):
    """A frame burnt out by a photographer's flash has the face all the same, and where it is."""
    pictures = shown(set(), 12)
    pictures[6] = np.clip(pictures[6] * 1.7 + 50.0, 0, 255).astype(np.uint8)
    faces = tracked(finder, pictures).faces(6)
    assert len(faces) == 1
    assert np.abs(faces[0].landmarks - truth(still, 6)).max() < 3


class _Scripted:
    """A finder that says what it is told; for what a real picture cannot be made to show on demand."""

    def __init__(self, script: list[tuple[Face, ...]]) -> None:
        self._script = iter(script)

    def find(self, picture: Pyramid) -> tuple[Face, ...]:
        return next(self._script)

    def look_at(self, picture: Pyramid, landmarks: np.ndarray) -> Face:
        return Face(box=(0, 0, 1, 1), landmarks=landmarks, score=0.0)


def at(x: float, score: float) -> Face:
    landmarks = np.array([[8, 8], [24, 8], [16, 16], [10, 24], [22, 24]], np.float32) + np.array(
        [x, 10], np.float32
    )
    return Face(box=(x, 10, x + 32, 42), landmarks=landmarks, score=score)


def test_weak_flash_is_dropped_and_strong_one_kept():
    """A face in one frame of eleven falls unless it is certain; one that recurs stays, weak or not."""
    steady = [at(10, 0.99 if i % 3 else 0.5) for i in range(11)]
    script = [(face, at(100, 0.85), at(180, 0.97)) if i == 5 else (face,) for i, face in enumerate(steady)]
    tracker = Tracker(_Scripted(script))
    for index in range(11):
        tracker.feed(index, Pyramid(np.full((64, 240, 3), 90, np.uint8)))
    assert [round(face.box[0]) for face in tracker.faces(5)] == [10, 180]
    assert all(len(tracker.faces(index)) == 1 for index in (0, 3, 9, 10))


def test_memory_is_bounded_by_forgetting(finder):
    """What was forgotten is gone; what lies within the radius is still answered."""
    tracker = tracked(finder, shown(set(), 6))
    tracker.forget(3)
    assert len(tracker.faces(4)) == 1
    with pytest.raises(KeyError):
        tracker.faces(2)


def test_same_face_takes_the_nearest():
    """Of two candidates the one that overlaps more is the same face; without enough overlap none is."""
    assert same_face(at(10, 0.9), (at(18, 0.9), at(12, 0.5))).box[0] == 12
    assert same_face(at(10, 0.9), (at(60, 0.9),)) is None
    assert same_face(at(10, 0.9), ()) is None


def test_flow_follows_a_known_motion(still):
    """Landmarks are carried along a known motion to half a pixel, and refused where the face is gone."""
    gray = [np.asarray(cv2.cvtColor(moving_picture(i), cv2.COLOR_RGB2GRAY)) for i in (3, 4)]
    moved = follow(gray[0], gray[1], truth(still, 3))
    assert moved is not None
    assert np.abs(moved - truth(still, 4)).max() < 0.5
    blank = np.random.default_rng(0).integers(0, 255, gray[0].shape, np.uint8)
    assert follow(gray[0], blank, truth(still, 3)) is None
