"""Writes a gallery of what workers saw: tracks joined to people, their best pictures, the table of faces."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from broker.people import ChunkSeen, packed
from farm.people.album import FACES, Album, Person, Video
from farm.people.sameness import grouped
from farm.people.tracks import ROW, Track, TrackBuilder, picture_path, unit

#: Frames between two ranges that are shown as one: a blink of the detector is no absence.
_PAUSE_FRAMES = 12


def write_album(
    directory: Path, seen: Iterable[ChunkSeen], *, job: str, video: Video, recogniser: str, similarity: float
) -> Album:
    """Write a gallery of what workers saw, chunk by chunk in order, into an empty directory.

    Raises:
        JobFailed: the chunks do not fit together.
    """
    raw = directory / "faces.raw"
    with raw.open("wb") as rows:
        builder = TrackBuilder(directory, rows)
        for chunk in seen:
            builder.add(chunk)
    with (directory / FACES).open("wb") as table:
        _copy_table(raw, table, builder.num_rows)
    raw.unlink()
    width, height = builder.size
    video = replace(video, width=width, height=height)
    groups = grouped(builder.tracks, builder.cuts, similarity)
    pause = 0 if video.pictures else _PAUSE_FRAMES  # who is in two pictures is not in those between
    people = tuple(_made(directory, number, group, pause) for number, group in enumerate(groups, 1))
    album = Album(job=job, video=video, recogniser=recogniser, people=people, num_tracks=len(builder.tracks))
    for path in directory.glob("track-*.jpg"):
        path.unlink()
    album.save(directory)
    return album


def _copy_table(raw: Path, table: BinaryIO, num_rows: int) -> None:
    """Write rows with the head of an `.npy` file before them: how many they are is known only now."""
    head = {"descr": np.lib.format.dtype_to_descr(ROW), "fortran_order": False, "shape": (num_rows,)}
    np.lib.format.write_array_header_1_0(table, head)
    with raw.open("rb") as rows:
        shutil.copyfileobj(rows, table)


def _made(directory: Path, number: int, group: Sequence[Track], pause: int) -> Person:
    """Return a person of these tracks, the best picture of them put beside the gallery."""
    best = max(group, key=lambda track: (track.quality, -track.number))
    picture = ""
    if best.quality > 0:
        picture = f"person-{number}.jpg"
        picture_path(directory, best.number).rename(directory / picture)
    sums = [track.embedding for track in group if track.embedding.size]
    embedding = unit(np.sum(sums, axis=0)).astype("<f2").tobytes() if sums else b""
    return Person(
        id=number,
        picture=picture,
        frames=sum(track.end - track.start for track in group),
        ranges=_ranges(((track.start, track.end) for track in group), pause),
        largest=max((track.largest for track in group), key=lambda size: size[0] * size[1]),
        tracks=tuple(track.number for track in group),
        embedding=packed(embedding),
    )


def _ranges(spans: Iterable[tuple[int, int]], pause: int) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= pause:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
