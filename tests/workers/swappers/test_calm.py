"""Colours of fused faces are smoothed over neighbours, follow the light at once, and stop at cuts."""

import av
import numpy as np
import pytest

from workers.face import align
from workers.face.align import ARCFACE_112
from workers.face.patch import Patch
from workers.face.tone import CELLS, REACH, calming, tone_of, toned
from workers.frames import Frame
from workers.media.pictures import planes_of
from workers.swappers.calm import Fused, calmed

SIDE_PX = 128
MARKS = np.asarray(ARCFACE_112 + 20, np.float32)


def fused(index: int, tone: float, *, x: float = 0.0, begins: bool = False, context: bool = False) -> Fused:
    """Return a grey frame with one patch of another grey, and that tone."""
    picture = av.VideoFrame.from_ndarray(np.full((160, 200, 3), 100, np.uint8), format="rgb24")
    picture = picture.reformat(format="gbrp")
    marks = np.asarray(MARKS + np.array([x, 0]), np.float32)
    patch = Patch(
        landmarks=marks,
        matrix=align.similarity(marks, align.template(SIDE_PX)),
        fused=np.full((SIDE_PX, SIDE_PX, 3), 0.6 + tone, np.float32),
        mask=np.pad(np.ones((64, 64), np.float32), 32),
        tone=np.full((CELLS, CELLS, 3), tone, np.float32),
    )
    frame = Frame(picture=picture, index=index, pts=index, is_context=context)
    return Fused(frame=frame, patches=[patch], begins_shot=begins)


def levels(frames) -> list[int]:
    """Return each frame's level in the middle of its patch."""
    return [int(planes_of(frame.picture)[0][86, 76]) for frame in frames]


def test_a_tone_that_trembles_comes_to_rest():
    """Up and down by five levels in turn: the binomial window takes all of it away."""
    stream = [fused(i, 5 / 255 * (-1) ** i) for i in range(12)]
    frames = list(calmed(stream, ratio=1.0))
    assert [frame.index for frame in frames] == list(range(12))
    assert max(abs(level - 153) for level in levels(frames)[REACH:-REACH]) <= 1


def test_a_steady_drift_is_left_alone():
    stream = [fused(i, i / 255) for i in range(10)]
    assert levels(calmed(stream, ratio=1.0)) == [153 + i for i in range(10)]


def test_nothing_crosses_a_cut():
    """Each shot as it is alone."""
    frames = [fused(i, 0.0 if i < 5 else 0.2, begins=i in (0, 5)) for i in range(10)]
    assert levels(calmed(frames, ratio=1.0)) == [153] * 5 + [204] * 5


def test_another_face_elsewhere_is_another_face():
    stream = [fused(i, 0.0 if i % 2 else 0.2, x=0.0 if i % 2 else 45.0) for i in range(8)]
    assert levels(calmed(stream, ratio=1.0))[1::2] == [153] * 4


def test_context_is_looked_at_and_not_put_out():
    """With its context a chunk gives what the whole gives."""
    tones = np.random.default_rng(4).normal(0, 0.03, 12)
    whole = list(calmed((fused(i, tones[i]) for i in range(12)), ratio=1.0))
    part = (fused(i, tones[i], context=not 4 <= i < 7) for i in range(4 - REACH, 7 + REACH))
    frames = list(calmed(part, ratio=1.0))
    assert [frame.index for frame in frames] == [4, 5, 6]
    assert levels(frames) == levels(whole[4:7])


def test_a_tone_is_what_was_added_less_the_light():
    """More light on the target, followed by the fusion, is no change of tone; a cast is."""
    mask = np.pad(np.ones((64, 64), np.float32), 32)
    placed = np.full((SIDE_PX, SIDE_PX, 3), 0.3, np.float32)
    target = np.full((SIDE_PX, SIDE_PX, 3), 0.5, np.float32)
    dim = tone_of(target + 0.1, placed, target, mask)
    bright = tone_of(target + 0.3, placed, target + 0.2, mask)
    under = np.s_[5:11, 5:11]
    np.testing.assert_allclose(dim[under], bright[under], atol=1e-5)
    cast = tone_of(target + np.array([0.15, 0.1, 0.1], np.float32), placed, target, mask)
    np.testing.assert_allclose((cast - dim)[under][..., 0], 0.05, atol=1e-3)


def test_a_tone_changes_nothing_outside_the_mask():
    mask = np.pad(np.ones((64, 64), np.float32), 32)
    face = np.random.default_rng(1).random((SIDE_PX, SIDE_PX, 3)).astype(np.float32)
    changed = toned(face, np.full((CELLS, CELLS, 3), 0.1, np.float32), mask)
    assert np.array_equal(changed[mask == 0], face[mask == 0])
    assert (changed - face)[mask == 1].mean() > 0.05


@pytest.mark.parametrize("num", [1, 3, 5])
def test_the_window_weighs_by_distance(num):
    """An impulse beside gives its weight; alone, nothing changes."""
    window = [np.zeros((CELLS, CELLS, 3), np.float32) for _ in range(num)]
    assert not calming(window).any()
    if num > 1:
        window[1] += 1
        np.testing.assert_allclose(calming(window), 4 / {3: 14, 5: 16}[num])
