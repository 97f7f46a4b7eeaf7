"""What the ffmpeg program says about a file: the judge, since none of the farm's code is in it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tests.services import find_ffmpeg

_NO_TIME = -(2**63)


@dataclass(frozen=True)
class Packet:
    """A line of FFmpeg's framecrc: times in seconds."""

    stream: int
    pts_s: Fraction
    duration_s: Fraction
    size: int
    checksum: str
    is_key: bool


def packets(path: Path, *selection: str) -> list[Packet]:
    """List a file's packets in decode order; `selection` names streams as ffmpeg's -map does."""
    maps = [
        argument for each in selection or ("0",) for argument in ("-map", f"0:{each}" if each != "0" else "0")
    ]
    lines = _run(
        ["-copyts", "-i", str(path), *maps, "-c", "copy", "-copyinkf", "-avoid_negative_ts", "disabled"],
        "framecrc",
    )
    bases = _time_bases(lines)
    return [_packet(line, bases) for line in lines if not line.startswith("#")]


def frame_md5s(path: Path) -> list[str]:
    """Decode a file's video and return the MD5 of every frame's pixels, in presentation order."""
    lines = _run(["-noautorotate", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"], "framemd5")
    return [line.split(",")[-1].strip() for line in lines if not line.startswith("#")]


def _run(arguments: list[str], form: str) -> list[str]:
    program = find_ffmpeg()
    assert program is not None
    command = [program, "-v", "error", "-nostdin", "-threads", "1", *arguments, "-f", form, "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _time_bases(lines: list[str]) -> dict[int, Fraction]:
    found = {}
    for line in lines:
        if line.startswith("#tb "):
            number, base = line.removeprefix("#tb ").split(":")
            found[int(number)] = Fraction(base.strip())
    return found


def _packet(line: str, bases: dict[int, Fraction]) -> Packet:
    fields = [field.strip() for field in line.split(",")]
    stream, _, pts, duration, size = (int(field) for field in fields[:5])
    return Packet(
        stream=stream,
        pts_s=pts * bases[stream],
        duration_s=duration * bases[stream],
        size=size,
        checksum=fields[5],
        # framecrc names the flags only of packets that have others than "key" alone.
        is_key=not any(field.startswith("F=") and not int(field[2:], 0) & 1 for field in fields[6:]),
    )
