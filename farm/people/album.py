"""Who is in an input, as it lies on disk: a gallery's JSON, the table of all faces, a picture a person.

gallery.json     the input, who is in it and when, and which tracks each person has
faces.npy        every face of every frame: frame, track, box; read through a memory map, never whole
person-1.jpg     the best picture of the first person, and so on
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from broker.people import unpacked
from farm.album.album import Album as Pictures
from farm.errors import GalleryRefused, OutputRefused
from farm.people.tracks import ROW

VERSION = 1
INDEX, FACES = "gallery.json", "faces.npy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in a video."""

    id: int  # from 1: who is seen longest comes first
    picture: str  # a file beside the gallery's JSON; empty: none could be taken
    frames: int  # in how many they are seen: frames of a video, or pictures
    ranges: tuple[tuple[int, int], ...]  # in which, about: [start, end)
    largest: tuple[int, int]  # width and height of their largest face, in pixels
    tracks: tuple[int, ...]
    embedding: str  # who they are: float16, packed; empty where no recogniser was installed


@dataclass(frozen=True, slots=True)
class Pictured:
    """One of the pictures that a gallery was made of, or that a job is about."""

    name: str  # in its folder
    width: int  # upright, in pixels, as it was looked at
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """What a gallery was made of: a video, or pictures in the order of their numbers."""

    path: str
    size_bytes: int
    num_frames: int
    start: int  # of the frames that were looked at: [start, end)
    end: int
    width: int = 0  # of its pictures, upright, in pixels
    height: int = 0
    pictures: tuple[Pictured, ...] = ()  # none: it is a video

    @property
    def names(self) -> tuple[str, ...]:
        """The pictures' names."""
        return tuple(picture.name for picture in self.pictures)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Read what `dataclasses.asdict` and JSON made of it."""
        return cls(**{**body, "pictures": tuple(Pictured(**each) for each in body.get("pictures", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """Everybody in a video."""

    job: str
    video: Video
    recogniser: str  # what told people apart; empty: nothing did, and everybody may be there several times
    people: tuple[Person, ...]
    num_tracks: int

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read a gallery.

        Raises:
            GalleryRefused: there is none, or it is damaged, or of another version.
        """
        try:
            body = json.loads((directory / INDEX).read_text())
            if body["version"] != VERSION:
                raise GalleryRefused(
                    f"{directory} is a gallery of version {body['version']}, and {VERSION} is known here",
                    hint="make it again: `farm faces INPUT`",
                )
            people = tuple(_person(each) for each in body["people"])
            return cls(
                job=body["job"],
                video=Video.from_json(body["video"]),
                recogniser=body["recogniser"],
                people=people,
                num_tracks=body["num_tracks"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GalleryRefused(
                f"{directory} is no gallery: {error}", hint="`farm faces INPUT -o DIRECTORY` makes one"
            ) from error

    def save(self, directory: Path) -> None:
        """Write the gallery's JSON."""
        body = {"version": VERSION, **asdict(self)}
        (directory / INDEX).write_text(json.dumps(body, indent=1) + "\n")

    def person_of(self) -> NDArray[np.int32]:
        """Return the place in `people` of every track; -1 for one that is nobody's."""
        places = np.full(self.num_tracks, -1, np.int32)
        for place, person in enumerate(self.people):
            places[list(person.tracks)] = place
        return places


def pictured(pictures: Pictures) -> tuple[Pictured, ...]:
    """Return the pictures of a job, as workers look at them."""
    return tuple(
        Pictured(entry.picture.name, *entry.looked_size, entry.picture.size_bytes)
        for entry in pictures.entries
    )


def album_path(job_directory: Path) -> Path:
    """Return where a job's album lies, once it is known who is in its video."""
    return job_directory / "people"


def copy_album(gallery: Path, place: Path) -> None:
    """Copy what a job needs of a gallery: its user may move it away, or make it anew."""
    place.mkdir(parents=True)
    for name in (FACES, INDEX):
        shutil.copyfile(gallery / name, place / name)


def check_place(directory: Path, *, overwrite: bool) -> None:
    """Refuse to put a gallery where something else is.

    Raises:
        OutputRefused: the place is taken.
    """
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    if not (directory / INDEX).is_file():
        raise OutputRefused(f"{directory} is there, and is no gallery", hint="choose another place with -o")
    if not overwrite:
        raise OutputRefused(
            f"{directory} is already there", hint="choose another -o, or give --overwrite to make it anew"
        )


def load_faces(directory: Path) -> NDArray[Any]:
    """Return the table of all faces, rows of `ROW` in order of frames, mapped into memory.

    Raises:
        GalleryRefused: it is missing or damaged.
    """
    try:
        faces = np.load(directory / FACES, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise GalleryRefused(f"{directory / FACES} cannot be read: {error}") from error
    if faces.dtype != ROW or faces.ndim != 1:
        raise GalleryRefused(f"{directory / FACES} is no table of faces")
    return np.asarray(faces).view(np.ndarray)


def rows_between(faces: NDArray[Any], start: int, end: int) -> NDArray[Any]:
    """Return the rows of frames [start, end)."""
    low, high = np.searchsorted(faces["frame"], [start, end])
    return np.asarray(faces[low:high])


def _person(body: dict[str, Any]) -> Person:
    unpacked(body["embedding"])
    return Person(
        **{
            **body,
            "ranges": tuple((start, end) for start, end in body["ranges"]),
            "largest": tuple(body["largest"]),
            "tracks": tuple(body["tracks"]),
        }
    )
