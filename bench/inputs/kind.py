"""What a kind of clip is, and how one is made."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: Makes a file that a clip needs besides its picture, and returns its path.
Maker = Callable[[Path], Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of clip: a moving picture with a running clock, coded in one particular way.

    `encode` are the ffmpeg program's arguments behind the inputs; `then`, if given, those of a second run
    that takes the first one's file (`before`) without decoding it. `beside` are further inputs.
    """

    name: str
    suffix: str
    encode: str = ""
    size: str = "160x96"
    rate: str = "25"
    seconds: float = 2.0
    tone: int = 0  # audio tracks: sines of different pitch
    beside: tuple[Maker, ...] = ()
    before: str = ".mkv"
    before_input: str = ""  # options of the second run's reading side
    then: str = ""
    output: str = ".mov"  # what a lossless output of it is called
    decoder: str = ""  # the one to judge the input with, where FFmpeg's own choice leaves something out
    make_whole: Callable[[Path], Path] | None = None  # what no encoder writes
    rewrite: Callable[[Path], None] | None = None  # what no muxer writes, changed in the finished file

    def make(self, folder: Path) -> Path:
        """Write a clip into `folder` and return its path."""
        path = folder / f"{self.name}{self.suffix}"
        first = path.with_name(f"{self.name}-before{self.before}") if self.then else path
        if self.make_whole is not None:
            self.make_whole(first)
        else:
            beside = [argument for make in self.beside for argument in ("-i", str(make(folder)))]
            _ffmpeg(*self._picture(), *self._tones(), *beside, *self.encode.split(), str(first))
        if self.then:
            _ffmpeg(*self.before_input.split(), "-i", str(first), *self.then.split(), str(path))
        if self.rewrite is not None:
            self.rewrite(path)
        return path

    def _picture(self) -> list[str]:
        source = f"testsrc2=size={self.size}:rate={self.rate}:duration={self.seconds}"
        return ["-f", "lavfi", "-i", source]

    def _tones(self) -> list[str]:
        pitches = [440 * number for number in range(1, self.tone + 1)]
        tones = [f"sine=frequency={pitch}:sample_rate=48000:duration={self.seconds}" for pitch in pitches]
        return [argument for tone in tones for argument in ("-f", "lavfi", "-i", tone)]


def _ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-y", "-nostdin", "-v", "error", "-threads", "1", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {answer.stderr}")
