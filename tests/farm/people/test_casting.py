"""Whom a user means, and what each chunk is told of it."""

from __future__ import annotations

import numpy as np
import pytest

from broker.people import unpacked
from farm.errors import PersonNotFound
from farm.people.album import load_faces
from farm.people.casting import Cast, Casting
from farm.requests import JobRequest
from farm.requests.whom import At, Like, Numbered, parse_place, parse_whom
from tests.farm.people.seen import who
from tests.farm.people.test_tracks import ANN, BOB, WAYS, album


def request(**fields):
    return JobRequest(input="/v.mp4", output="/o.mp4", **fields)


def mapped(*pairs):
    return [{"whom": whom, "source": source} for whom, source in pairs]


@pytest.fixture
def decide(tmp_path):
    """Return the source of Ann, Bob and Cid, by the tracks' order."""
    made = album(tmp_path / "a", (0, 25, 60), embeddings=[who(1), who(2), who(3)])
    faces = load_faces(tmp_path / "a")

    def decided(asked, references=None, moments=None):
        casting = Casting(
            album=made,
            faces=faces,
            similarity=asked.similarity,
            sources=["a.jpg", "b.jpg", "c.jpg"],
            references=references or {},
            frames_at=lambda moment: [0 if moment is None else (moments or {})[moment]],
        )
        return casting.decide(asked.roles, asked.rest).source_of.tolist()

    return decided


def test_by_number(decide):
    assert decide(request(map=mapped(("1", "/a.jpg"), ("3", "/b.jpg")))) == [0, -1, 1]
    assert decide(request(map=mapped(("2", "/a.jpg")), source="/rest.jpg")) == [0, 1, 0]
    with pytest.raises(PersonNotFound, match="no person 4: the input has 3"):
        decide(request(map=mapped(("4", "/a.jpg"))))


def test_by_place(decide):
    """The same words mean another person once the two have passed each other."""
    assert decide(request(face_at="0", source="/a.jpg")) == [0, -1, -1]
    assert decide(request(face_at="0@late", source="/a.jpg"), moments={"late": 40}) == [-1, 0, -1]
    assert decide(request(face_at="30,70", source="/a.jpg")) == [0, -1, -1]
    assert decide(request(face_at="12,48", source="/a.jpg")) == [0, -1, -1]
    assert decide(request(map=mapped(("at:260,60", "/a.jpg"), ("at:0", "/b.jpg")))) == [1, 0, -1]
    with pytest.raises(PersonNotFound, match=r"no face is there in frame 0; .*0: \(10, 50\)-\(50, 90\)"):
        decide(request(face_at="150,170", source="/a.jpg"))
    with pytest.raises(PersonNotFound, match="no face is there"):
        decide(request(face_at="2", source="/a.jpg"))


def test_by_portrait(decide):
    def vector(seed):
        return np.frombuffer(who(seed), "<f2").astype(np.float64)

    references = {"/ann.jpg": vector(1), "/bob.jpg": vector(2)}
    asked = request(map=mapped(("/ann.jpg", "/a.jpg"), ("/bob.jpg", "/b.jpg")))
    assert decide(asked, references) == [0, 1, -1]
    assert decide(request(reference="/bob.jpg", source="/b.jpg"), references) == [-1, 0, -1]
    with pytest.raises(PersonNotFound, match=r"as much like /zoe.jpg as 0.40; the most alike is person \d"):
        decide(request(reference="/zoe.jpg", source="/b.jpg"), {"/zoe.jpg": vector(9)})


def test_one_person_gets_one_source(decide):
    with pytest.raises(PersonNotFound, match="1 and at:0 are one person"):
        decide(request(map=mapped(("1", "/a.jpg"), ("at:0", "/b.jpg"))))
    assert decide(request(map=mapped(("1", "/a.jpg"), ("at:0", "/a.jpg")))) == [0, -1, -1]


def test_a_chunk_is_told_of_its_own_frames_only(tmp_path):
    album(tmp_path / "a", (0, 60))
    Cast(load_faces(tmp_path / "a"), np.array([1, 0, -1], np.int32)).save(tmp_path / "a")
    rows = Cast.load(tmp_path / "a", 320).rows(40, 43)
    expected = [(f, *way[f], source) for f in (40, 41, 42) for way, source in ((ANN, 1), (BOB, 0))]
    assert list(rows) == expected
    half = Cast.load(tmp_path / "a", 160).rows(40, 41)
    ann, bob = ANN[40], BOB[40]
    assert list(half) == [(40, *(side / 2 for side in box), n) for box, n in ((ann, 1), (bob, 0))]


def test_words_for_people():
    assert parse_whom("12") == Numbered(12)
    assert parse_whom("at:3") == At(None, 3, None)
    assert parse_whom("at:640,360@00:01:02.5") == At((640, 360), None, "00:01:02.5")
    assert parse_whom("12.jpg") == Like("12.jpg")
    for text in ("x,y", "1,2,3", "", "-1", "@3"):
        with pytest.raises(ValueError, match="no place"):
            parse_place(text)


def test_sources_are_numbered_once():
    asked = request(map=mapped(("1", "/a.jpg"), ("2", "/b.jpg"), ("3", "/a.jpg")), source="/rest.jpg")
    assert asked.sources == ["/rest.jpg", "/a.jpg", "/b.jpg"]
    assert [role.source for role in asked.roles] == [1, 2, 1]


def test_embeddings_are_kept_at_length_one(tmp_path):
    made = album(tmp_path / "a", (0, 60), embeddings=[who(1), who(2), who(3)])
    vector = np.frombuffer(unpacked(made.people[0].embedding), "<f2").astype(np.float64)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)
    assert len(WAYS) == made.num_tracks
