"""A farm with an identity pack installed: its landmarks shape masks, and its recogniser tells who is who."""

from __future__ import annotations

import json

import av
import cv2
import numpy as np
import pytest

from bench.clips import SOURCE
from bench.farm_process import running_farm
from broker.installed import ModelStore
from farm.modelstore.arrival import Introduction, add
from tests.people_clips import COLLINS, HOPPER, SIZE, two_people_at, who_is_at
from tests.workers.face.moving import picture_of
from tests.workers.identity.tiny import landmarker, recogniser

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

NOTE = "outlines are told by 106 landmarks, of 2d106det.onnx in pack"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A pack like buffalo_l's, of tiny networks with its files' names and shapes."""
    directory = tmp_path_factory.mktemp("packs")
    store = ModelStore(directory / "models")
    landmarker(directory / "pack" / "2d106det.onnx")
    recogniser(directory / "pack" / "w600k_r50.onnx")
    add(store, directory / "pack", Introduction(name="pack", contract="insightface"))
    return store


@pytest.fixture(scope="module")
def farm(tmp_path_factory, store):
    home = tmp_path_factory.mktemp("farm")
    with running_farm(home, "--workers", "2", timeout_s=120, FARM_MODELS=str(store.directory)) as running:
        yield running


def frames(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_outlines_follow_the_packs_landmarks_whatever_the_chunks(farm, store, portrait_video, tmp_path):
    found = []
    for seconds in ("60", "0.5"):
        output = tmp_path / f"{seconds}.mov"
        told = farm.render(
            *(str(portrait_video), "-s", str(SOURCE), "--lossless", "--mask", "hull", "-o", str(output)),
            *("--chunk-seconds", seconds),
        )
        assert NOTE in told["notes"]
        assert told["models"]["pack"] == store.models()["pack"].digest
        found.append((told["chunks"], frames(output)))
    assert found[0][0] < found[1][0]
    assert all(map(np.array_equal, found[0][1], found[1][1]))
    before = frames(portrait_video)
    assert all((now != then).any() for now, then in zip(found[0][1], before, strict=True))


def test_a_preview_shows_the_outline_and_says_what_told_it(farm, tmp_path):
    """The tint ends where the drawn face does: below its lifted brows, and nowhere near the picture's rim."""
    cv2.imwrite(str(tmp_path / "in.png"), np.ascontiguousarray(picture_of(COLLINS)[..., ::-1]))
    answer = farm.command(
        *("preview", str(tmp_path / "in.png"), "-s", str(SOURCE), "--mask", "hull", "--show-mask"),
        *("-o", str(tmp_path / "mask.png")),
    )
    assert f"note: {NOTE}" in answer.stderr
    pair = cv2.imread(str(tmp_path / "mask.png")).astype(int)
    left, right = pair[:, : pair.shape[1] // 2], pair[:, -(pair.shape[1] // 2) :]
    tinted = (right[..., 1] - right[..., 2]) - (left[..., 1] - left[..., 2]) > 30
    assert 0.02 < tinted.mean() < 0.3
    assert not tinted[:10].any() and not tinted[-10:].any()


LEFT, RIGHT, AWAY = (130.0, 130.0), (350.0, 140.0), (-900.0, 130.0)

#: Where Collins and Hopper are in each picture.
PLACES = {"a.png": (LEFT, RIGHT), "b.png": (RIGHT, LEFT), "c.png": (LEFT, AWAY), "d.png": (AWAY, RIGHT)}

#: Of the tiny recogniser, which knows a face again only where it is almost the same picture.
ALIKE = ("--similarity", "0.9")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Pictures of two people, one of it twice as large, and one of nobody."""
    folder = tmp_path_factory.mktemp("photos") / "photos"
    folder.mkdir()
    for name, (one, two) in PLACES.items():
        picture = two_people_at(0, (lambda _, at=one: at, lambda _, at=two: at))[..., ::-1]
        if name == "b.png":
            picture = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / name), picture)
    cv2.imwrite(str(folder / "e.png"), np.full((90, 120, 3), 120, np.uint8))
    return folder


def pictures(folder):
    """Return a folder's pictures, RGB, all of one size."""
    found = {
        path.name: cv2.imread(str(path))[..., ::-1] for path in folder.iterdir() if path.suffix == ".png"
    }
    return {name: cv2.resize(each, SIZE, interpolation=cv2.INTER_AREA) for name, each in found.items()}


def wearers(folder):
    """Return by picture and by whose head it is whose face is seen there."""
    return {
        (name, who): who_is_at(pictures(folder)[name], at, who)
        for name, places in PLACES.items()
        for who, at in zip((COLLINS, HOPPER), places, strict=True)
        if at != AWAY
    }


def test_the_judge_knows_who_is_who_in_pictures(photos):
    assert all(face == who for (_, who), face in wearers(photos).items())


def test_a_folder_has_a_gallery_whose_numbers_hold_for_all_pictures(farm, photos, tmp_path):
    """Two people, known again from picture to picture; the same bits whatever the chunks."""
    command = ("faces", str(photos), *ALIKE, "-o", str(tmp_path / "who"))
    told = json.loads(farm.command(*command, "--json").stdout)
    assert [person["frames"] for person in told["people"]] == [3, 3]
    assert {tuple(person["pictures"]) for person in told["people"]} == {
        ("a.png", "b.png", "c.png"),
        ("a.png", "b.png", "d.png"),
    }
    assert "a.png" in (tmp_path / "who" / "index.html").read_text()
    number = 1 if told["people"][0]["pictures"][-1] == "c.png" else 2
    for count in ("1", "3"):
        farm.render(
            *(str(photos), "--gallery", str(tmp_path / "who"), "--chunk-pictures", count),
            *("--map", f"{number}={HOPPER}", "--map", f"{3 - number}={COLLINS}", "-o", str(tmp_path / count)),
        )
    found = wearers(tmp_path / "1")
    assert all(face == (HOPPER if who == COLLINS else COLLINS) for (_, who), face in found.items())
    for name, picture in pictures(tmp_path / "1").items():
        assert np.array_equal(picture, pictures(tmp_path / "3")[name])


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (
            ("--reference", str(COLLINS)),
            (": person", [("a.png", COLLINS), ("b.png", COLLINS), ("c.png", COLLINS)]),
        ),
        (
            ("--face-at", "0@a.png"),
            (": person", [("a.png", COLLINS), ("b.png", COLLINS), ("c.png", COLLINS)]),
        ),
        (("--face-at", "1"), ("a face in 2 of 5 pictures", [("a.png", HOPPER), ("b.png", COLLINS)])),
    ],
)
def test_who_is_meant_is_changed_in_every_picture_and_nobody_else(farm, photos, tmp_path, wish, expected):
    """By a portrait and by a place in one picture everywhere; by a place alone whoever is there in each."""
    note, changed = expected
    told = farm.render(str(photos), "-s", str(SOURCE), *wish, *ALIKE, "-o", str(tmp_path / "out"))
    assert any(note in each for each in told["notes"])
    assert any("nobody who is meant was found: unchanged: " in each for each in told["notes"])
    before, after = pictures(photos), pictures(tmp_path / "out")
    for name, places in PLACES.items():
        for who, (x, y) in zip((COLLINS, HOPPER), places, strict=True):
            face = np.s_[max(0, int(y) - 25) : int(y) + 25, max(0, int(x) - 20) : max(0, int(x) + 20)]
            is_changed = bool((before[name][face] != after[name][face]).any())
            assert is_changed == ((name, who) in changed), (name, who)
    assert np.array_equal(before["e.png"], after["e.png"])


def test_what_cannot_be_meant_of_pictures_is_refused_with_a_remedy(farm, photos, tmp_path):
    for arguments, words in (
        (["--map", f"9={HOPPER}"], "there is no person 9"),
        (["-s", str(HOPPER), "--face-at", "0@12.5"], "no picture is called 12.5"),
        (["-s", str(HOPPER), "--face-at", "10,260@a.png"], "no face is there in a.png; from left to right"),
        (["-s", str(HOPPER), "--face-at", "7"], "no face is there in any of the 5 pictures"),
        (["-s", str(HOPPER), "--reference", str(COLLINS), "--start", "1"], "pictures take no --start"),
    ):
        answer = farm.command("render", str(photos), *arguments, "-o", str(tmp_path / "out"), check=False)
        assert answer.returncode == 2, answer.stderr
        assert words in answer.stderr
        assert "Traceback" not in answer.stderr
