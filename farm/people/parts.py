"""A gallery of pictures, for a job about those pictures or some of them: people keep their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from farm.album.picture import readable
from farm.errors import GalleryRefused
from farm.people.album import FACES, Album, Pictured, load_faces, rows_between


def numbers_in(gallery: Path, pictures: Sequence[Pictured]) -> list[int]:
    """Return the numbers that pictures have in a gallery.

    Raises:
        GalleryRefused: there is no gallery, or one of them is not in it as it is now.
    """
    known = {each.name: (number, each) for number, each in enumerate(Album.load(gallery).video.pictures)}
    for picture in pictures:
        if picture.name not in known or known[picture.name][1].size_bytes != picture.size_bytes:
            raise GalleryRefused(
                f"{readable(picture.name)} is not in the gallery {gallery}, or was changed since it was made",
                hint="make it anew: `farm faces INPUT --overwrite`",
            )
    return [known[picture.name][0] for picture in pictures]


def copy_part(gallery: Path, place: Path, pictures: Sequence[Pictured]) -> None:
    """Copy what a job needs of a gallery: the faces in its pictures, which it numbers by itself.

    Raises:
        GalleryRefused: as `numbers_in`.
    """
    numbers, album, faces = numbers_in(gallery, pictures), Album.load(gallery), load_faces(gallery)
    parts = [rows_between(faces, number, number + 1).copy() for number in numbers]
    for place_in_job, part in enumerate(parts):
        part["frame"] = place_in_job
    rows = np.concatenate(parts)
    seen = np.bincount(album.person_of()[rows["track"]], minlength=len(album.people))
    place.mkdir(parents=True)
    np.save(place / FACES, rows)
    replace(
        album,
        video=replace(
            album.video,
            size_bytes=sum(picture.size_bytes for picture in pictures),
            num_frames=len(pictures),
            end=len(pictures),
            pictures=tuple(album.video.pictures[number] for number in numbers),
        ),
        people=tuple(
            replace(person, frames=int(count)) for person, count in zip(album.people, seen, strict=True)
        ),
    ).save(place)
