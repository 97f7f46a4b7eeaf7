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
from farm.errors import DamagedVideo
from farm.media.damage import complaints
from farm.media.decoded import sends_fields_apart, tell_by_decoding
from farm.media.doubts import check_doubts
from farm.media.hidden import hidden_test
from farm.media.info import MediaInfo
from farm.media.leading import lost_packets
from farm.media.length import check_length, cut_short
from farm.media.opening import CUT_SHORT_HINT, GENERATE_PTS, open_video, reading
from farm.media.recovery import recovers_at_once
from farm.media.table import DISCARD, DOUBTFUL, HIDDEN, KEY, Manifest, Times

__all__ = ["Manifest", "Progress", "index", "only"]

#: Packets between two reports of progress.
_REPORT_EVERY = 2048

_COLUMNS = 5

#: Formats in which at most one frame waits for others. Only for them can FFmpeg tell times that MPEG
#: program streams leave out, whatever packet reading began at.
_AT_MOST_ONE_LATE = {"mpeg1video", "mpeg2video", "mpeg4"}

Progress = Callable[[int, int], None]


def index(
    path: Path,
    info: MediaInfo,
    *,
    on_progress: Progress | None = None,
    on_damage: Callable[[str], None] | None = None,
) -> Manifest:
    """Build a video's manifest in one pass over its packets; a second one decodes where times are missing.

    `on_progress(bytes_done, bytes_total)` is called now and then, and once at the end. `on_damage` is called
    where a video is salvaged and parts of it cannot be read, with FFmpeg's words.

    Raises:
        TruncatedVideo: the file ends before its index says so. DamagedVideo: parts cannot be read.
        UnsupportedMedia: there is no frame.
    """
    with complaints() as heard, open_video(path) as container, reading(path):
        stream = only(container, info)
        extradata = stream.codec_context.extradata or b""
        columns = _read(container, _Marker(info.video.codec, extradata), info, on_progress or _silent)
        promised = len(stream.index_entries) if info.container.startswith("mov") else 0
    table = np.frombuffer(columns, np.int64).reshape(-1, _COLUMNS)
    if info.is_salvaged:
        manifest = _manifest(path, table, info, on_progress or _silent)
        if (manifest.packet_flags & DOUBTFUL).any():
            heard.append("packets of the broadcast are missing")
        for words in heard[:1]:
            (on_damage or _unheard)(words)
        return manifest
    if len(table) < promised:
        raise cut_short(f"{path.name} ends after {len(table)} of {promised} frames")
    manifest = _manifest(path, table, info, on_progress or _silent)
    check_length(path, info, manifest.duration_s)
    check_doubts(path, info, manifest, report=on_progress or _silent)
    if heard and not info.container.startswith("mpegts"):  # whose beginnings are complained of, mostly
        raise DamagedVideo(f"{path.name} is damaged: {heard[0]}", hint=CUT_SHORT_HINT)
    return manifest


def only(container: InputContainer, info: MediaInfo) -> av.VideoStream:
    """Return the video stream, and have the demuxer skip all others."""
    for other in container.streams:
        if other.index != info.video.index:
            other.discard = Discard.all
    if info.video.codec in _AT_MOST_ONE_LATE:
        container.flags |= GENERATE_PTS
    stream = container.streams[info.video.index]
    assert isinstance(stream, av.VideoStream)
    return stream


class _Marker:
    """Tells a packet's flags."""

    def __init__(self, codec: str, extradata: bytes) -> None:
        self._is_hidden = hidden_test(codec)
        self._is_h264 = codec == "h264"
        self._extradata = extradata

    def flags(self, packet: av.Packet[Any]) -> int:
        """Return KEY, DISCARD and HIDDEN, as far as one packet tells."""
        flags = (DISCARD if packet.is_discard else 0) | (DOUBTFUL if packet.is_corrupt else 0)
        if self._is_hidden is not None and self._is_hidden(packet):
            flags |= HIDDEN
        if packet.is_keyframe and (
            not self._is_h264 or recovers_at_once(memoryview(packet), self._extradata)
        ):
            flags |= KEY
        return flags


def _read(container: InputContainer, marker: _Marker, info: MediaInfo, on_progress: Progress) -> array[int]:
    """Return (pts, dts, duration, size, flags) of every packet, one after the other."""
    columns = array("q")
    is_broadcast = info.container.startswith("mpegts")
    done = 0
    for packet in container.demux(container.streams[info.video.index]):
        size = packet.size
        if size == 0:  # PyAV's signal to flush decoders, at the end
            continue
        if packet.is_corrupt and not (info.is_salvaged or is_broadcast):
            raise cut_short(f"a packet at byte {packet.pos} is cut short")
        pts, dts = packet.pts, packet.dts
        columns.extend(
            (
                NO_TIME if pts is None else pts,
                NO_TIME if dts is None else dts,
                packet.duration or 0,
                size,
                marker.flags(packet),
            )
        )
        done += 1
        if done % _REPORT_EVERY == 0:
            on_progress(packet.pos or 0, info.size_bytes)
    on_progress(info.size_bytes, info.size_bytes)
    return columns


def _manifest(
    path: Path, table: np.ndarray[Any, np.dtype[np.int64]], info: MediaInfo, report: Progress
) -> Manifest:
    pts, dts, duration, size, flags = (np.ascontiguousarray(column) for column in table.T)
    _hide_unshown(pts, flags, info)
    if (
        info.is_salvaged
        or _order_is_unknown(pts, dts, flags, info)
        or sends_fields_apart(path, info, len(pts))
    ):
        tell_by_decoding(path, info, pts, dts, flags, report=report)
    else:
        missing = pts == NO_TIME
        pts[missing] = dts[missing]  # without B-frames, frames are shown in the order they are decoded
        flags[lost_packets(path, info.video.index, pts, flags & KEY > 0)] |= HIDDEN
    return Manifest(
        time_base=info.video.time_base,
        packet_pts=pts,
        packet_dts=dts,
        packet_duration=duration,
        packet_size=size,
        packet_flags=flags.astype(np.uint8),
    )


def _hide_unshown(pts: Times, flags: Times, info: MediaInfo) -> None:
    """Flag, in place, packets that have no time because they are not to be shown."""
    missing = pts == NO_TIME
    if "matroska" in info.container:
        # Only what would be shown before time zero has none there: the rest of a GOP that was cut.
        second = np.flatnonzero(flags & KEY)[1:2]
        missing_at = np.flatnonzero(missing & (flags & KEY == 0))
        if len(missing_at) and (len(second) == 0 or missing_at[-1] < second[0]):
            flags[missing_at] |= HIDDEN


def _order_is_unknown(pts: Times, dts: Times, flags: Times, info: MediaInfo) -> bool:
    shown = (pts == NO_TIME) & (flags & HIDDEN == 0)
    return bool(shown.any() and (info.video.has_b_frames or (dts[shown] == NO_TIME).any()))


def _unheard(words: str) -> None:
    pass


def _silent(done: int, total: int) -> None:
    pass
