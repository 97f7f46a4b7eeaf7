"""The commands, given pictures: what they are, and how one would look."""

from __future__ import annotations

import json
import shutil

import av
import numpy as np
import pytest

from farm.cli.options import JobOptions
from farm.demo import packaged
from tests.farm.album.gallery import make, phone_photo
from tests.workers.face.moving import COLLINS, picture_of


@pytest.fixture
def folder(tmp_path):
    path = make(tmp_path / "in", "grey16.png", "rgba.tif", "photo.jpg")
    (path / "notes.txt").write_text("words")
    (path / "cut.png").write_bytes((path / "grey16.png").read_bytes()[:90])
    return path


def test_probe_says_what_pictures_are(farm, folder):
    """Of a folder every picture, and what would be left out."""
    done = farm("probe", folder)
    assert done.returncode == 0, done.stderr
    for words in ("pictures: 3", "grey, 16 bit", "colour and alpha, 8 bit", "81x60", "notes.txt", "cut.png"):
        assert words in done.stdout
    told = json.loads(farm("probe", folder / "photo.jpg", "--json").stdout)
    (picture,) = told["pictures"]
    assert (picture["kind"], picture["width"], picture["height"]) == ("jpeg", 81, 60)


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("in", {}, "in-fused"),
        ("in/photo.jpg", {}, "in/photo-fused.jpg"),
        ("in/photo.jpg", {"lossless": True}, "in/photo-fused.png"),
        ("in/rgba.tif", {}, "in/rgba-fused.tif"),
        ("in/old.bmp", {}, "in/old-fused.png"),
    ],
)
def test_outputs_lie_beside_inputs_unless_they_are_named(folder, name, said, expected):
    """A folder's in a folder of its own, a picture's as what it is."""
    options = JobOptions(input=folder.parent / name, **said)
    assert options.request().output == str(folder.parent / expected)


def test_damage_is_told_before_a_farm_is_started(farm, folder, tmp_path):
    done = farm("render", folder, "--engine", "passthrough", "-o", tmp_path / "out", "--private")
    assert done.returncode == 2
    assert "cut.png: the file is cut short" in done.stderr
    assert "--salvage" in done.stderr
    assert "started a farm" not in done.stderr


@pytest.mark.needs_redis
@pytest.mark.needs_ffmpeg
def test_a_preview_shows_a_photo_upright_beside_what_becomes_of_it(farm, tmp_path):
    """The phone's picture lies on its side; a per cent in its name is no pattern."""
    photo, look = tmp_path / "100%d.jpg", tmp_path / "look.png"
    phone_photo(photo, np.ascontiguousarray(picture_of(COLLINS)[:440]))
    with packaged("grace_hopper.jpg") as source:
        done = farm("preview", photo, "--source", source, "-o", look, "--private", "--gpus", "none")
    assert done.returncode == 0, done.stderr
    with av.open(str(look)) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    left, right = np.split(pixels, 2, axis=1)
    difference = np.abs(left - right).max(axis=2)
    assert 0.005 < (difference > 24).mean() < 0.2, "a face has changed, and little else"
    assert left.shape[1] > left.shape[0], "it stands upright"
    refused = farm("preview", tmp_path, "--source", photo)
    assert refused.returncode == 2
    assert "is a folder" in refused.stderr
    shutil.rmtree(tmp_path / "in", ignore_errors=True)
