"""The portrait engine fuses every face, chunks leave no trace, and the rest of the picture keeps its bits."""

import itertools
from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.messages import FuseSpec
from tests.workers.face.moving import (
    COLLINS,
    HOPPER,
    SIDE_PX,
    BlinkingFinder,
    frame_of,
    motion,
    moving_picture,
    picture_of,
    with_mark,
)
from workers.errors import NoFaceFound, NoSuchFace, NotAPicture
from workers.face import tone
from workers.face.align import apply
from workers.face.pyramid import Pyramid
from workers.face.track import RADIUS
from workers.frames import Frame
from workers.media.pictures import planes_of
from workers.swappers import open_swapper
from workers.swappers.contract import Source, Swapper
from workers.swappers.portrait import PortraitSwapper

FUSE = FuseSpec(engine="portrait")
NUM_FRAMES = 30
BLIND = {4, 12, 13, 14, 15, 22, 29}  # frames in which the detector sees nothing


def paste(x: torch.Tensor, mask: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Fuse by the plain formula, which is also what an untrained network does."""
    return mask * x[:, 3:] + (1 - mask) * target


@pytest.fixture(scope="module")
def swapper() -> PortraitSwapper:
    swapper = PortraitSwapper(fusion=paste)
    swapper._finder = BlinkingFinder()
    return swapper


@pytest.fixture(scope="module")
def source(swapper: PortraitSwapper) -> Source:
    return swapper.prepare(HOPPER.read_bytes(), FUSE)


@pytest.fixture(scope="module")
def clip() -> list[Frame]:
    """Return a moving head, with frames that the detector misses and a cut to another shot at 25."""
    pictures = [moving_picture(i) for i in range(25)] + [moving_picture(i + 40)[:, ::-1] for i in range(5)]
    return [
        frame_of(with_mark(picture) if i in BLIND else np.ascontiguousarray(picture), i)
        for i, picture in enumerate(pictures)
    ]


@pytest.fixture(scope="module")
def whole(swapper: PortraitSwapper, source: Source, clip: list[Frame]) -> list[Frame]:
    return list(swapper.run(iter(clip), source, FUSE))


def chunk(clip: list[Frame], start: int, end: int, radius: int) -> Iterator[Frame]:
    """Yield frames [start, end) with their context, as the farm sends them."""
    for frame in clip[max(0, start - radius) : end + radius]:
        yield Frame(
            picture=frame.picture, index=frame.index, pts=frame.pts, is_context=not start <= frame.index < end
        )


def same(one: av.VideoFrame, two: av.VideoFrame) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(planes_of(one), planes_of(two), strict=True))


def jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def test_it_is_a_swapper(swapper):
    """The engine has what the contract asks for, and warms up."""
    checked: Swapper = swapper
    checked.warm()
    assert checked.radius == RADIUS + tone.REACH


def test_every_frame_gets_the_face_once_and_in_order(whole, clip):
    """Frames come out once, in order, with their times, and none flashes back to the original face."""
    assert [(frame.index, frame.pts) for frame in whole] == [(i, i) for i in range(NUM_FRAMES)]
    assert [frame.num_faces for frame in whole] == [1] * NUM_FRAMES
    assert not any(same(frame.picture, given.picture) for frame, given in zip(whole, clip, strict=True))


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(borders=st.sets(st.integers(1, NUM_FRAMES - 1), min_size=1, max_size=2))
def test_chunks_leave_no_trace(swapper, source, clip, whole, borders):
    """Any chunk plan, each chunk with its context, gives the same frames as one run, bit for bit."""
    edges = [0, *sorted(borders), NUM_FRAMES]
    parts: list[Frame] = []
    for start, end in itertools.pairwise(edges):
        parts += swapper.run(chunk(clip, start, end, swapper.radius), source, FUSE)
    assert [frame.index for frame in parts] == [frame.index for frame in whole]
    assert all(same(part.picture, one.picture) for part, one in zip(parts, whole, strict=True))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gbrp", "rgb24"])
def test_pixels_away_from_the_face_keep_their_bits(swapper, source, pix_fmt):
    """Everything beyond the face's outline is the input's own, and input frames stay as they were."""
    frame = frame_of(moving_picture(2), 0, pix_fmt)
    before = [plane.copy() for plane in planes_of(frame.picture)]
    fused = next(swapper.run([frame], source, FUSE))
    assert all(np.array_equal(a, b) for a, b in zip(before, planes_of(frame.picture), strict=True))
    changed = np.argwhere(before[0] != planes_of(fused.picture)[0])
    assert len(changed) > 2000
    marks = apply(motion(2), swapper._finder.find(Pyramid(picture_of(COLLINS)))[0].landmarks)
    eyes_px = float(np.linalg.norm(marks[0] - marks[1]))
    reach = np.abs(changed[:, ::-1] - marks.mean(axis=0)).max(axis=0) / eyes_px
    assert reach[0] < 1.3
    assert reach[1] < 1.8


def test_the_face_becomes_the_source(swapper, source):
    """Under the mask the picture is nearer to the source's features than to the target's own."""
    given = moving_picture(2)
    fused = next(swapper.run([frame_of(given, 0, "yuv444p")], source, FUSE)).picture.to_ndarray(
        format="rgb24"
    )
    marks = apply(motion(2), swapper._finder.find(Pyramid(picture_of(COLLINS)))[0].landmarks)
    x, y = marks[:2].mean(axis=0).round().astype(int)
    strip = np.s_[y - 10 : y + 10, x - 25 : x + 25]
    difference = np.abs(fused[strip].astype(int) - given[strip]).mean()
    assert difference > 8
    mean = [
        np.median(picture[y + 8 : y + 60, x - 20 : x + 20].reshape(-1, 3), axis=0)
        for picture in (fused, given)
    ]
    assert np.abs(mean[0] - mean[1]).max() < 30, "the source's own colours show"


def test_the_shipped_network_fuses_chunk_by_chunk_alike(clip):
    """The engine as it ships gives one frame the same bits within a longer run and alone with its context."""
    shipped = open_swapper("portrait")
    source = shipped.prepare(HOPPER.read_bytes(), FUSE)
    run = list(shipped.run(iter(clip[:14]), source, FUSE))
    alone = list(shipped.run(chunk(clip[:14], 2, 3, shipped.radius), source, FUSE))
    assert [frame.index for frame in alone] == [2]
    assert alone[0].num_faces == 1
    assert same(alone[0].picture, run[2].picture)


def test_memory_is_bounded(swapper, source):
    """At most radius + 1 frames are taken in before the first comes out, however many there are."""
    taken = 0

    def endless() -> Iterator[Frame]:
        nonlocal taken
        while True:
            yield frame_of(moving_picture(taken % 7), taken)
            taken += 1

    frames = swapper.run(endless(), source, FUSE)
    for number in range(3):
        assert next(frames).index == number
        assert taken <= number + swapper.radius


def test_largest_only(swapper, source):
    """With `faces` set to "largest", the smaller of two faces keeps its bits."""
    small = np.asarray(cv2.resize(moving_picture(0), (180, 180), interpolation=cv2.INTER_AREA))
    both = np.zeros((SIDE_PX, SIDE_PX + 180, 3), np.uint8)
    both[:, :SIDE_PX] = moving_picture(2)
    both[:180, SIDE_PX:] = small
    results = {}
    for faces in ("all", "largest"):
        fuse = FuseSpec(engine="portrait", faces=faces)
        results[faces] = next(swapper.run([frame_of(both, 0, "yuv444p")], source, fuse))
    given = frame_of(both, 0, "yuv444p").picture
    assert (results["all"].num_faces, results["largest"].num_faces) == (2, 1)
    kept = np.s_[:, SIDE_PX + 20 :]
    assert np.array_equal(planes_of(results["largest"].picture)[0][kept], planes_of(given)[0][kept])
    assert not np.array_equal(planes_of(results["all"].picture)[0][kept], planes_of(given)[0][kept])


def test_no_face_no_change(swapper, source):
    """A frame without a face goes through untouched: the very same picture."""
    frame = frame_of(np.full((120, 160, 3), 70, np.uint8), 0)
    out = next(swapper.run([frame], source, FUSE))
    assert out.picture is frame.picture
    assert out.num_faces == 0


@pytest.mark.parametrize("content", [b"", b"no picture at all", COLLINS.read_bytes()[:200]])
def test_what_is_no_picture_is_refused(swapper, content):
    """Nothing, text and a cut-off file are refused as no picture."""
    with pytest.raises(NotAPicture, match="portrait"):
        swapper.prepare(content, FUSE)


def test_a_picture_without_a_face_is_refused(swapper):
    """A landscape is refused, with a hint at what would do."""
    with pytest.raises(NoFaceFound, match="no face was found"):
        swapper.prepare(jpeg(np.full((200, 200, 3), 90, np.uint8)), FUSE)


def test_the_asked_for_face_is_taken(swapper):
    """Faces count from left to right; the largest is the default; one too many is refused with the boxes."""
    left = np.asarray(cv2.resize(picture_of(COLLINS)[:400], None, fx=0.8, fy=0.8))
    group = np.zeros((400, left.shape[1] + 512, 3), np.uint8)
    group[: left.shape[0], : left.shape[1]] = left
    group[:, left.shape[1] :] = picture_of(HOPPER)[:400]
    content = jpeg(group)
    source = swapper.prepare(content, FUSE)
    assert len(source.faces) == 2
    assert source.faces[0].box[0] < source.faces[1].box[0]
    assert source.chosen == 1
    assert swapper.prepare(content, FuseSpec(engine="portrait", source_face=0)).chosen == 0
    x0, y0, *_ = (round(v) for v in source.faces[1].box)
    with pytest.raises(NoSuchFace, match=rf"no face 2.*1: \({x0}, {y0}\)"):
        swapper.prepare(content, FuseSpec(engine="portrait", source_face=2))
    with pytest.raises(NoSuchFace):
        swapper.prepare(content, FuseSpec(engine="portrait", source_face=-1))


def test_portraits_are_turned_as_their_exif_says(swapper):
    """A picture stored on its side, with an EXIF orientation, gives the face of the upright one."""
    upright = swapper.prepare(jpeg(picture_of(COLLINS)), FUSE)
    lying = jpeg(np.ascontiguousarray(np.rot90(picture_of(COLLINS))))
    tag = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"  # orientation 6: turn right to see it upright
    exif = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" + tag + b"\x00\x00\x00\x00"
    marked = lying[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + lying[2:]
    turned = swapper.prepare(marked, FUSE)
    np.testing.assert_allclose(turned.faces[0].landmarks, upright.faces[0].landmarks, atol=1.5)
