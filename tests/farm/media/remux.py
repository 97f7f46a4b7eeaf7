"""Clips made of other clips' packets, as they lie there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av

from tests.services import find_ffmpeg


def remux(source: Path, path: Path, *, from_packet: int = 0, shift_frames: int = 0) -> Path:
    """Copy a clip's video from a packet on, shown `shift_frames` later. MP4 hides what comes before 0."""
    with av.open(str(source)) as original, av.open(str(path), "w") as output:
        stream = original.streams.video[0]
        copy = output.add_stream_from_template(stream, opaque=True)
        shift = int(shift_frames / stream.average_rate / stream.time_base)
        for number, packet in enumerate(original.demux(stream)):
            if number < from_packet or packet.size == 0:
                continue
            packet.stream = copy
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            output.mux(packet)
    return path


def first_open_keyframe(path: Path) -> int:
    """Return the first keyframe's packet, but for the very first, that frames shown earlier follow."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    for number, packet in enumerate(packets[1:-1], 1):
        if packet.is_keyframe and packets[number + 1].pts < packet.pts:
            return number
    raise AssertionError(f"{path} has no open GOP")


def join(paths: list[Path], path: Path) -> Path:
    """Join clips one behind the other, each with its own parameter sets, as ffmpeg's concat does."""
    program = find_ffmpeg()
    assert program is not None
    playlist = path.with_suffix(".txt")
    playlist.write_text("".join(f"file '{each}'\n" for each in paths))
    command = [program, "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", str(playlist), "-c", "copy"]
    subprocess.run([*command, str(path)], check=True, capture_output=True)
    return path
