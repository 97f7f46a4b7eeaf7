"""One more encode of the rendered video, by the ffmpeg program: fed with chunks, ended when unwanted.

For what chunks, encoded apart, cannot be joined to: a bit rate, another size or rate, a GIF, a still. The
program reads compressed packets from a pipe, in order: nothing is written twice, and little held at a time.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import av
import ffmpeg

from farm.errors import FarmError, FfmpegFailed
from farm.ffmpeg_program import ffmpeg_with
from farm.media.light import NO_LIGHT
from farm.media.padded import padded_packet
from farm.media.rendered import add_rendered_stream
from farm.media.restamp import Restamper
from farm.media.timeline import Timeline

#: How packets reach the program: FFmpeg's own streaming format, exact in time, for nearly any codec.
FEED_FORMAT = "nut"

#: How often whoever waits for the program says that it still does, in seconds.
LOOK_S = 0.25

#: How much is read of what the program said, in bytes: of errors, the first is the cause.
_SAID_BYTES = 4096


class SecondEncode:
    """A running ffmpeg. Use as a context manager: it is gone at the end, whatever happened."""

    def __init__(self, graph: Any, encoder: str, feed: Restamper, codec: str, timeline: Timeline) -> None:
        """`graph`: of ffmpeg-python, from `pipe:0`. `feed`: the video, in `codec`, at `timeline`'s times."""
        self._command = ffmpeg.compile(
            graph.global_args("-v", "error"), cmd=ffmpeg_with(encoder), overwrite_output=True
        )
        self._feed, self._codec, self._timeline = feed, codec, timeline
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._feed_all, name="second-encode", daemon=True)

    def __enter__(self) -> Self:
        """Start the program."""
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the program if it still runs."""
        self.process.kill()
        self.process.wait()
        self._thread.join()
        for pipe in (self.process.stdout, self._said):
            assert pipe is not None
            pipe.close()

    def wait(self, beat: Callable[[], None]) -> None:
        """Wait for the program's end; `beat` is called now and then, and may raise to end it.

        Raises:
            FfmpegFailed: it gave up. FarmError: the chunks could not be read, or are not what they should be.
        """
        while True:
            try:
                code = self.process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                beat()
                continue
            break
        if code == 0:
            return
        self._thread.join()
        # Where the program died first, writing to it failed: what it said is the reason.
        if isinstance(self._error, FarmError):
            raise self._error
        raise FfmpegFailed(
            f"ffmpeg: {self._reason()}", hint="`farm retry` encodes anew from the rendered chunks"
        )

    def _feed_all(self) -> None:
        assert self.process.stdin is not None
        try:
            with self.process.stdin as pipe:
                self._write_packets(pipe)
        except (FarmError, OSError, av.error.FFmpegError) as error:
            self._error = error

    def _write_packets(self, pipe: Any) -> None:
        packets = self._feed.packets()
        first = next(packets)
        with av.open(pipe, "w", format=FEED_FORMAT) as container:
            base = self._timeline.time_base
            # What lights HDR is told the second encoder by its options, as it was told the first.
            stream = add_rendered_stream(
                container, self._codec, self._feed.header, first.data, time_base=base, light=NO_LIGHT
            )
            for stamped in _chained(first, packets):
                packet = padded_packet(stamped.data)
                packet.stream, packet.time_base = stream, base
                packet.pts, packet.dts, packet.duration = stamped.pts, stamped.dts, stamped.duration
                packet.is_keyframe = stamped.is_keyframe
                container.mux_one(packet)

    def _reason(self) -> str:
        self._said.seek(0)
        lines = self._said.read(_SAID_BYTES).decode(errors="replace").strip().splitlines()
        return lines[0] if lines else f"it ended with {self.process.returncode} and said nothing"


def _chained(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest
