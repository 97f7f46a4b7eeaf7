"""Regions are read as RGB and changed in place, and everything else keeps its bits."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.media.pictures import copy_of, native, planes_of
from workers.media.planes import Canvas

NATIVE = [
    "yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuv411p", "yuva420p",
    "yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv420p12le", "yuv422p12le", "yuv420p16le", "yuv444p16le",
    "gbrp", "gbrp10le", "gbrp12le", "gbrp16le", "gbrap", "gray", "gray10le", "gray16le", "rgb24", "bgr24",
    "ya8", "ya16le", "ya16be",
]  # fmt: skip
TWINS = {
    "nv12": "yuv420p", "nv16": "yuv422p", "yuyv422": "yuv422p", "uyvy422": "yuv422p", "p010le": "yuv420p10le",
    "p016le": "yuv420p16le", "rgba": "gbrap", "bgr0": "gbrp", "rgb48le": "gbrp16le",
}  # fmt: skip


def noise(pix_fmt: str, width: int = 70, height: int = 46, seed: int = 0) -> av.VideoFrame:
    """Return a frame of random samples, each within its channel's depth."""
    picture = av.VideoFrame(width, height, pix_fmt)
    rng = np.random.default_rng(seed)
    for plane in picture.planes:
        np.frombuffer(memoryview(plane), np.uint8)[:] = rng.integers(0, 256, plane.buffer_size)
    bits = picture.format.components[0].bits
    if 8 < bits < 16:
        kept = (1 << bits) - 1 if not pix_fmt.startswith("p0") else (0xFFFF << (16 - bits)) & 0xFFFF
        for plane in picture.planes:
            np.frombuffer(memoryview(plane), np.uint16)[:] &= kept
    return picture


def arrays(picture: av.VideoFrame) -> list[np.ndarray]:
    return [plane.copy() for plane in planes_of(picture)]


