"""Tracklets become the same tracks, however the video was cut into chunks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from farm.errors import GalleryRefused, JobFailed
from farm.people.album import Album, Video, load_faces, rows_between
from farm.people.writing import write_album
from tests.farm.people.seen import box_at, look, seen, who

VIDEO = Video(path="/v.mp4", size_bytes=1, num_frames=60, start=0, end=60)

# Ann walks to the right and Bob to the left: from frame 30 on, Bob is first from the left. Cid comes late.
ANN = {frame: box_at(10 + 4 * frame) for frame in range(60)}
BOB = {frame: box_at(250 - 4 * frame) for frame in range(60)}
CID = {frame: box_at(300, 120) for frame in range(41, 60)}
WAYS = [ANN, BOB, CID]


def album(directory, borders, ways=WAYS, **how):
    return written(directory, [seen(ways, *chunk, **how) for chunk in pairwise(borders)])


def written(directory, chunks):
    directory.mkdir()
    return write_album(directory, chunks, job="j", video=VIDEO, recogniser="", similarity=0.4)


@pytest.mark.parametrize("borders", [(0, 60), (0, 20, 40, 60), (0, 29, 30, 31, 60), tuple(range(61))])
def test_tracks_do_not_depend_on_chunks(tmp_path, borders):
    made = album(tmp_path / "one", borders)
    whole = album(tmp_path / "whole", (0, 60))
    assert made.people == whole.people
    assert np.array_equal(load_faces(tmp_path / "one"), load_faces(tmp_path / "whole"))
    assert [(person.frames, person.ranges) for person in made.people] == [
        (60, ((0, 60),)),
        (60, ((0, 60),)),
        (19, ((41, 60),)),
    ]
    rows = rows_between(load_faces(tmp_path / "one"), 0, 60)
    for number, way in enumerate(WAYS):
        mine = rows[rows["track"] == number]
        assert {int(row["frame"]): tuple(row["box"]) for row in mine} == way


def test_a_saved_album_is_read_as_it_was(tmp_path):
    made = album(tmp_path / "a", (0, 30, 60))
    assert Album.load(tmp_path / "a") == made
    assert (tmp_path / "a" / "person-1.jpg").read_bytes() == b"jpeg 0"
    assert not list((tmp_path / "a").glob("track-*"))


def test_a_directory_that_is_no_gallery(tmp_path):
    with pytest.raises(GalleryRefused, match="is no gallery"):
        Album.load(tmp_path)
    (tmp_path / "gallery.json").write_text('{"version": 99}')
    with pytest.raises(GalleryRefused, match="version 99"):
        Album.load(tmp_path)


def test_chunks_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(JobFailed, match="were not looked at"):
        written(tmp_path / "a", [seen(WAYS, 0, 20), seen(WAYS, 40, 60)])
    with pytest.raises(JobFailed, match="goes on from a face"):
        written(tmp_path / "b", [seen([{}, {}, CID], 0, 30), seen(WAYS, 30, 60)])


def test_who_is_hidden_for_a_moment_is_one_person(tmp_path):
    """In one shot, in about the same place, looking the same; across a cut, or far away, it is another."""
    hidden = [{f: box_at(100) for f in range(20)}, {f: box_at(110) for f in range(25, 60)}]
    looks = [look(1), look(1)]
    assert len(album(tmp_path / "a", (0, 13, 60), hidden, looks=looks).people) == 1
    assert len(album(tmp_path / "b", (0, 13, 60), hidden, looks=looks, cuts=(0, 22)).people) == 2
    assert len(album(tmp_path / "c", (0, 60), hidden, looks=[look(1), look(2)]).people) == 2
    away = [hidden[0], {f: box_at(270) for f in range(25, 60)}]
    assert len(album(tmp_path / "d", (0, 60), away, looks=looks).people) == 2


def test_a_recogniser_tells_people_apart_over_cuts(tmp_path):
    """The same person in two shots is one; two in one frame never are, however alike."""
    shots = [{f: box_at(10) for f in range(30)}, {f: box_at(250) for f in range(30, 60)}]
    same = [who(1), who(1)]
    made = album(tmp_path / "a", (0, 30, 60), shots, embeddings=same, cuts=(0, 30))
    assert [person.tracks for person in made.people] == [(0, 1)]
    apart = album(tmp_path / "b", (0, 30, 60), shots, embeddings=[who(1), who(2)], cuts=(0, 30))
    assert len(apart.people) == 2
    twins = [{f: box_at(10) for f in range(60)}, {f: box_at(250) for f in range(60)}]
    assert len(album(tmp_path / "c", (0, 60), twins, embeddings=same).people) == 2
