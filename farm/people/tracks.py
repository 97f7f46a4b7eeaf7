"""Tracks: tracklets of all chunks, joined over their borders. The same tracks, whatever the chunks were."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from broker.people import ChunkSeen, Tracklet, unpacked
from farm.errors import JobFailed

#: A face in a frame, as `faces.npy` has it: rows in order of frames.
ROW = np.dtype([("frame", "<i4"), ("track", "<i4"), ("box", "<i4", (4,))])


@dataclass(slots=True, kw_only=True)
class Track:
    """One face through consecutive frames [start, end)."""

    number: int  # in order of first frames, then from the left
    start: int
    end: int
    first_box: tuple[int, int, int, int]
    last_box: tuple[int, int, int, int]
    largest: tuple[int, int]  # width and height of its largest box, in pixels
    quality: float = 0.0  # of its best picture, which lies at `picture_path`
    look: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))  # how it looks in that
    embedding: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # a sum; empty: none is known


class TrackBuilder:
    """Builds tracks from chunks that come in order. Holds tracks, not boxes: those go to a file at once."""

    def __init__(self, directory: Path, rows: BinaryIO) -> None:
        """Put pictures into `directory`, and rows of `ROW` into the file `rows`."""
        self._directory = directory
        self._rows = rows
        self._open: dict[int, Track] = {}  # by place in the last frame of the chunk before
        self._end: int | None = None
        self.tracks: list[Track] = []
        self.cuts: list[int] = []  # frames at which a shot begins
        self.size: tuple[int, int] = (0, 0)
        self.num_rows = 0

    def add(self, seen: ChunkSeen) -> None:
        """Take in the next chunk.

        Raises:
            JobFailed: it does not begin where the one before ended, or follows a face that was not there.
        """
        if self._end is not None and seen.start != self._end:
            raise JobFailed(f"frames from {self._end} on were not looked at", code="chunk-missing")
        tracks = [self._track(tracklet) for tracklet in seen.tracklets]
        for track, tracklet in zip(tracks, seen.tracklets, strict=True):
            self._extend(track, tracklet)
        self._write(seen, tracks)
        pairs = zip(tracks, seen.tracklets, strict=True)
        self._open = {tracklet.last: track for track, tracklet in pairs if tracklet.last is not None}
        self._end = seen.end
        self.cuts += seen.cuts
        self.size = (seen.width, seen.height)

    def picture_path(self, track: Track) -> Path:
        """Return where a track's best picture lies, if it has one."""
        return picture_path(self._directory, track.number)

    def _track(self, tracklet: Tracklet) -> Track:
        if tracklet.follows is not None and self._end is not None:
            try:
                return self._open[tracklet.follows]
            except KeyError:
                raise JobFailed(
                    f"frame {tracklet.start} goes on from a face that the frame before does not have",
                    code="chunks-disagree",
                    hint="workers differ: `farm retry JOB --replan` looks anew, with those there are now",
                ) from None
        track = Track(
            number=len(self.tracks),
            start=tracklet.start,
            end=tracklet.start,
            first_box=tracklet.boxes[0],
            last_box=tracklet.boxes[0],
            largest=(0, 0),
        )
        self.tracks.append(track)
        return track

    def _extend(self, track: Track, tracklet: Tracklet) -> None:
        track.end = tracklet.start + len(tracklet.boxes)
        track.last_box = tracklet.boxes[-1]
        sizes = [track.largest, *((x1 - x0, y1 - y0) for x0, y0, x1, y1 in tracklet.boxes)]
        track.largest = max(sizes, key=lambda size: size[0] * size[1])
        if tracklet.picture and tracklet.quality > track.quality:
            track.quality, track.look = tracklet.quality, np.frombuffer(unpacked(tracklet.look), np.int8)
            self.picture_path(track).write_bytes(unpacked(tracklet.picture))
        for text in tracklet.embeddings:
            vector = unit(np.frombuffer(unpacked(text), "<f2"))
            track.embedding = vector if not track.embedding.size else track.embedding + vector

    def _write(self, seen: ChunkSeen, tracks: list[Track]) -> None:
        rows = np.zeros(sum(len(each.boxes) for each in seen.tracklets), ROW)
        at = 0
        for track, tracklet in zip(tracks, seen.tracklets, strict=True):
            part = rows[at : at + len(tracklet.boxes)]
            part["frame"] = np.arange(tracklet.start, tracklet.start + len(part))
            part["track"], part["box"] = track.number, np.asarray(tracklet.boxes)
            at += len(part)
        rows = rows[np.lexsort((rows["track"], rows["frame"]))]
        self._rows.write(rows.tobytes())
        self.num_rows += len(rows)


def picture_path(directory: Path, track: int) -> Path:
    """Return where a track's picture lies."""
    return directory / f"track-{track:06d}.jpg"


def unit(vector: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a vector brought to length 1; zeros stay."""
    long = np.asarray(vector, np.float64)
    return np.asarray(long / max(float(np.linalg.norm(long)), 1e-12))