def coverage(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return, brute force, which samples of a plane have all their pixels in the mask (H, W)."""
    step_y, step_x = -(-mask.shape[0] // shape[0]), -(-mask.shape[1] // shape[1])
    blocks = [
        [mask[y * step_y : (y + 1) * step_y, x * step_x : (x + 1) * step_x].all() for x in range(shape[1])]
        for y in range(shape[0])
    ]
    return np.asarray(blocks)


@pytest.mark.parametrize("pix_fmt", NATIVE)
@pytest.mark.parametrize("size", [(70, 46), (71, 45)])
def test_outside_the_mask_every_sample_keeps_its_bits(pix_fmt, size):
    """A change touches exactly the samples whose pixels all lie in the mask, and never the given frame."""
    picture = noise(pix_fmt, *size)
    before = arrays(picture)
    canvas = Canvas(picture)
    x0, y0, x1, y1 = roi = canvas.fit((9, 7, size[0] + 30, 41))
    mask = np.zeros((y1 - y0, x1 - x0), np.float32)
    mask[3:-4, 5:] = 0.01
    canvas.add(roi, np.full((*mask.shape, 3), 0.31, np.float32), mask)
    whole = np.zeros((size[1], size[0]), bool)
    whole[y0:y1, x0:x1] = mask > 0
    for old, kept, new in zip(before, arrays(picture), arrays(canvas.picture), strict=True):
        assert np.array_equal(old, kept)
        covered = coverage(whole, old.shape)
        assert np.array_equal(old[~covered], new[~covered])
    assert (before[0] != arrays(canvas.picture)[0]).any()


@pytest.mark.parametrize("pix_fmt", NATIVE)
def test_no_change_changes_nothing(pix_fmt):
    """Adding zero under a full mask keeps every bit: nothing is lost on the way to RGB and back."""
    picture = noise(pix_fmt)
    canvas = Canvas(picture)
    roi = canvas.fit((0, 0, 70, 46))
    canvas.add(roi, np.zeros_like(canvas.read(roi)), np.ones((46, 70), np.float32))
    assert all(np.array_equal(a, b) for a, b in zip(arrays(picture), arrays(canvas.picture), strict=True))


@pytest.mark.parametrize(
    "pix_fmt", ["yuv444p", "yuv444p10le", "yuv444p16le", "gbrp", "gbrp10le", "gbrp16le", "rgb24"]
)
def test_what_is_written_is_read(pix_fmt):
    """Without subsampling, a picture that is written over any other is read again to two steps of 8 bits."""
    canvas = Canvas(noise(pix_fmt))
    roi = canvas.fit((4, 4, 60, 40))
    wanted = np.random.default_rng(1).uniform(0, 1, canvas.read(roi).shape).astype(np.float32)
    canvas.add(roi, wanted - canvas.read(roi), np.ones(wanted.shape[:2], np.float32))
    assert np.abs(canvas.read(roi) - wanted).max() < 2 / 255


@pytest.mark.parametrize(
    ("colorspace", "color_range", "height", "matrix", "reach"),
    [(1, 1, 240, "bt709", 1), (5, 1, 240, "bt601", 1), (2, 0, 240, "bt601", 1), (2, 0, 720, "bt709", 1),
     (9, 1, 240, "bt2020", 1), (1, 2, 240, "bt709", 2)],
)  # fmt: skip
def test_colours_are_those_that_ffmpeg_sees(colorspace, color_range, height, matrix, reach):
    """A frame's marks choose matrix and range; unmarked ones count as BT.709 from 720 lines up."""
    picture = av.VideoFrame(64, height, "yuv444p")
    for plane, value in zip(picture.planes, (150, 110, 160), strict=True):
        np.frombuffer(memoryview(plane), np.uint8)[:] = value
    picture.colorspace, picture.color_range = colorspace, color_range
    shares = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}[matrix]
    luma, cb, cr = ((150 - 16) / 219, -18 / 224, 32 / 224) if reach == 1 else (150 / 255, -18 / 255, 32 / 255)
    red, blue = luma + 2 * (1 - shares[0]) * cr, luma + 2 * (1 - shares[1]) * cb
    green = (luma - shares[0] * red - shares[1] * blue) / (1 - sum(shares))
    np.testing.assert_allclose(Canvas(picture).read((0, 0, 2, 2))[0, 0], [red, green, blue], atol=1e-4)
    if colorspace == 1 and reach == 1:
        theirs = picture.to_ndarray(format="rgb24")[0, 0] / 255
        np.testing.assert_allclose(theirs, [red, green, blue], atol=1.5 / 255)


@pytest.mark.parametrize(("pix_fmt", "twin"), TWINS.items())
def test_packed_formats_get_a_planar_twin_without_loss(pix_fmt, twin):
    """A packed frame becomes planar at its own depth; turned back, it is what it was."""
    picture = noise(pix_fmt, 64, 32)
    picture.pts, picture.time_base = 7, Fraction(1, 24)
    planar = native(picture)
    assert (planar.format.name, planar.pts, planar.time_base) == (twin, 7, Fraction(1, 24))
    again = planar.reformat(format=pix_fmt)
    for one, two in zip(picture.planes, again.planes, strict=True):
        old, new = np.frombuffer(bytes(one), np.uint8), np.frombuffer(bytes(two), np.uint8)
        if pix_fmt == "bgr0":  # its fourth byte means nothing
            old, new = old.reshape(-1, 4)[:, :3], new.reshape(-1, 4)[:, :3]
        assert np.array_equal(old, new)


def test_copy_keeps_marks_and_has_memory_of_its_own():
    """A copy equals its original in samples, time and colour marks; writing to it changes nothing else."""
    picture = noise("yuv420p10le", 66, 34)
    picture.pts, picture.time_base, picture.colorspace, picture.color_range = 90, Fraction(1, 90000), 9, 1
    picture.color_primaries, picture.color_trc = 9, 16
    copy = copy_of(picture)
    kept = (
        "pts",
        "time_base",
        "colorspace",
        "color_range",
        "color_primaries",
        "color_trc",
        "width",
        "height",
    )
    assert [getattr(copy, name) for name in kept] == [getattr(picture, name) for name in kept]
    before = arrays(picture)
    assert all(np.array_equal(a, b) for a, b in zip(before, arrays(copy), strict=True))
    planes_of(copy)[0][:] = 0
    assert np.array_equal(before[0], arrays(picture)[0])


