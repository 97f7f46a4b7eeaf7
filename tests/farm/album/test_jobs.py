"""Pictures and folders as jobs: every picture comes out by itself, as it was, whatever the chunks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from farm.errors import BadInput
from farm.states import JobState
from tests.farm.album import gallery
from tests.farm.album.gallery import make, pixels, says_synthetic


def ask(path: Path, output: Path, **more: object) -> dict[str, object]:
    return {"input": str(path), "output": str(output), "engine": "passthrough", **more}


def render(simulation, request):
    job = simulation.run(simulation.submit(**request))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert simulation.is_clean(job.id)
    assert not list(Path(job.output_path).parent.glob(".*.partial"))
    return job


@pytest.mark.parametrize("name", gallery.MAKERS)
def test_a_lossless_picture_keeps_every_sample(simulation, tmp_path, name):
    """Grey, RGB, alpha, palettes, 8 and 16 bits: the same numbers, of the same depth."""
    source = make(tmp_path / "in", name) / name
    output = tmp_path / Path(name).with_suffix(".png" if name.endswith("bmp") else Path(name).suffix)
    render(simulation, ask(source, output))
    before, after = pixels(source), pixels(output)
    assert before.dtype == after.dtype
    assert np.array_equal(before, after)
    assert says_synthetic(output)


@pytest.mark.parametrize("name", gallery.LOSSY)
def test_a_lossy_picture_stays_near(simulation, tmp_path, name):
    """One more coding at high quality: no pixel moves far, and the size is right, odd or not."""
    source = make(tmp_path / "in", name) / name
    output = tmp_path / name
    render(simulation, ask(source, output))
    before, after = (cv2.imread(str(path)).astype(int) for path in (source, output))
    assert before.shape == after.shape
    assert np.abs(before - after).mean() < 2.5
    if name == "clear.webp":
        assert np.array_equal(pixels(source)[..., 3], pixels(output)[..., 3])
    assert says_synthetic(output)


@pytest.mark.parametrize("name", ["grey.png", "grey16.png", "grey_alpha.png", "grey16.tif", "grey.jpg"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_a_grey_picture_stays_grey(simulation, tmp_path, name, suffix):
    """Of one channel in every kind that has such, with its alpha where there is one; and no note of it."""
    source, output = make(tmp_path / "in", name) / name, tmp_path / f"out{suffix}"
    job = render(simulation, ask(source, output))
    with Image.open(source) as before, Image.open(output) as after:
        assert after.mode in {"L", "LA", "I;16", "I;16B"}
        assert ("A" in after.mode) == ("A" in before.mode and suffix != ".jpg")
        assert after.size == before.size
    one, two = (pixels(path).astype(float).reshape(*pixels(path).shape[:2], -1) for path in (source, output))
    one, two = (each[..., 0] * (255 / 65535 if each.max() > 255 else 1) for each in (one, two))
    assert np.abs(one - two).mean() < (2.5 if "jpg" in f"{name}{suffix}" else 0.5)
    assert not any("colour" in note for note in job.notes)
    assert says_synthetic(output)


def test_a_folder_is_one_job_in_any_chunks(simulation, tmp_path):
    """All kinds and sizes; chunks of one, of three and of all give the same files, byte for byte."""
    folder = make(tmp_path / "in", *gallery.MAKERS, *gallery.LOSSY)
    results = []
    for size in (1, 3, 100):
        output = tmp_path / f"out-{size}"
        job = render(simulation, ask(folder, output, chunk_pictures=size))
        assert job.num_frames == len(gallery.MAKERS) + len(gallery.LOSSY)
        assert job.num_chunks == -(-job.num_frames // size) or size == 3
        results.append({path.name: path.read_bytes() for path in output.iterdir()})
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == len(gallery.MAKERS) + len(gallery.LOSSY)
    assert sorted(path.name for path in folder.iterdir()) == sorted({*gallery.MAKERS, *gallery.LOSSY})


def test_a_turned_photo_comes_out_upright_once(simulation, tmp_path):
    """Pixels are turned, the orientation says so, and what else the camera said is kept."""
    upright = gallery.smooth(60, 81)
    source, output = tmp_path / "phone.jpg", tmp_path / "out.png"
    gallery.phone_photo(source, upright)
    job = render(simulation, ask(source, output))
    with Image.open(output) as picture:
        assert picture.size == (81, 60)
        assert picture.getexif()[gallery.ORIENTATION] == 1
        assert picture.getexif()[gallery.MAKE] == "Phones Inc."
        assert picture.info["icc_profile"] == gallery.PROFILE
        assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - upright).mean() < 2.5
    assert job.notes == []


def test_options_of_videos_are_refused(simulation, tmp_path):
    """A picture has no codec, no rate and no sound; the error names what does not go."""
    source = make(tmp_path / "in", "rgb.png") / "rgb.png"
    with pytest.raises(BadInput, match="--crf, --fps"):
        simulation.submit(**ask(source, tmp_path / "out.png", crf=20, fps="25"))
