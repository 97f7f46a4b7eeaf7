"""Who gets which source: decided once a job, from the tracks of everybody in the video."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from broker.people import unpacked
from farm.errors import GalleryRefused, PersonNotFound
from farm.media.cut import CastRows
from farm.people.album import Album, Person, load_faces, rows_between
from farm.people.tracks import unit
from farm.requests.people import Role
from farm.requests.whom import At, Numbered

#: Who is left alone.
NOBODY = -1

#: A point counts as on a face this far around its box, in shares of its size: people click beside noses.
_AROUND = 0.25

CAST = "cast.json"


@dataclass(frozen=True, slots=True)
class Cast:
    """Which source every track gets, and where each track is."""

    faces: NDArray[Any]  # rows of `farm.people.tracks.ROW`
    source_of: NDArray[np.int32]  # by track; `NOBODY`
    scale: float = 1.0  # from the pictures that were looked at to those that are rendered

    @classmethod
    def load(cls, directory: Path, width_px: int) -> Self:
        """Read what `save` wrote, beside the album that it was decided from; pictures are `width_px` wide."""
        sources = json.loads((directory / CAST).read_text())
        scale = width_px / (Album.load(directory).video.width or width_px)
        return cls(load_faces(directory), np.asarray(sources, np.int32), scale)

    def save(self, directory: Path) -> None:
        """Write the sources, whole or not at all."""
        aside = directory / f".{CAST}"
        aside.write_text(json.dumps(self.source_of.tolist()))
        aside.replace(directory / CAST)

    def rows(self, start: int, end: int) -> CastRows:
        """Return what a segment of frames [start, end) says: frame, box and source of who is changed."""
        rows = rows_between(self.faces, start, end)
        sources = self.source_of[rows["track"]]
        return tuple(
            (int(row["frame"]), *(round(side * self.scale) for side in row["box"].tolist()), int(source))
            for row, source in zip(rows, sources, strict=True)
            if source != NOBODY
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the user meant."""

    source_of: NDArray[np.int32]  # by track
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """What is known when it is decided who is meant."""

    album: Album
    faces: NDArray[Any]
    similarity: float
    references: Mapping[str, NDArray[np.float64]]  # by path: who is on it
    frame_at: Callable[[str | None], int]  # of a moment; None: the first frame of the job

    def decide(self, roles: Sequence[Role], rest: int | None) -> Decision:
        """Return which source every track gets, by the roles; everybody else gets `rest`.

        Raises:
            PersonNotFound: nobody is whom a role means, or two roles mean one person.
        """
        chosen: dict[int, Role] = {}
        for role in roles:
            for place in self._places(role):
                if place in chosen and chosen[place].source != role.source:
                    raise self._doubt(place, chosen[place], role)
                chosen[place] = role
        source_of = np.full(self.album.num_tracks, NOBODY if rest is None else rest, np.int32)
        for place, role in chosen.items():
            source_of[list(self.album.people[place].tracks)] = role.source
        return Decision(source_of=source_of, notes=tuple(self._note(role, chosen) for role in roles))

    def _places(self, role: Role) -> list[int]:
        """Return the places among `album.people` of whom a role means."""
        if isinstance(role.whom, Numbered):
            return [self._numbered(role.whom)]
        if isinstance(role.whom, At):
            return [self._at(role.whom, role.text)]
        return self._like(role.text)

    def _numbered(self, whom: Numbered) -> int:
        for place, person in enumerate(self.album.people):
            if person.id == whom.number:
                return place
        raise PersonNotFound(
            f"there is no person {whom.number}: the video has {len(self.album.people)}",
            hint="`farm faces INPUT` shows who is in it",
        )

    def _at(self, whom: At, text: str) -> int:
        frame = self.frame_at(whom.moment)
        rows = rows_between(self.faces, frame, frame + 1)
        rows = rows[np.argsort(rows["box"][:, 0], kind="stable")]
        if whom.nth is not None and whom.nth < len(rows):
            return int(self.album.person_of()[rows[whom.nth]["track"]])
        if whom.point is not None and (row := _nearest(rows, whom.point)) is not None:
            return int(self.album.person_of()[row["track"]])
        there = "; ".join(f"{place}: {_box_text(row['box'])}" for place, row in enumerate(rows))
        raise PersonNotFound(
            f"{text}: no face is there in frame {frame}; from left to right it has {there or 'none'}",
            hint="look at the frame with `farm preview`, or at everybody with `farm faces`",
        )

    def _like(self, path: str) -> list[int]:
        """Return who looks like a reference, more than like any other."""
        likeness = {
            place: {each: float(unit(who) @ unit(vector)) for each, vector in self.references.items()}
            for place, person in enumerate(self.album.people)
            if (who := _embedding(person)) is not None
        }
        found = [
            place
            for place, by in likeness.items()
            if by[path] >= self.similarity and by[path] == max(by.values())
        ]
        if found:
            return found
        best = max(likeness, key=lambda place: likeness[place][path], default=None)
        most = (
            ""
            if best is None
            else (f"; the most alike is person {self.album.people[best].id} with {likeness[best][path]:.2f}")
        )
        raise PersonNotFound(
            f"nobody in the video is as much like {path} as {self.similarity:.2f}{most}",
            hint="`farm faces INPUT` shows who is in it; --similarity takes less, or --map N=FACE a number",
        )

    def _doubt(self, place: int, one: Role, two: Role) -> PersonNotFound:
        number = self.album.people[place].id
        return PersonNotFound(
            f"{one.text} and {two.text} are one person ({number}), and cannot get two sources",
            hint="leave one of them out",
        )

    def _note(self, role: Role, chosen: Mapping[int, Role]) -> str:
        people = [self.album.people[place] for place, each in sorted(chosen.items()) if each == role]
        listed = ", ".join(f"person {person.id} ({person.frames} frames)" for person in people)
        return f"source {role.source} goes to {role.text}: {listed}"


def check_same_video(album: Album, *, size_bytes: int, num_frames: int) -> None:
    """Refuse a gallery of another video.

    Raises:
        GalleryRefused: it was made of a file of another size or length.
    """
    if (album.video.size_bytes, album.video.num_frames) != (size_bytes, num_frames):
        raise GalleryRefused(
            f"the gallery is of another video: {album.video.path}, {album.video.num_frames} frames",
            hint="make one of this input: `farm faces INPUT`",
        )


def _embedding(person: Person) -> NDArray[np.float64] | None:
    content = np.frombuffer(unpacked(person.embedding), "<f2")
    return content.astype(np.float64) if content.size else None


def _nearest(rows: NDArray[Any], point: tuple[int, int]) -> Any | None:
    """Return the row whose box the point is in, or close to; of several the one whose middle is nearest."""
    boxes = rows["box"].astype(np.float64)
    low, high = boxes[:, :2], boxes[:, 2:]
    around, at = (high - low) * _AROUND, np.asarray(point, np.float64)
    is_in = ((low - around <= at) & (at <= high + around)).all(axis=1)
    if not is_in.any():
        return None
    apart = np.linalg.norm((low + high) / 2 - at, axis=1)
    return rows[int(np.where(is_in, apart, np.inf).argmin())]


def _box_text(box: NDArray[np.int32]) -> str:
    x0, y0, x1, y1 = (int(value) for value in box)
    return f"({x0}, {y0})-({x1}, {y1})"
