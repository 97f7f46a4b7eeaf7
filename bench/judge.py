"""What others' tools say of a video: ffprobe and `ffmpeg -f framemd5`, not our own reader."""

from __future__ import annotations

import hashlib
import json
import subprocess
from fractions import Fraction
from pathlib import Path


def frame_md5s(path: Path) -> list[str]:
    """Return the MD5 of every decoded frame, in its own pixel format."""
    answer = _run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            path,
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-f",
            "framemd5",
            "-",
        ]
    )
    return [line.split(",")[-1].strip() for line in answer.splitlines() if line and not line.startswith("#")]


def frame_times(path: Path) -> list[Fraction]:
    """Return every frame's time in seconds, exactly."""
    body = _probe(path, "-select_streams", "v:0", "-show_entries", "packet=pts:stream=time_base")
    base = Fraction(body["streams"][0]["time_base"])
    return sorted(packet["pts"] * base for packet in body["packets"])


def audio_packets(path: Path) -> list[tuple[int, str]]:
    """Return (stream, MD5 of the bytes) of every audio packet."""
    body = _probe(
        path,
        "-select_streams",
        "a",
        "-show_entries",
        "packet=stream_index,data_hash",
        "-show_data_hash",
        "MD5",
    )
    indexes = sorted({packet["stream_index"] for packet in body["packets"]})
    return [(indexes.index(packet["stream_index"]), packet["data_hash"]) for packet in body["packets"]]


def digest(items: list[str]) -> str:
    """Return one short digest for a list."""
    return hashlib.sha256("\n".join(items).encode()).hexdigest()[:12]


def _probe(path: Path, *arguments: str) -> dict:
    return json.loads(_run(["ffprobe", "-v", "error", *arguments, "-of", "json", path]))


def _run(command: list) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
