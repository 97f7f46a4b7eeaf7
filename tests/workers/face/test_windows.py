"""Whatever the chunk plan, every frame's faces are the same, bit for bit: random videos, random plans."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.face.pyramid import Pyramid
from workers.face.track import RADIUS, Tracker
from workers.frames import Face

NUM_FRAMES = 48
WIDTH_PX, HEIGHT_PX = 96, 64
MARKS = np.array([[8, 8], [24, 8], [16, 16], [10, 24], [22, 24]], np.float32)


class Video:
    """Random shots of random texture; in each, two faces that shake, fade, and are missed now and then."""

    def __init__(self, seed: int, cuts: set[int], flashes: set[int]) -> None:
        dice = np.random.default_rng(seed)
        self.pictures, self.seen = [], []
        for index in range(NUM_FRAMES):
            if index == 0 or index in cuts:
                coarse = dice.integers(20, 180, (8, 12, 3), dtype=np.uint8)
                texture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
                at = dice.uniform((0, 0), (60, 30), (2, 2))
            noisy = np.clip(texture + dice.normal(0, 5, texture.shape) + 70 * (index in flashes), 0, 255)
            self.pictures.append(noisy.astype(np.uint8))
            at = at + dice.normal(0, 1, (2, 2))
            chances = dice.random(2)
            self.seen.append(tuple(_face(*at[i], dice) for i in range(2) if chances[i] < 0.7))

    def find(self, picture: Pyramid) -> tuple[Face, ...]:
        (index,) = [i for i, one in enumerate(self.pictures) if one is picture.picture]
        return self.seen[index]

    def look_at(self, picture: Pyramid, landmarks: np.ndarray) -> Face:
        shift = np.float32(picture.picture[4, 4, 0] % 3)  # a pure function of the picture, as the real one is
        return Face(box=(0, 0, 1, 1), landmarks=landmarks + shift, score=float(shift) / 2)

    def faces(self, start: int, end: int) -> list[tuple[Face, ...]]:
        """Return the faces of frames [start, end), as found with that chunk and its context."""
        tracker, found = Tracker(self), []
        first, last = max(0, start - RADIUS), min(NUM_FRAMES, end + RADIUS)
        for index in range(first, last):
            tracker.feed(index, Pyramid(self.pictures[index]))
        for index in range(start, end):
            tracker.forget(index - RADIUS)
            found.append(tracker.faces(index))
        return found


def _face(x: float, y: float, dice: np.random.Generator) -> Face:
    landmarks = (MARKS + np.array([x, y]) + dice.normal(0, 0.7, (5, 2))).astype(np.float32)
    return Face(box=(x, y, x + 32, y + 32), landmarks=landmarks, score=float(dice.uniform(0.4, 1)))


def _bits(faces: tuple[Face, ...]) -> list[tuple[object, ...]]:
    return [(face.box, face.landmarks.tobytes(), face.score) for face in faces]


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.sets(st.integers(1, NUM_FRAMES - 1), max_size=5),
    flashes=st.sets(st.integers(0, NUM_FRAMES - 1), max_size=3),
    borders=st.sets(st.integers(1, NUM_FRAMES - 1), min_size=1, max_size=6),
)
def test_windows_do_not_depend_on_the_plan(seed, cuts, flashes, borders):
    """Boxes, landmarks and scores of a split video are those of the whole one."""
    video = Video(seed, cuts, flashes)
    whole = video.faces(0, NUM_FRAMES)
    edges = [0, *sorted(borders), NUM_FRAMES]
    parts = [faces for start, end in itertools.pairwise(edges) for faces in video.faces(start, end)]
    assert [_bits(faces) for faces in parts] == [_bits(faces) for faces in whole]


def test_the_videos_are_worth_splitting():
    """In such a video faces come, go and are smoothed: the property has something to hold."""
    video = Video(1, {20}, {9})
    whole = video.faces(0, NUM_FRAMES)
    assert any(len(faces) > len(seen) for faces, seen in zip(whole, video.seen, strict=True))
    seen = {_bits(faces)[0][1] for faces in video.seen if faces}
    assert not any(_bits(faces)[0][1] in seen for faces in whole[4:12] if faces)
