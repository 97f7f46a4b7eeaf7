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
from farm.people.page import counted
from farm.people.places import tracks_at
from farm.people.tracks import unit
from farm.requests.people import Role
from farm.requests.whom import At, Numbered

#: Who is left alone.
NOBODY = -1

CAST = "cast.json"


@dataclass(frozen=True, slots=True)
class Cast:
    """Which source every track gets, and where each track is."""

    faces: NDArray[Any]  # rows of `farm.people.tracks.ROW`
    source_of: NDArray[np.int32]  # by track; `NOBODY`
    scales: Sequence[float] = ()  # from what was looked at to what is rendered: by picture, or one for all

    @classmethod
    def load(cls, directory: Path, widths: int | Sequence[int]) -> Self:
        """Read what `save` wrote, beside the album that it was decided from.

        `widths` are those of what is rendered, in pixels: the video's, or every picture's.
        """
        sources, video = json.loads((directory / CAST).read_text()), Album.load(directory).video
        if isinstance(widths, int):
            scales = [widths / (video.width or widths)]
        else:
            pairs = zip(widths, video.pictures, strict=True)
            scales = [width / picture.width for width, picture in pairs]
        return cls(load_faces(directory), np.asarray(sources, np.int32), scales)

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
            (int(row["frame"]), *self._scaled(row), int(source))
            for row, source in zip(rows, sources, strict=True)
            if source != NOBODY
        )

    def _scaled(self, row: Any) -> tuple[int, int, int, int]:
        scale = 1.0 if not self.scales else self.scales[int(row["frame"]) if len(self.scales) > 1 else 0]
        x0, y0, x1, y1 = (round(side * scale) for side in row["box"].tolist())
        return x0, y0, x1, y1


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
    sources: Sequence[str]  # what users call them, by number
    #: The frame of a moment; None: the first frame of the job, or of pictures each.
    frames_at: Callable[[str | None], Sequence[int]]

    def decide(self, roles: Sequence[Role], rest: int | None) -> Decision:
        """Return which source every track gets, by the roles; everybody else gets `rest`.

        Raises:
            PersonNotFound: nobody is whom a role means, or two roles mean one person.
        """
        chosen: dict[int, Role] = {}  # by track
        for role in roles:
            for track in self._tracks(role):
                if track in chosen and chosen[track].source != role.source:
                    raise self._doubt(track, chosen[track], role)
                chosen[track] = role
        source_of = np.full(self.album.num_tracks, NOBODY if rest is None else rest, np.int32)
        for track, role in chosen.items():
            source_of[track] = role.source
        return Decision(source_of=source_of, notes=tuple(self._note(role, chosen) for role in roles))

    def _tracks(self, role: Role) -> list[int]:
        """Return the tracks of whom a role means."""
        if isinstance(role.whom, At):
            return self._at(role.whom, role.text)
        places = [self._numbered(role.whom)] if isinstance(role.whom, Numbered) else self._like(role.text)
        return [track for place in places for track in self.album.people[place].tracks]

    def _numbered(self, whom: Numbered) -> int:
        for place, person in enumerate(self.album.people):
            if person.id == whom.number:
                return place
        raise PersonNotFound(
            f"there is no person {whom.number}: the input has {len(self.album.people)}",
            hint="`farm faces INPUT` shows who is in it",
        )

    def _at(self, whom: At, text: str) -> list[int]:
        """Return all tracks of who is at a place; of a place in every picture, what is there in each."""
        pictures = self.album.video.pictures
        if whom.moment is not None and len(pictures) > 1 and not self.album.recogniser:
            raise PersonNotFound(
                f"{text} means somebody in one of {len(pictures)} pictures, and no recogniser is installed "
                "that would know them in the others",
                hint="`farm models pull buffalo_l --accept-licence` gets one; without the @ the place counts "
                "in every picture",
            )
        found = tracks_at(whom, self.frames_at(whom.moment), text=text, album=self.album, faces=self.faces)
        if pictures and whom.moment is None:
            return found
        return list(self.album.people[int(self.album.person_of()[found[0]])].tracks)

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
            f"nobody in the input is as much like {path} as {self.similarity:.2f}{most}",
            hint="`farm faces INPUT` shows who is in it; --similarity takes less, or --map N=FACE a number",
        )

    def _doubt(self, track: int, one: Role, two: Role) -> PersonNotFound:
        number = self.album.people[int(self.album.person_of()[track])].id
        return PersonNotFound(
            f"{one.text} and {two.text} are one person ({number}), and cannot get two sources",
            hint="leave one of them out",
        )

    def _note(self, role: Role, chosen: Mapping[int, Role]) -> str:
        tracks = [track for track, each in sorted(chosen.items()) if each == role]
        told = f"{self.sources[role.source]} goes to {role.text}: "
        names = self.album.video.names
        if names and isinstance(role.whom, At) and role.whom.moment is None:
            return f"{told}a face in {len(tracks)} of {counted(len(names), 'picture')}"
        people = [self.album.people[place] for place in sorted(set(self.album.person_of()[tracks].tolist()))]
        noun = "picture" if names else "frame"
        return told + ", ".join(f"person {each.id} ({counted(each.frames, noun)})" for each in people)


def check_same_video(album: Album, *, size_bytes: int, num_frames: int, names: Sequence[str] = ()) -> None:
    """Refuse a gallery of another video, or of other pictures than those called so.

    Raises:
        GalleryRefused: it was made of files of another size, length or name.
    """
    video = album.video
    if (video.size_bytes, video.num_frames, video.names) == (size_bytes, num_frames, tuple(names)):
        return
    what = "other pictures" if names else "another video"
    count = counted(video.num_frames, "picture" if video.pictures else "frame")
    raise GalleryRefused(
        f"the gallery is of {what}: {video.path}, {count}", hint="make one of this input: `farm faces INPUT`"
    )


def _embedding(person: Person) -> NDArray[np.float64] | None:
    content = np.frombuffer(unpacked(person.embedding), "<f2")
    return content.astype(np.float64) if content.size else None
