"""A folder of mixed pictures through a real farm, judged by OpenCV, Pillow and ffprobe."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bench.clips import SOURCE
from tests.farm.album.gallery import PROFILE, SOURCE_TYPE, STATEMENT, phone_photo
from tests.workers.face.moving import COLLINS, HOPPER, picture_of

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

#: What of a 512-pixel portrait no face lies in.
FAR = np.s_[300:, :]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A face as everything that is rendered, on its side, too; and a picture without any."""
    path = tmp_path_factory.mktemp("pictures") / "in"
    path.mkdir()
    face = picture_of(COLLINS)
    blue_first = face[..., ::-1]
    alpha = np.full((*face.shape[:2], 1), 255, np.uint8)
    alpha[:, :60] = 0
    alpha[400:] = 99
    deep = blue_first.astype(np.uint16) * 257 ^ 5
    cv2.imwrite(str(path / "alpha.png"), np.concatenate([blue_first, alpha], axis=2))
    cv2.imwrite(str(path / "deep.png"), deep)
    cv2.imwrite(str(path / "deep.tif"), deep)
    cv2.imwrite(str(path / "grey16.png"), cv2.cvtColor(deep, cv2.COLOR_BGR2GRAY))
    Image.fromarray(face).convert("L").save(path / "grey.jpg", quality=96)
    Image.fromarray(face).save(path / "lossless.webp", lossless=True)
    Image.fromarray(face).quantize(128).save(path / "palette.png")
    cv2.imwrite(str(path / "pixels.bmp"), blue_first)
    phone_photo(path / "phone.jpg", np.ascontiguousarray(face[:440]))
    cv2.imwrite(str(path / "noface.png"), np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8))
    return path


def read(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def test_every_picture_is_fused_and_the_rest_untouched(farm, folder, tmp_path):
    """Depth, alpha and every sample far from the face stay; each output says what it is."""
    output = tmp_path / "out"
    result = farm.render(str(folder), "--source", str(SOURCE), "-o", str(output), "--chunk-pictures", "2")
    assert (result["state"], result["frames"], result["frames_fused"]) == ("done", 10, 9)
    assert result["chunks"] == 6
    assert result["output"] == str(output)
    assert any("no face" in note and "noface.png" in note for note in result["notes"])
    for path in sorted(folder.iterdir()):
        after_path = output / (path.name if path.suffix != ".bmp" else "pixels.png")
        if path.suffix == ".jpg":
            continue
        before, after = read(path), read(after_path)
        assert (before.shape, before.dtype) == (after.shape, after.dtype), path.name
        changed = before != after
        assert not changed[FAR].any(), path.name
        share = changed.mean()
        assert (share == 0) if path.name == "noface.png" else (0.005 < share < 0.2), path.name
        if path.name == "alpha.png":
            assert np.array_equal(before[..., 3], after[..., 3])
        check_says_synthetic(after_path)


def check_says_synthetic(path: Path) -> None:
    with Image.open(path) as picture:
        assert SOURCE_TYPE in picture.info["xmp"]
        assert STATEMENT.encode() in picture.info["xmp"]


def test_a_grey_jpeg_is_fused_in_grey(farm, folder, tmp_path):
    """One channel in, one out; a face in it, and all else as near as JPEG keeps it."""
    output = tmp_path / "out.jpg"
    result = farm.render(str(folder / "grey.jpg"), "--source", str(HOPPER), "-o", str(output))
    assert (result["frames_fused"], result["notes"]) == (1, [])
    with Image.open(folder / "grey.jpg") as before, Image.open(output) as after:
        assert (before.mode, after.mode) == ("L", "L")
        apart = np.abs(np.asarray(before).astype(int) - np.asarray(after))
    assert apart[FAR].mean() < 1.5
    assert (apart > 20).mean() > 0.002


def test_the_phone_photo_stands_upright_once(farm, folder, tmp_path):
    """One picture as a job, to another name: pixels and orientation agree, and its profile is there."""
    output = tmp_path / "out.jpg"
    result = farm.render(str(folder / "phone.jpg"), "--source", str(SOURCE), "-o", str(output))
    assert (result["frames"], result["frames_fused"], result["output"]) == (1, 1, str(output))
    with Image.open(output) as picture:
        assert picture.size == (512, 440)
        assert picture.getexif()[0x0112] == 1
        assert picture.info["icc_profile"] == PROFILE
        assert picture.info["comment"].startswith(STATEMENT.encode())
        near = np.abs(np.asarray(picture).astype(int) - picture_of(COLLINS)[:440])[FAR]
    assert near.mean() < 2.5
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "json"]
    body = json.loads(subprocess.run([*probe, output], capture_output=True, check=True).stdout)
    assert body["streams"] == [{"codec_name": "mjpeg", "width": 512, "height": 440}]


def test_the_service_takes_folders_too(farm, folder, tmp_path):
    """Over HTTP, with a preset: the notes say what it made smaller; the check counts pictures before."""
    import httpx

    url, token = farm.address()
    request = {
        "input": str(folder),
        "source": str(SOURCE),
        "preset": "quick",
        "output": str(tmp_path / "out"),
    }
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        told = client.post("/api/jobs/check", json=request).json()
        assert (told["frames"], told["ok"]) == (10, True)
        job = client.post("/api/jobs", json=request).json()["job"]
    farm.command("watch", job)
    answer = json.loads(farm.command("status", job, "--json").stdout)
    assert (answer["state"], answer["frames_fused"]) == ("done", 9)
    assert len(list((tmp_path / "out").iterdir())) == 10
