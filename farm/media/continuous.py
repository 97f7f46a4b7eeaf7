"""A video that one encoder makes of all chunks: the ffmpeg program's packets, at the output's times."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

from broker.framing import PacketRecord, StreamHeader
from farm.errors import FfmpegFailed, StitchMismatch
from farm.media.restamp import Stamped, Stamper
from farm.media.second_encode import LOOK_S, SecondEncode
from farm.media.target import Target
from farm.media.timeline import Timeline

#: How packets come back from the program. NUT does not know ProRes.
_FORMATS = {"prores": "mov"}
_FORMAT = "nut"

#: Packets that wait to be written, at most.
_AHEAD = 64


@dataclass(frozen=True, slots=True)
class _End:
    error: av.error.FFmpegError | None


def return_format(codec: str) -> str:
    """Return the format in which the program must write a codec to its standard output."""
    return _FORMATS.get(codec, _FORMAT)


class ContinuousVideo:
    """The video that a running second encode makes; what `mux` wants. Frame n comes stamped n ticks."""

    header: StreamHeader

    def __init__(
        self,
        encode: SecondEncode,
        target: Target,
        timeline: Timeline,
        tick: Fraction,
        beat: Callable[[], None],
    ) -> None:
        """Wait until the program says what it writes.

        `tick`: seconds between two stamps of the program's. `beat` is called while there is nothing to do,
        and may raise.

        Raises:
            FfmpegFailed: it gave up before.
        """
        self._encode, self._target, self._timeline, self._tick = encode, target, timeline, tick
        self._beat = beat
        self._queue: queue.Queue[StreamHeader | PacketRecord | _End] = queue.Queue(_AHEAD)
        self._is_over = threading.Event()
        threading.Thread(target=self._read_all, name="continuous-video", daemon=True).start()
        header = self._next()
        if not isinstance(header, StreamHeader):
            raise self._failure(header)
        self.header = header

    def close(self) -> None:
        """Let the reader end."""
        self._is_over.set()

    def packets(self) -> Iterator[Stamped]:
        """Yield every packet, in decode order.

        Raises:
            FfmpegFailed: the program gave up. StitchMismatch: it made other frames than were wanted.
        """
        stamper = Stamper(self._timeline, self._target.reorder)
        is_there = np.zeros(self._timeline.num_frames, bool)
        position = 0
        while isinstance(packet := self._next(), PacketRecord):
            frame = packet.pts
            if frame is None or not 0 <= frame < len(is_there) or is_there[frame]:
                raise StitchMismatch(f"the encoder made a frame {frame} of {len(is_there)}")
            is_there[frame] = True
            yield stamper.stamped(packet, frame, position)
            position += 1
        self._encode.wait(self._beat)
        if isinstance(packet, _End) and packet.error is not None:
            raise self._failure(packet)
        if not is_there.all():
            raise StitchMismatch(f"the encoder made {position} of {len(is_there)} frames")

    def _next(self) -> StreamHeader | PacketRecord | _End:
        while True:
            self._beat()
            try:
                return self._queue.get(timeout=LOOK_S)
            except queue.Empty:
                continue

    def _failure(self, end: object) -> FfmpegFailed:
        self._encode.wait(self._beat)
        return FfmpegFailed(f"ffmpeg ended without a video: {end}")

    def _read_all(self) -> None:
        error = None
        try:
            form = return_format(self._target.codec)
            with av.open(self._encode.process.stdout, "r", format=form) as container:
                stream = container.streams.video[0]
                self._put(self._described(stream))
                for packet in container.demux(stream):
                    if packet.size:
                        self._put(self._record(packet))
        except (av.error.FFmpegError, ValueError) as failure:
            error = failure if isinstance(failure, av.error.FFmpegError) else None
        self._put(_End(error))

    def _put(self, value: StreamHeader | PacketRecord | _End) -> None:
        while not self._is_over.is_set():
            try:
                self._queue.put(value, timeout=LOOK_S)
            except queue.Full:
                continue
            return

    def _record(self, packet: av.Packet[Any]) -> PacketRecord:
        assert packet.pts is not None
        assert packet.time_base is not None
        frame = packet.pts * packet.time_base / self._tick
        return PacketRecord(
            pts=int(frame) if frame.denominator == 1 else None,
            dts=None,
            duration=1,
            data=bytes(packet),
            is_keyframe=packet.is_keyframe,
        )

    def _described(self, stream: av.VideoStream) -> StreamHeader:
        context = stream.codec_context
        return StreamHeader(
            codec=self._target.encode.codec,
            codec_tag=context.codec_tag.strip("\0") if self._target.codec == "prores" else "",
            width=context.width,
            height=context.height,
            pix_fmt=self._target.encode.pix_fmt,
            time_base=self._tick,
            extradata=context.extradata or b"",
            frame_rate=1 / self._tick,
            sample_aspect_ratio=stream.sample_aspect_ratio or None,
            color_primaries=context.color_primaries,
            color_trc=context.color_trc,
            colorspace=context.colorspace,
            color_range=context.color_range,
        )
