"""People found and chosen in folders of pictures, on a simulated farm that has no recogniser."""

from __future__ import annotations

import functools
import json

import cv2
import numpy as np
import pytest
import torch

import workers.engines
from farm.errors import BadInput, GalleryRefused
from farm.states import JobState
from tests.people_clips import COLLINS, HOPPER, two_people_at
from workers.people import open_looker
from workers.swappers import open_swapper

LEFT, RIGHT = (130.0, 130.0), (350.0, 140.0)


@pytest.fixture(autouse=True)
def _kept_engines(monkeypatch):
    """Open each engine once: simulated workers are made anew for every message."""
    torch.set_num_threads(1)
    looker, swapper = functools.cache(open_looker), functools.cache(open_swapper)
    monkeypatch.setattr(workers.engines, "open_looker", looker)
    monkeypatch.setattr(workers.engines, "open_swapper", lambda name, others=None: swapper(name))


@pytest.fixture
def folder(tmp_path):
    """Two pictures of two people, who change places; the second is twice as large."""
    made = tmp_path / "photos"
    made.mkdir()
    for name, one, two, times in (("a.png", LEFT, RIGHT, 1), ("b.png", RIGHT, LEFT, 2)):
        picture = two_people_at(0, (lambda _, at=one: at, lambda _, at=two: at))[..., ::-1]
        cv2.imwrite(str(made / name), cv2.resize(picture, None, fx=times, fy=times))
    return made


def changed(folder, output, name):
    """Return where a picture was changed, left and right."""
    before, after = (cv2.imread(str(each / name)).astype(int) for each in (folder, output))
    differs = (before != after).any(axis=2)
    half = differs.shape[1] // 2
    return bool(differs[:, :half].any()), bool(differs[:, half:].any())


def test_without_a_recogniser_a_gallery_has_everybody_once_a_picture(simulation, folder, tmp_path):
    """Numbers then mean one face in one picture; a smaller rendering takes the gallery all the same."""
    who = tmp_path / "who"
    job = simulation.run(simulation.submit(input=str(folder), output=str(who), work="faces"))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert any("once for each picture" in note and "farm models pull" in note for note in job.notes)
    simulation.advance(job.id)
    assert simulation.is_clean(job.id)
    people = json.loads((who / "gallery.json").read_text())["people"]
    assert [(person["frames"], len(person["ranges"])) for person in people] == [(1, 1)] * 4
    (number,) = [each["id"] for each in people if each["ranges"] == [[1, 2]] and each["tracks"] == [2]]
    asked = {
        "input": str(folder),
        "gallery": str(who),
        "map": [{"whom": str(number), "source": str(COLLINS)}],
        "resolution": "512",
    }
    job = simulation.run(simulation.submit(**asked, output=str(tmp_path / "out")))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert f"{COLLINS.name} goes to {number}: person {number} (1 picture)" in job.notes
    after = cv2.imread(str(tmp_path / "out" / "b.png"))
    assert after.shape[1] == 512
    same = cv2.imread(str(tmp_path / "out" / "a.png"))
    assert np.array_equal(same, cv2.imread(str(folder / "a.png")))
    small = cv2.resize(cv2.imread(str(folder / "b.png")), after.shape[1::-1], interpolation=cv2.INTER_AREA)
    apart = np.abs(after.astype(int) - small).max(axis=2)
    # Shrunk by another program, samples differ a little everywhere.
    assert (apart[:, :256] > 40).mean() > 0.002 > (apart[:, 256:] > 40).mean()


def test_a_place_counts_in_every_picture(simulation, folder, tmp_path):
    asked = {"input": str(folder), "output": str(tmp_path / "out"), "source": str(HOPPER), "face_at": "0"}
    job = simulation.run(simulation.submit(**asked))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert f"{HOPPER.name} goes to 0: a face in 2 of 2 pictures" in job.notes
    assert (
        changed(folder, tmp_path / "out", "a.png")
        == changed(folder, tmp_path / "out", "b.png")
        == (True, False)
    )


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"face_at": "0@b.png"}, ("person-not-found", "no recogniser is installed that would know them")),
        ({"reference": str(COLLINS)}, ("model-missing", "none is installed here")),
    ],
)
def test_what_needs_a_recogniser_says_so(simulation, folder, tmp_path, wish, refusal):
    code, words = refusal
    asked = {"input": str(folder), "output": str(tmp_path / "out"), "source": str(HOPPER)}
    job = simulation.run(simulation.submit(**asked, **wish))
    assert (job.state, job.error_code) == (JobState.FAILED, code)
    assert words in job.error_message
    assert "farm models pull buffalo_l" in f"{job.error_message} {job.error_hint}"


