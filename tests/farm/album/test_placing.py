"""Where pictures go: never over an original, whole or not at all, and once, whoever dies on the way."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from farm import pictures
from farm.errors import BadInput, OutputRefused
from farm.states import JobState
from tests.farm.album.gallery import make, noise, pixels
from tests.farm.simulation import Simulation

NAMES = ("grey.png", "photo.jpg", "rgb16.tif", "rgba.png")


def ask(path: Path, output: Path, **more: object) -> dict[str, object]:
    return {"input": str(path), "output": str(output), "engine": "passthrough", **more}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path) -> Path:
    return make(tmp_path / "in", *NAMES)


def test_the_originals_are_never_overwritten(simulation, folder, tmp_path):
    """Not by the folder's own name, nor a link to it; nor a picture by its own."""
    (tmp_path / "link").symlink_to(folder)
    before = contents(folder)
    for output in (folder, tmp_path / "link"):
        with pytest.raises(OutputRefused, match="is the input folder"):
            simulation.submit(**ask(folder, output, overwrite=True))
    with pytest.raises(OutputRefused, match="the input itself"):
        simulation.submit(**ask(folder / "grey.png", folder / "grey.png", overwrite=True))
    assert contents(folder) == before


def test_what_is_there_stays_unless_it_may_go(simulation, folder, tmp_path):
    """The error names the files; --overwrite replaces those, links among them, and nothing else."""
    output = tmp_path / "out"
    output.mkdir()
    (output / "photo.jpg").write_bytes(b"mine")
    (output / "other.txt").write_text("mine")
    (output / "grey.png").symlink_to(folder / "grey.png")
    with pytest.raises(OutputRefused, match=r"grey\.png, photo\.jpg"):
        simulation.submit(**ask(folder, output))
    before = contents(folder)
    job = simulation.run(simulation.submit(**ask(folder, output, overwrite=True)))
    assert job.state == JobState.DONE
    assert sorted(path.name for path in output.iterdir()) == sorted([*NAMES, "other.txt"])
    assert (output / "other.txt").read_text() == "mine"
    assert contents(folder) == before
    assert not (output / "grey.png").is_symlink()


def test_a_file_that_appears_meanwhile_is_not_replaced(simulation, folder, tmp_path):
    """The job fails; when it is moved away, a retry puts the others in place, and all is there once."""
    from farm.steering.retry import retry

    output = tmp_path / "out"
    job_id = simulation.submit(**ask(folder, output))
    output.mkdir()
    (output / "rgb16.tif").write_bytes(b"somebody's")
    job = simulation.run(job_id)
    assert job.state == JobState.FAILED
    assert (output / "rgb16.tif").read_bytes() == b"somebody's"
    (output / "rgb16.tif").unlink()
    retry(simulation.farm, job_id)
    assert simulation.run(job_id).state == JobState.DONE
    assert sorted(contents(output)) == sorted(NAMES)


@pytest.mark.parametrize("at", range(len(NAMES)))
def test_a_stitcher_that_dies_is_followed_by_another(simulation, folder, tmp_path, monkeypatch, at):
    """Killed after any number of pictures were put in place, the next puts the rest: the same files."""
    output, undisturbed = tmp_path / "out", tmp_path / "undisturbed"
    simulation.run(simulation.submit(**ask(folder, undisturbed)))
    real, done = pictures.put_in_place, []

    def dying(*arguments, **more):
        if len(done) == at:
            done.append("dead")
            raise KeyboardInterrupt
        done.append(arguments)
        real(*arguments, **more)

    monkeypatch.setattr(pictures, "put_in_place", dying)
    job_id = simulation.submit(**ask(folder, output))
    with pytest.raises(KeyboardInterrupt):
        simulation.run(job_id)
    assert simulation.job(job_id).state == JobState.STITCHING
    simulation.clock.sleep(60)  # the dead one's lock lapses
    job = simulation.run(job_id)
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert contents(output) == contents(undisturbed)
    assert simulation.is_clean(job_id)
    assert not list(tmp_path.glob(".*.partial"))


