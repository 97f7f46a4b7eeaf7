"""What ffprobe and ffmpeg say of a file."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg

Json = dict[str, Any]

#: What a player must know to show a picture as it was meant.
_COLOUR = ("pix_fmt", "color_range", "color_space", "color_transfer", "color_primaries")

_HDR = ("Mastering display metadata", "Content light level metadata")


@dataclass(frozen=True, kw_only=True)
class Track:
    """A stream beside the video: `digests` are its packets', `start_s` the first one's time."""

    kind: str
    codec: str
    language: str
    title: str
    dispositions: frozenset[str]
    digests: tuple[str, ...]
    start_s: Fraction | None
    skips: tuple[Json, ...]  # samples of priming and padding
    index: int


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A video file."""

    path: Path
    frames: list[str]  # MD5 of each picture's samples
    times_s: list[Fraction]
    stream: Json  # what ffprobe says of the video
    colour: Json
    hdr: Json
    rotation: Json | None  # the display matrix
    tracks: list[Track]
    chapters: list[tuple[str, Fraction, Fraction]]
    tags: dict[str, str]
    timecode: str | None

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height in pixels as a player shows it, turned."""
        width, height = self.stream["width"], self.stream["height"]
        is_turned = self.rotation is not None and abs(int(self.rotation["rotation"])) % 180 == 90
        return (height, width) if is_turned else (width, height)


def observe(path: Path, *, decoder: str = "", pix_fmt: str = "") -> Observed:
    """Look at a file: all packets, all frames.

    `decoder` is taken instead of FFmpeg's own choice; frames are hashed as `pix_fmt`, else as they are.
    """
    body = _probe(
        path, "-show_streams", "-show_format", "-show_chapters", "-show_packets", "-show_data_hash", "MD5"
    )
    video = next(stream for stream in body["streams"] if stream["codec_type"] == "video")
    shown = _probe(path, "-select_streams", "v:0", "-show_frames", "-read_intervals", "%+#1")["frames"]
    first = {**video, **(shown[0] if shown else {})}
    frames, times_s = _frames(path, decoder, pix_fmt)
    return Observed(
        path=path,
        frames=frames,
        times_s=times_s,
        stream=video,
        colour={name: first.get(name, "unknown") for name in _COLOUR if not decoder or name != "pix_fmt"},
        hdr=_side_data(video, _HDR) | _side_data(first, _HDR),
        rotation=_side_data(video, ("Display Matrix",)).get("Display Matrix"),
        tracks=_tracks(body, video["index"]),
        chapters=[_chapter(each) for each in body["chapters"]],
        tags={name.lower(): text for name, text in body["format"].get("tags", {}).items()},
        timecode=_timecode(body),
    )


def _side_data(of: Json, names: tuple[str, ...]) -> Json:
    return {
        datum["side_data_type"]: {key: value for key, value in datum.items() if key != "side_data_type"}
        for datum in of.get("side_data_list", ())
        if datum["side_data_type"] in names
    }


def _tracks(body: Json, video: int) -> list[Track]:
    packets: dict[int, list[Json]] = defaultdict(list)
    for packet in body["packets"]:
        packets[packet["stream_index"]].append(packet)
    others = [stream for stream in body["streams"] if stream["index"] != video]
    return [_track(stream, packets[stream["index"]]) for stream in others]


def _track(stream: Json, packets: list[Json]) -> Track:
    is_cover = stream["disposition"].get("attached_pic")
    times = [packet["pts"] for packet in packets if "pts" in packet]
    tags = {name.lower(): text for name, text in stream.get("tags", {}).items()}
    return Track(
        kind="cover" if is_cover else stream["codec_type"],
        codec=stream.get("codec_name", stream.get("codec_tag_string", "")),
        language=tags.get("language", "und"),
        title=tags.get("title", tags.get("filename", "")),
        dispositions=frozenset(name for name, value in stream["disposition"].items() if value),
        digests=tuple(packet["data_hash"] for packet in packets) or (stream.get("extradata_hash", ""),),
        start_s=times[0] * Fraction(stream["time_base"]) if times else None,
        skips=tuple(
            datum
            for packet in packets
            for datum in packet.get("side_data_list", ())
            if "skip_samples" in datum
        ),
        index=stream["index"],
    )


def _chapter(chapter: Json) -> tuple[str, Fraction, Fraction]:
    base = Fraction(chapter["time_base"])
    return chapter.get("tags", {}).get("title", ""), chapter["start"] * base, chapter["end"] * base


def _timecode(body: Json) -> str | None:
    everyone = [body["format"], *body["streams"]]
    found = [
        text for each in everyone for name, text in each.get("tags", {}).items() if name.lower() == "timecode"
    ]
    return found[0] if found else None


def _frames(path: Path, decoder: str, pix_fmt: str) -> tuple[list[str], list[Fraction]]:
    """Return the MD5 and the time of every frame."""
    chosen = ["-c:v:0", decoder] if decoder else []
    command = [
        _ffmpeg(),
        "-v",
        "error",
        *chosen,
        "-copyts",
        "-i",
        path,
        "-map",
        "0:v:0",
        "-fps_mode",
        "passthrough",
    ]
    form = ["-pix_fmt", pix_fmt] if pix_fmt else []
    answer = _run([*command, *form, "-enc_time_base", "demux", "-f", "framemd5", "-"])
    lines = answer.splitlines()
    base = Fraction(next(line for line in lines if line.startswith("#tb 0:")).split(":")[1].strip())
    rows = [[field.strip() for field in line.split(",")] for line in lines if not line.startswith("#")]
    return [row[-1] for row in rows], [int(row[2]) * base for row in rows]


@functools.cache
def _ffmpeg() -> str:
    """Return the newest ffmpeg: older ones cannot decode every sample format that newer encoders write."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def payload(path: Path, index: int, codec: str) -> str:
    """Return the MD5 of a stream's packets in one piece, AAC's with the headers that TS and MP4 disagree on.

    Containers group packets as they like: many samples of PCM, or a frame and the start of the next.
    """
    form = "adts" if codec == "aac" else "data"
    command = [
        _ffmpeg(),
        "-v",
        "error",
        "-i",
        path,
        "-map",
        f"0:{index}",
        "-c",
        "copy",
        "-map_metadata",
        "-1",
    ]
    body = subprocess.run([*command, "-f", form, "-"], capture_output=True, check=True).stdout
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _probe(path: Path, *arguments: str) -> Json:
    return json.loads(_run(["ffprobe", "-v", "error", *arguments, "-of", "json", path]))


def _run(command: list) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
