"""Frames at a video's very beginning that no decoder puts out.

A recording that begins in mid-GOP, or a cut from an open GOP, has frames that lean on others which are not
there. Which of them a decoder shows nevertheless is its own business: so the beginning is decoded, and
what does not come out is no frame. This is the one place where indexing decodes, and most files need it not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from farm.media.opening import open_video, reading
from farm.media.table import Times


def lost_packets(
    path: Path, stream_index: int, pts: Times, is_key: np.ndarray[Any, np.dtype[np.bool_]]
) -> Times:
    """Return the packets, of those shown before the first keyframe or sent before it, that show nothing.

    `pts` and `is_key` have shape (num_packets,), in decode order.
    """
    suspects = _suspects(pts, is_key)
    if len(suspects) == 0:
        return suspects
    shown = set(_shown(path, stream_index, int(suspects[-1]) + 1))
    return np.array([number for number in suspects.tolist() if int(pts[number]) not in shown], np.int64)


def _suspects(pts: Times, is_key: np.ndarray[Any, np.dtype[np.bool_]]) -> Times:
    keys = np.flatnonzero(is_key)
    if len(keys) == 0:  # nothing is marked: every packet stands alone, or nobody can tell
        return keys
    first = int(keys[0])
    # Only a keyframe's own GOP holds frames that lean on what came before it.
    until = int(keys[1]) if len(keys) > 1 else len(pts)
    leading = first + np.flatnonzero(pts[first:until] < pts[first])
    return np.concatenate([np.arange(first), leading])


def _shown(path: Path, stream_index: int, num_packets: int) -> Iterator[int]:
    """Decode the first packets and yield the times of the pictures that come out."""
    with open_video(path) as container, reading(path):
        stream = container.streams[stream_index]
        assert isinstance(stream, av.VideoStream)
        for number, packet in enumerate(container.demux(stream)):
            for picture in _pictures(stream, packet if number < num_packets else None):
                if picture.pts is not None:
                    yield picture.pts
            if number >= num_packets:
                return


def _pictures(stream: av.VideoStream, packet: av.Packet[Any] | None) -> list[av.VideoFrame]:
    try:
        return stream.decode(packet)
    except av.error.FFmpegError:  # it leans on what is not there
        return []
