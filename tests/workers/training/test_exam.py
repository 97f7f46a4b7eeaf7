"""The shipped network beats the classical ways on people and photographs that it was not trained on."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from workers.errors import NoFaceFound, NotAPicture
from workers.models.weights import load_fusion
from workers.training.exam import by_network, drawn_exams, examine, photo_exam
from workers.training.portraits import crop_folder, crop_portrait
from workers.training.rivals import leave, match_ring, poisson

ASSETS = Path(__file__).parents[3] / "farm" / "assets"


@pytest.fixture(scope="module")
def fusion():
    return by_network(load_fusion())


def exams():
    found = drawn_exams(12, 128)
    return found | {
        name: photo_exam(ASSETS / f"{name}.jpg", 12, 128) for name in ("eileen_collins", "grace_hopper")
    }


@pytest.fixture(scope="module")
def held_out():
    return exams()


@pytest.mark.parametrize(
    "exam", ["drawn, recoloured", "drawn, other person", "eileen_collins", "grace_hopper"]
)
@pytest.mark.parametrize("rival", [leave, match_ring, poisson])
def test_the_shipped_network_beats(rival, exam, fusion, held_out):
    assert examine(fusion, held_out[exam]).mse < examine(rival, held_out[exam]).mse


def test_the_shipped_network_leaves_no_cast_on_a_photograph(fusion, held_out):
    """A tint in a*, b* is visible from about 3; the composite before it has about 8."""
    for exam in ("eileen_collins", "grace_hopper"):
        assert examine(fusion, held_out[exam]).cast < 2.5


def test_a_portrait_is_cut_as_the_render_cuts_it():
    crop = crop_portrait(ASSETS / "grace_hopper.jpg", 128)
    assert crop.shape == (128, 128, 3)
    assert 0 <= crop.min() < crop.max() <= 1


def test_a_folder_gives_its_pictures_and_nothing_else(tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "b.jpg").write_bytes((ASSETS / "grace_hopper.jpg").read_bytes())
    crops = crop_folder(tmp_path, 64)
    assert len(crops) == 1
    assert np.array_equal(crops[0], crop_portrait(ASSETS / "grace_hopper.jpg", 64))


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_text("not a picture")
    with pytest.raises(NotAPicture, match=r"a\.jpg"):
        crop_portrait(tmp_path / "a.jpg", 64)


def test_a_picture_without_a_face_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((200, 200, 3), 128, np.uint8))
    with pytest.raises(NoFaceFound, match=r"grey\.png"):
        crop_portrait(tmp_path / "grey.png", 64)