def test_a_canceled_job_leaves_nothing(simulation, folder, tmp_path):
    from farm.cancel import cancel

    job_id = simulation.submit(**ask(folder, tmp_path / "out"))
    simulation.advance(job_id)
    cancel(simulation.farm, job_id)
    simulation.run(job_id)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "in"]


def test_damaged_pictures_are_named_before_anything_starts(simulation, folder, tmp_path):
    """What was cut short, and what only has a picture's name; strangers are left out and noted."""
    whole = (folder / "photo.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[:900])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("words")
    (folder / ".hidden.png").write_bytes(b"")
    make(folder / "within", "grey.png")
    with pytest.raises(
        BadInput, match=r"2 of 6 pictures cannot be read: cut\.jpg: .*; empty\.png: "
    ) as error:
        simulation.submit(**ask(folder, tmp_path / "out"))
    assert "--salvage" in error.value.hint
    job = simulation.run(simulation.submit(**ask(folder, tmp_path / "out", salvage=True)))
    assert job.state == JobState.DONE
    assert sorted(contents(tmp_path / "out")) == sorted(NAMES)
    told = "\n".join(job.notes)
    assert all(name in told for name in ("cut.jpg", "empty.png", "notes.txt", "within"))
    assert "hidden" not in told


@pytest.mark.parametrize("salvage", [False, True])
def test_damage_that_only_a_decoder_finds(simulation, folder, tmp_path, salvage):
    """Samples that do not decode: the job fails and names the file, or leaves that one out and names it."""
    data = (folder / "rgba.png").read_bytes()
    (folder / "rgba.png").write_bytes(data[:3000] + bytes(100) + data[3100:])
    job = simulation.run(simulation.submit(**ask(folder, tmp_path / "out", salvage=salvage)))
    if salvage:
        assert job.state == JobState.DONE
        assert any("cannot be decoded: rgba.png" in note for note in job.notes)
        assert sorted(contents(tmp_path / "out")) == sorted(set(NAMES) - {"rgba.png"})
    else:
        assert job.state == JobState.FAILED
        assert "rgba.png cannot be decoded" in job.error_message
        assert not (tmp_path / "out").exists()


def test_a_picture_that_changes_fails_the_job(simulation, folder, tmp_path):
    """Between submission and cutting: what was promised is not there any more."""
    job_id = simulation.submit(**ask(folder, tmp_path / "out"))
    shutil.copy(folder / "grey.png", folder / "rgba.png")
    job = simulation.run(job_id)
    assert job.state == JobState.FAILED
    assert "rgba.png was changed" in job.error_message
    assert not (tmp_path / "out").exists()


def test_pictures_that_come_later_are_no_part(simulation, folder, tmp_path):
    job_id = simulation.submit(**ask(folder, tmp_path / "out"))
    make(folder, "rgb.png")
    simulation.run(job_id)
    assert sorted(contents(tmp_path / "out")) == sorted(NAMES)


def test_bmp_becomes_png_and_collides_with_none(simulation, tmp_path):
    """BMP holds no statement. Beside a PNG of its name the user must choose."""
    folder = make(tmp_path / "in", "pixels.bmp")
    job = simulation.run(simulation.submit(**ask(folder, tmp_path / "out")))
    assert np.array_equal(pixels(tmp_path / "out" / "pixels.png"), pixels(folder / "pixels.bmp"))
    assert any("BMP" in note for note in job.notes)
    with pytest.raises(OutputRefused, match=r"no place for the statement"):
        simulation.submit(**ask(folder / "pixels.bmp", tmp_path / "out.bmp"))
    shutil.copy(tmp_path / "out" / "pixels.png", folder / "pixels.png")
    with pytest.raises(OutputRefused, match=r"written as pixels\.png"):
        simulation.submit(**ask(folder, tmp_path / "out2"))


def test_what_a_picture_is_not_written_as(simulation, folder, tmp_path):
    """Videos, and files that hold no picture; and --lossless beside JPEG."""
    for name, words in (("out.mp4", "not written as"), ("out", "without a suffix")):
        with pytest.raises(OutputRefused, match=words):
            simulation.submit(**ask(folder / "grey.png", tmp_path / name))
    with pytest.raises(BadInput, match="JPEG is not lossless"):
        simulation.submit(**ask(folder / "grey.png", tmp_path / "out.jpg", lossless=True))
    job = simulation.run(simulation.submit(**ask(folder, tmp_path / "out", lossless=True)))
    assert job.state == JobState.DONE
    assert (tmp_path / "out" / "photo.png").exists()


@pytest.mark.parametrize(("suffix", "depth"), [(".png", 16), (".tif", 16), (".jpg", 8), (".webp", 8)])
def test_what_an_output_cannot_hold_is_noted(simulation, folder, tmp_path, suffix, depth):
    """16 bits stay where they can; elsewhere the notes say so before anything is rendered."""
    output = tmp_path / f"out{suffix}"
    job = simulation.run(simulation.submit(**ask(folder / "rgb16.tif", output)))
    after = pixels(output)
    assert after.dtype == (np.uint16 if depth == 16 else np.uint8)
    assert any("8 bits a sample" in note for note in job.notes) == (depth == 8)
    expected = noise(40, 50, deep=True)
    assert np.array_equal(after, expected) == (depth == 16)


def test_a_job_of_nothing_but_damage_is_not_done(simulation, tmp_path):
    """Salvage leaves out what is damaged; but where nothing is left, nothing was rendered."""
    path = make(tmp_path / "in", "rgba.png") / "rgba.png"
    data = path.read_bytes()
    path.write_bytes(data[:3000] + bytes(100) + data[3100:])
    job = simulation.run(simulation.submit(**ask(path, tmp_path / "out.png", salvage=True)))
    assert (job.state, job.error_code) == (JobState.FAILED, "no-picture")
    assert not (tmp_path / "out.png").exists()


def test_a_picture_that_no_window_holds_is_named(tmp_path):
    """Before a chunk of it is cut, with the number that would do."""
    (tmp_path / "home").mkdir()
    simulation = Simulation(tmp_path / "home", window_bytes=2**16)
    folder = tmp_path / "in"
    folder.mkdir()
    cv2.imwrite(str(folder / "large.png"), noise(150, 150))
    job = simulation.run(simulation.submit(**ask(folder, tmp_path / "out")))
    assert job.state == JobState.FAILED
    assert "large.png" in job.error_message
    assert "--window-bytes" in job.error_hint


def test_a_picture_larger_than_any_memory_is_refused(simulation, tmp_path):
    """A header may claim what it likes."""
    path = make(tmp_path / "in", "rgb.png") / "rgb.png"
    data = bytearray(path.read_bytes())
    data[16:24] = (60000).to_bytes(4, "big") * 2
    path.write_bytes(data)
    with pytest.raises(BadInput, match="too many"):
        simulation.submit(**ask(path, tmp_path / "out.png"))


def test_names_that_are_no_text(simulation, tmp_path):
    """Bytes that are no UTF-8 stay in the files' names, and become question marks in the notes."""
    folder = make(tmp_path / "in", "rgb16.png")
    name = os.fsdecode(b"\xe9t\xe9.png")
    (folder / "rgb16.png").rename(folder / name)
    (folder / os.fsdecode(b"w\xf6rter.txt")).write_text("words")
    job = simulation.run(simulation.submit(**ask(folder, tmp_path / "out", resolution="512")))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]
    assert any("w?rter.txt" in note for note in job.notes)


def test_a_folder_without_pictures(simulation, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(BadInput, match="has no picture"):
        simulation.submit(**ask(tmp_path / "in", tmp_path / "out"))
