"""Whose face is at a place: around a point, or the nth from the left; in one frame, or in each picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.album.picture import readable
from farm.errors import PersonNotFound
from farm.people.album import Album, rows_between
from farm.requests.whom import At

#: A point counts as on a face this far around its box, in shares of its size: people click beside noses.
_AROUND = 0.25


def tracks_at(whom: At, frames: Sequence[int], *, text: str, album: Album, faces: NDArray[Any]) -> list[int]:
    """Return the tracks, one a frame at most, that are at a place of these frames; `text` is what was asked.

    Raises:
        PersonNotFound: no face is there in any of them.
    """
    found = [track for frame in frames if (track := _track_at(whom, _faces_of(faces, frame))) is not None]
    if found:
        return found
    raise PersonNotFound(
        f"{text}: no face is there in {_where(frames, faces, album)}",
        hint="look with `farm preview`, or at everybody with `farm faces`",
    )


def _faces_of(faces: NDArray[Any], frame: int) -> NDArray[Any]:
    """Return the rows of one frame, from left to right."""
    rows = rows_between(faces, frame, frame + 1)
    return np.asarray(rows[np.argsort(rows["box"][:, 0], kind="stable")])


def _track_at(whom: At, rows: NDArray[Any]) -> int | None:
    if whom.nth is not None:
        return int(rows[whom.nth]["track"]) if whom.nth < len(rows) else None
    assert whom.point is not None
    row = _nearest(rows, whom.point)
    return None if row is None else int(row["track"])


def _where(frames: Sequence[int], faces: NDArray[Any], album: Album) -> str:
    if len(frames) > 1:
        return f"any of the {len(frames)} pictures"
    rows = _faces_of(faces, frames[0])
    there = "; ".join(f"{place}: {_box_text(row['box'])}" for place, row in enumerate(rows))
    names = album.video.names
    where = readable(names[frames[0]]) if names else f"frame {frames[0]}"
    return f"{where}; from left to right it has {there or 'none'}"


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
