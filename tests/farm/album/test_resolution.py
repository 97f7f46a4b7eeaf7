"""What comes out at a lower resolution: made smaller before faces are sought, and never larger."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from broker.installed import ModelStore
from farm.errors import BadInput
from farm.fusing import resolution
from farm.requests import JobRequest
from farm.states import JobState
from tests.farm.album.gallery import make, noise, pixels, smooth
from tests.workers.stages.tiny import install


def ask(path: Path, output: Path, **more: object) -> dict[str, object]:
    return {"input": str(path), "output": str(output), "engine": "passthrough", **more}


def render(simulation, request):
    job = simulation.run(simulation.submit(**request))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    return job


def a_video(path: Path, size: str, *more: str, seconds: int = 1) -> Path:
    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=10:duration={seconds}"]
    command = ["ffmpeg", "-v", "error", *source, "-c:v", "ffv1", "-pix_fmt", "yuv420p", *more, path]
    subprocess.run(command, check=True)
    return path


def frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("said", "longer"),
    [
        ({}, None),
        ({"resolution": "1024"}, 1024),
        ({"preset": "quick"}, 512),
        ({"preset": "delivery"}, 1024),
        ({"preset": "art"}, 2048),
        ({"preset": "art", "resolution": "512"}, 512),
        ({"preset": "quick", "resolution": "original"}, None),
        ({"preset": "quick", "resize": "720"}, None),
    ],
)
def test_what_is_said_counts_more_than_the_preset(said, longer):
    """A preset's resolution gives way to any word on the output's size."""
    assert resolution(JobRequest(input="/i", output="/o", **said)) == longer


@pytest.mark.needs_ffmpeg
def test_a_video_is_rendered_at_the_resolution(simulation, tmp_path):
    """In one encode, by the workers; the notes say that it is smaller, and how it stays as it is."""
    source = a_video(tmp_path / "in.mkv", "1280x714")
    output = tmp_path / "out.mkv"
    job = render(simulation, ask(source, output, preset="quick", lossless=True, chunk_seconds=0.3))
    assert job.num_chunks > 1
    got, wanted = frames(output), frames(source)
    assert len(got) == len(wanted)
    assert got[0].shape == (286, 512, 3)
    small = cv2.resize(wanted[0], (512, 286), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - got[0]).mean() < 4
    (note,) = [note for note in job.notes if "512x286" in note]
    assert "--resolution original keeps 1280x714" in note


@pytest.mark.needs_ffmpeg
def test_chunks_of_a_smaller_video_cannot_be_seen(simulation, tmp_path):
    """Scaling looks at one frame alone: the same frames from any plan."""
    source = a_video(tmp_path / "in.mkv", "640x360", "-g", "7")
    found = []
    for seconds in (0.2, 60):
        output = tmp_path / f"{seconds}.mkv"
        render(simulation, ask(source, output, resolution="512", lossless=True, chunk_seconds=seconds))
        found.append(frames(output))
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))


@pytest.mark.needs_ffmpeg
def test_nothing_is_enlarged(simulation, tmp_path):
    """A video that is smaller than the resolution stays bit for bit what it was, and nothing is noted."""
    source = a_video(tmp_path / "in.mkv", "320x180")
    output = tmp_path / "out.mkv"
    job = render(simulation, ask(source, output, preset="art", lossless=True))
    assert all(np.array_equal(a, b) for a, b in zip(frames(source), frames(output), strict=True))
    assert job.notes == []


@pytest.mark.needs_ffmpeg
def test_unnamed_colours_stay_what_they_were(simulation, tmp_path):
    """An HD video says nothing of its matrix; 286 lines high it would be taken for BT.601, so it is named."""
    source = a_video(tmp_path / "in.mkv", "1280x720")
    output = tmp_path / "out.mkv"
    render(simulation, ask(source, output, resolution="512", lossless=True))
    with av.open(str(output)) as container:
        assert int(next(container.decode(video=0)).colorspace) == 1


@pytest.mark.needs_ffmpeg
def test_contradictions_are_refused(simulation, tmp_path):
    """Two words on one size; and fields, which scaling would mix."""
    source = a_video(tmp_path / "in.mkv", "640x360")
    with pytest.raises(BadInput, match="--resize and --resolution"):
        simulation.submit(**ask(source, tmp_path / "o.mkv", resize="180", resolution="512"))
    fields = a_video(tmp_path / "fields.mkv", "640x360", "-flags", "+ilme+ildct", "-field_order", "tt")
    with pytest.raises(BadInput, match="interlaced") as error:
        simulation.submit(**ask(fields, tmp_path / "o.mkv", preset="quick"))
    assert "--deinterlace" in error.value.hint
    render(simulation, ask(fields, tmp_path / "o.mkv", preset="quick", deinterlace=True))


def test_pictures_are_made_smaller_each_by_itself(simulation, tmp_path):
    """The longer side, upright, is what counts; small ones stay bit for bit; depth and alpha stay."""
    folder = make(tmp_path / "in", "rgb.png")
    cv2.imwrite(str(folder / "wide.png"), cv2.resize(noise(30, 40, 4), (1000, 700)))
    cv2.imwrite(str(folder / "high16.tif"), cv2.resize(noise(30, 40, deep=True), (700, 1201)))
    cv2.imwrite(str(folder / "bits.png"), np.kron(noise(10, 10, 1), np.ones((60, 70), np.uint8)))
    output = tmp_path / "out"
    job = render(simulation, ask(folder, output, resolution="512"))
    assert np.array_equal(pixels(folder / "rgb.png"), pixels(output / "rgb.png"))
    assert pixels(output / "wide.png").shape == (358, 512, 4)
    high = pixels(output / "high16.tif")
    assert (high.shape, high.dtype) == ((512, 298, 3), np.dtype(np.uint16))
    assert pixels(output / "bits.png").shape == (439, 512)
    small = cv2.resize(pixels(folder / "high16.tif"), (298, 512), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - high).mean() < 300
    (note,) = job.notes
    assert "bits.png, high16.tif, wide.png" in note


def test_pictures_are_enlarged_by_stages(simulation, tmp_path, monkeypatch):
    """Depth, grey and alpha stay; EXIF says the size that came of it."""
    monkeypatch.setenv("FARM_MODELS", str(tmp_path / "models"))
    name = install(ModelStore(tmp_path / "models"), tmp_path, "esrgan-x2")
    folder = make(tmp_path / "in", "grey_alpha.png", "rgb16.tif", "rgba.png", "photo.jpg")
    render(simulation, ask(folder, tmp_path / "out", upscale=name))
    for path in folder.iterdir():
        before, after = pixels(path), pixels(tmp_path / "out" / path.name)
        assert after.dtype == before.dtype
        assert after.shape == (2 * before.shape[0], 2 * before.shape[1], *before.shape[2:])
        if path.suffix == ".png":
            assert np.abs(after[::2, ::2, 3].astype(int) - before[..., 3]).mean() < 60


def test_a_smaller_picture_says_its_own_size(simulation, tmp_path):
    """EXIF's size is that of the pixels, not of the original."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0100], exif[0x0101] = 1200, 900
    source, output = tmp_path / "in.jpg", tmp_path / "out.jpg"
    Image.fromarray(smooth(900, 1200)).save(source, exif=exif)
    render(simulation, ask(source, output, preset="delivery"))
    with Image.open(output) as picture:
        assert picture.size == (1024, 768)
        assert (picture.getexif()[0x0100], picture.getexif()[0x0101]) == (1024, 768)
