"""Packets of a broadcast that FFmpeg flags: some are missing there, or two recordings were joined.

Joined recordings are whole, and are often made by putting one file behind another. So the flag alone refuses
nothing: the decoder is asked, and the frames' times.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from farm.errors import DamagedVideo
from farm.media.decoded import Report, whole_packets
from farm.media.info import MediaInfo
from farm.media.opening import CUT_SHORT_HINT
from farm.media.table import DOUBTFUL, Manifest

#: A gap of this many usual distances between frames, near a flagged packet, is a frame that got lost.
#: Frames are shown up to so many later than they are sent (H.264 allows 16).
_GAP, _NEAR = 1.5, 16


def check_doubts(path: Path, info: MediaInfo, manifest: Manifest, *, report: Report) -> None:
    """Look closer where packets are flagged; decodes the whole video then, and nothing otherwise.

    Raises:
        DamagedVideo: frames are damaged or missing.
    """
    doubtful = np.flatnonzero(manifest.packet_flags & DOUBTFUL)
    if len(doubtful) == 0:
        return
    is_whole = np.zeros(manifest.num_packets, bool)
    is_whole[whole_packets(path, info, manifest.num_packets, report)] = True
    spoiled = np.flatnonzero(~is_whole & (manifest.frame_of >= manifest.whole_from))
    if len(spoiled):
        first = int(manifest.frame_of[spoiled[0]])
        raise _damaged(path, manifest, first, f"{len(spoiled)} frames are damaged")
    for packet in doubtful.tolist():
        frame = int(manifest.frame_of[packet])
        if frame >= manifest.whole_from and _is_near_gap(manifest, frame):
            raise _damaged(path, manifest, frame, "frames are missing")


def _is_near_gap(manifest: Manifest, frame: int) -> bool:
    gaps = np.diff(manifest.pts)
    near = gaps[max(0, frame - _NEAR) : frame + _NEAR]
    return len(near) > 0 and int(near.max()) > _GAP * float(np.median(gaps))


def _damaged(path: Path, manifest: Manifest, frame: int, what: str) -> DamagedVideo:
    at_s = float((int(manifest.pts[max(0, frame)]) - int(manifest.pts[0])) * manifest.time_base)
    return DamagedVideo(f"{path.name} is damaged: {what}, the first at {at_s:.2f} s", hint=CUT_SHORT_HINT)
