"""What is a picture is told by its first bytes, and for every kind that OpenCV writes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from farm.media.picture import is_heif, is_picture

GREY = np.full((32, 32, 3), 128, np.uint8)


KINDS = ["jpg", "png", "webp", "bmp", "tiff", "jp2", "ppm", "pgm", "pam", "ras", "hdr", "gif", "avif"]


@pytest.mark.parametrize("suffix", KINDS)
def test_every_kind_that_workers_read_is_a_picture(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    channels = GREY[..., 0] if suffix == "pgm" else GREY
    assert cv2.imwrite(str(path), channels.astype(np.float32) if suffix == "hdr" else channels)
    assert cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) is not None
    assert is_picture(path)
    assert not is_heif(path)


@pytest.mark.parametrize("content", [b"", b"BT", b"RIFF\0\0\0\0AVI LIST", b"\x1aE\xdf\xa3", b"P9\n1 1"])
def test_what_begins_otherwise_is_none(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert not is_picture(tmp_path / "file")