def test_untouched_canvas_gives_the_given_frame():
    """Without a change, or with an empty mask, no copy is made, also of a packed frame."""
    for pix_fmt in ("yuv420p", "nv12"):
        picture = noise(pix_fmt, 64, 32)
        canvas = Canvas(picture)
        roi = canvas.fit((0, 0, 8, 8))
        canvas.add(roi, np.ones((8, 8, 3), np.float32), np.zeros((8, 8), np.float32))
        assert canvas.picture is picture


@given(st.tuples(*[st.integers(-50, 150)] * 4), st.sampled_from(["yuv420p", "yuv422p", "yuv444p", "yuv411p"]))
@settings(max_examples=60)
def test_regions_fit_the_picture_and_its_chroma(corners, pix_fmt):
    """A fitted region lies in the picture, starts on a chroma sample and holds what was asked for."""
    picture = av.VideoFrame(71, 45, pix_fmt)
    step_x, step_y = {"yuv420p": (2, 2), "yuv422p": (2, 1), "yuv444p": (1, 1), "yuv411p": (4, 1)}[pix_fmt]
    x0, y0, x1, y1 = Canvas(picture).fit(corners)
    assert 0 <= x0 <= x1 <= 71 or x0 == x1
    assert 0 <= y0 <= y1 <= 45 or y0 == y1
    assert x0 % step_x == 0
    assert y0 % step_y == 0
    assert x0 <= max(corners[0], 0)
    assert x1 >= min(corners[2], 71)
    assert y1 >= min(corners[3], 45)


def test_smooth_colours_survive_subsampling():
    """On smooth content, 4:2:0 reads within two percent of what 4:4:4 reads."""
    ramp = np.linspace(40, 200, 64 * 48 * 3).reshape(48, 64, 3)
    smooth = cv2.GaussianBlur(ramp.astype(np.float32), (0, 0), 4).astype(np.uint8)
    full = av.VideoFrame.from_ndarray(smooth, format="rgb24").reformat(format="yuv444p")
    half = full.reformat(format="yuv420p")
    assert np.abs(Canvas(full).read((8, 8, 56, 40)) - Canvas(half).read((8, 8, 56, 40))).max() < 0.02


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le", "gbrp", "gray", "rgb24"])
def test_painted_pixels_are_what_was_painted_whatever_lay_there(pix_fmt):
    """Over noise as over black, and nothing beside the region."""
    random = np.random.default_rng(0)
    colour = np.full((3, 8, 16), 0.5, np.float32)
    colour[:, :, :8] = np.float32([0.2, 0.4, 0.7])[:, None, None]
    found = []
    for noise in (0, 255):
        picture = av.VideoFrame(32, 16, pix_fmt)
        for plane in planes_of(picture):
            plane[...] = random.integers(0, noise + 1, plane.shape)
        before = [plane.copy() for plane in planes_of(picture)]
        canvas = Canvas(picture)
        canvas.paint((8, 4, 24, 12), colour)
        read = canvas.read((8, 4, 24, 12))
        wanted = colour.transpose(1, 2, 0)
        if pix_fmt == "gray":
            wanted = (wanted @ np.float32([0.299, 0.587, 0.114]))[..., None]
        assert np.abs(read[:, [2, 12]] - wanted[:, [2, 12]]).max() < 0.02
        found.append(read)
        for was, now in zip(before, planes_of(canvas.picture), strict=True):
            assert np.array_equal(was[:1], now[:1]) and np.array_equal(was[:, :1], now[:, :1])
    assert np.array_equal(*found)
