"""The display matrix is read as what turns a picture upright."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from farm.media.display import upright
from farm.media.probe import probe
from tests.clips import make_clip

ONE = 1 << 16


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("hflip", [False, True])
def test_every_orientation_does_to_points_what_its_matrix_does(rotation, hflip):
    """Mirroring, then turning counter-clockwise, moves a point where the matrix moves it."""
    mirror = np.diag([-1 if hflip else 1, 1])
    turn = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), rotation // 90)  # y points down
    (a, c), (b, d) = turn @ mirror
    matrix = struct.pack("=9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    assert upright(matrix) == (rotation, hflip)


def test_odd_angles_are_told_apart():
    """Half a quarter turn is no orientation."""
    matrix = struct.pack("=9i", ONE, ONE, 0, -ONE, ONE, 0, 0, 0, 1 << 30)
    assert upright(matrix) is None


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_files_say_how_they_are_turned(tmp_path, rotation):
    """What a container was told is what is read back, and the upright size follows."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=3, size=(160, 96), rotation=rotation)
    video = probe(clip).video
    assert (video.rotation, video.hflip) == (rotation, False)
    assert video.upright_size == ((160, 96) if rotation == 180 else (96, 160))
