"""Read a video's packets once and write down what is there: no decoding, and no packet is kept."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Discard

from broker.framing import NO_TIME
from farm.errors import TruncatedVideo, UnsupportedMedia
from farm.media.hidden import hidden_test
from farm.media.info import MediaInfo
from farm.media.opening import open_video, reading
from farm.media.table import DISCARD, HIDDEN, KEY, Manifest

__all__ = ["Manifest", "Progress", "index", "only"]

#: Packets between two reports of progress.
_REPORT_EVERY = 2048

_COLUMNS = 5

Progress = Callable[[int, int], None]


def index(path: Path, info: MediaInfo, *, on_progress: Progress | None = None) -> Manifest:
    """Build a video's manifest in one pass over its packets.

    `on_progress(bytes_done, bytes_total)` is called now and then, and once at the end.

    Raises:
        TruncatedVideo: the file ends, or is damaged, before its index says so.
        UnsupportedMedia: frames without times that cannot be told, or two frames of one time.
    """
    with open_video(path) as container, reading(path):
        stream = only(container, info.video.index)
        columns = _read(container, stream, info, on_progress or _silent)
        promised = stream.frames
    table = np.frombuffer(columns, np.int64).reshape(-1, _COLUMNS)
    if len(table) < promised and "mov" in info.container:
        raise TruncatedVideo(
            f"{path.name} ends after {len(table)} of {promised} frames",
            hint="the file was cut short: copy it again",
        )
    return _manifest(table, info)


def only(container: InputContainer, index: int) -> av.VideoStream:
    """Return the video stream `index`, and have the demuxer skip all others."""
    for other in container.streams:
        if other.index != index:
            other.discard = Discard.all
    stream = container.streams[index]
    assert isinstance(stream, av.VideoStream)
    return stream


def _read(
    container: InputContainer, stream: av.VideoStream, info: MediaInfo, on_progress: Progress
) -> array[int]:
    """Return (pts, dts, duration, size, flags) of every packet, one after the other."""
    is_hidden = hidden_test(info.video.codec) or _never
    columns = array("q")
    done = 0
    for packet in container.demux(stream):
        size = packet.size
        if size == 0:  # PyAV's signal to flush decoders, at the end
            continue
        if packet.is_corrupt:
            _refuse_short(packet, info)
        flags = KEY * packet.is_keyframe | DISCARD * packet.is_discard | HIDDEN * is_hidden(packet)
        pts, dts = packet.pts, packet.dts
        columns.extend(
            (
                NO_TIME if pts is None else pts,
                NO_TIME if dts is None else dts,
                packet.duration or 0,
                size,
                flags,
            )
        )
        done += 1
        if done % _REPORT_EVERY == 0:
            on_progress(packet.pos or 0, info.size_bytes)
    on_progress(info.size_bytes, info.size_bytes)
    return columns


def _refuse_short(packet: av.Packet[Any], info: MediaInfo) -> None:
    """Raise for a packet that the file's end cut; a broadcast's bad packet is the decoder's business."""
    if info.container.startswith("mpegts"):
        return
    raise TruncatedVideo(
        f"a packet at byte {packet.pos} is cut short",
        hint="the file is damaged or incomplete: copy it again",
    )


def _manifest(table: np.ndarray[tuple[int, int], np.dtype[np.int64]], info: MediaInfo) -> Manifest:
    pts, dts, duration, size, flags = (np.ascontiguousarray(column) for column in table.T)
    missing = pts == NO_TIME
    if missing.any():
        if info.video.has_b_frames or (dts[missing] == NO_TIME).any():
            raise UnsupportedMedia(
                "frames have no time stamps, and cannot be told from their order (B-frames)",
                hint="remux so that every frame has one: ffmpeg -fflags +genpts -i IN -c copy OUT.mkv",
            )
        pts[missing] = dts[missing]  # without B-frames, frames are shown in the order they are decoded
    return Manifest(
        time_base=info.video.time_base,
        packet_pts=pts,
        packet_dts=dts,
        packet_duration=duration,
        packet_size=size,
        packet_flags=flags.astype(np.uint8),
    )


def _never(packet: av.Packet[Any]) -> bool:  # noqa: ARG001 - the shape of a hidden test
    return False


def _silent(done: int, total: int) -> None:
    pass