def test_one_picture_is_chosen_from_by_its_name_without_a_recogniser(simulation, folder, tmp_path):
    picture, output = folder / "a.png", tmp_path / "out.png"
    roles = [{"whom": "at:0@a.png", "source": str(HOPPER)}]
    job = simulation.run(simulation.submit(input=str(picture), output=str(output), map=roles))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    output.rename(tmp_path / "a.png")
    assert changed(folder, tmp_path, "a.png") == (True, False)


def test_a_gallery_serves_some_of_its_pictures_and_refuses_others(simulation, folder, tmp_path):
    """People keep their numbers where others are missing; what was changed, or is new, is named."""
    who = tmp_path / "who"
    simulation.run(simulation.submit(input=str(folder), output=str(who), work="faces"))
    (second,) = [
        person["id"]
        for person in json.loads((who / "gallery.json").read_text())["people"]
        if person["tracks"] == [2]
    ]
    asked = {"gallery": str(who), "map": [{"whom": str(second), "source": str(COLLINS)}]}
    job = simulation.run(
        simulation.submit(input=str(folder / "b.png"), output=str(tmp_path / "b.png"), **asked)
    )
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert f"{COLLINS.name} goes to {second}: person {second} (1 picture)" in job.notes
    assert any(str(who) in note for note in job.notes)
    assert changed(folder, tmp_path, "b.png") == (True, False)
    (folder / "b.png").rename(folder / "c.png")
    with pytest.raises(GalleryRefused, match=r"c\.png is not in the gallery"):
        simulation.submit(input=str(folder), output=str(tmp_path / "out"), **asked)
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "c.png").rename(folder / "b.png")
    with pytest.raises(GalleryRefused, match=r"b\.png is not in the gallery .* or was changed"):
        simulation.submit(input=str(folder), output=str(tmp_path / "out"), **asked)


def test_a_damaged_picture_is_left_out_of_a_gallery(simulation, folder, tmp_path):
    """Only salvaged: else it is named, and nothing is made."""
    whole = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(whole[: len(whole) // 2] + bytes(99) + whole[len(whole) // 2 + 99 :])
    asked = {"input": str(folder), "output": str(tmp_path / "who"), "work": "faces"}
    job = simulation.run(simulation.submit(**asked))
    assert job.state == JobState.FAILED and "a.png" in job.error_message
    job = simulation.run(simulation.submit(**asked, salvage=True))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    people = json.loads((tmp_path / "who" / "gallery.json").read_text())["people"]
    assert [person["ranges"] for person in people] == [[[1, 2]], [[1, 2]]]


def test_times_mean_nothing_in_pictures(simulation, folder, tmp_path):
    asked = {"input": str(folder), "output": str(tmp_path / "out"), "source": str(HOPPER)}
    with pytest.raises(BadInput, match=r"no picture is called 12\.5") as refused:
        simulation.submit(**asked, face_at="0@12.5")
    assert "a.png" in refused.value.hint
    with pytest.raises(BadInput, match="pictures take no --start") as refused:
        simulation.submit(**{**asked, "work": "faces"}, start="1")
    assert refused.value.hint == "leave it out"


def test_in_one_picture_nobody_need_be_known_again(simulation, folder, tmp_path):
    """Its gallery asks for no recogniser, and numbers people as they stand."""
    asked = {"input": str(folder / "b.png"), "output": str(tmp_path / "who"), "work": "faces"}
    job = simulation.run(simulation.submit(**asked))
    assert any("numbered from the left" in note for note in job.notes)
    assert not any("recogniser" in note for note in job.notes)
    rows = np.load(tmp_path / "who" / "faces.npy")
    people = json.loads((tmp_path / "who" / "gallery.json").read_text())["people"]
    lefts = [rows["box"][rows["track"] == person["tracks"][0]][0, 0] for person in people]
    assert len(lefts) == 2 and lefts == sorted(lefts)
