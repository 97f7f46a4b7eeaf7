"""From frames to an output segment's bytes, exactly as the job's `EncodeSpec` says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from broker.framing import PacketRecord, StreamHeader, frame_end, frame_header, frame_packet
from broker.messages import GREY_JPEG, EncodeSpec
from workers.errors import EncodeFailed
from workers.frames import Frame
from workers.media.fields import Fields
from workers.media.grey_jpeg import GreyJpegEncoder

#: Where the input does not say how fast it plays. Only rate control sees it: times come from the manifest.
DEFAULT_RATE = Fraction(25)


def open_encoder(spec: EncodeSpec, header: StreamHeader, *, threads: int) -> Encoder | GreyJpegEncoder:
    """Return what encodes a segment like the one of this header, as the job wants it."""
    if spec.codec == GREY_JPEG:
        return GreyJpegEncoder(spec, header)
    return Encoder(spec, header, threads=threads)


class Encoder:
    """Encodes one chunk. Time stamps are frame indexes: the stitcher puts the manifest's in their place.

    Indexes, because encoders refuse times that repeat or jump, as real inputs' do.
    """

    def __init__(self, spec: EncodeSpec, header: StreamHeader, *, threads: int) -> None:
        self._spec = spec
        self._input = header
        self._threads = threads
        self._context: VideoCodecContext | None = None
        self._fields = Fields(header)
        self._num_packets = 0
        self._num_frames = 0

    def encode(self, frame: Frame) -> Iterator[bytes]:
        """Yield what the segment gains by one more frame.

        Raises:
            EncodeFailed: the encoder refuses it.
        """
        picture = frame.picture
        if picture.format.name != self._spec.pix_fmt:
            picture = picture.reformat(format=self._spec.pix_fmt)
        try:
            if self._context is None:
                self._context = self._open(picture)
                yield frame_header(self._header(picture, frame.num_faces))
            picture = self._fields.mark(picture)
            # A decoded picture remembers what it was coded as, and encoders would obey.
            picture.pict_type = PictureType.NONE
            picture.pts = frame.index
            picture.time_base = self._context.time_base
            self._num_frames += 1
            yield from self._frame(self._context.encode(picture))
        except (av.FFmpegError, ValueError) as error:
            raise EncodeFailed(f"{self._spec.codec}: {error}") from error

    def finish(self) -> Iterator[bytes]:
        """Yield the rest of the segment.

        Raises:
            EncodeFailed: the encoder refuses to end, or no frame was given.
        """
        if self._context is None:
            raise EncodeFailed("there was no frame to encode")
        try:
            yield from self._frame(self._context.encode(None))
        except av.FFmpegError as error:
            raise EncodeFailed(f"{self._spec.codec}: {error}") from error
        if self._num_packets != self._num_frames:
            raise EncodeFailed(f"{self._num_frames} frames went in, {self._num_packets} packets came out")
        yield frame_end(self._num_packets)

    def _frame(self, packets: list[av.Packet[av.VideoStream]]) -> Iterator[bytes]:
        for packet in packets:
            self._num_packets += 1
            yield frame_packet(
                PacketRecord(
                    pts=packet.pts,
                    dts=packet.dts,
                    duration=packet.duration or 0,
                    data=bytes(packet),
                    is_keyframe=packet.is_keyframe,
                )
            )

    def _open(self, picture: av.VideoFrame) -> VideoCodecContext:
        context = av.CodecContext.create(self._spec.codec, "w")
        assert isinstance(context, VideoCodecContext)
        rate = self._input.frame_rate or DEFAULT_RATE
        context.width, context.height = picture.width, picture.height
        context.pix_fmt = self._spec.pix_fmt
        context.framerate, context.time_base = rate, 1 / rate
        if self._input.sample_aspect_ratio:
            context.sample_aspect_ratio = self._aspect(self._input.sample_aspect_ratio)
        context.color_primaries = self._input.color_primaries
        context.color_trc = self._input.color_trc
        context.colorspace = self._input.colorspace
        context.color_range = self._input.color_range
        # Pictures are many, and small: and a JPEG that several threads divide among them has other bytes.
        context.thread_count = 1 if self._input.name else self._threads
        context.options = dict(self._spec.options)
        # Parameter sets go to the header once: containers keep them there, and the stitcher compares them.
        context.flags |= Flags.global_header
        context.open()
        return context

    def _aspect(self, ratio: Fraction) -> Fraction:
        return 1 / ratio if self._input.rotation in {90, 270} else ratio

    def _header(self, picture: av.VideoFrame, num_faces: int) -> StreamHeader:
        assert self._context is not None
        start = self._input.start
        return StreamHeader(
            codec=self._spec.codec,
            codec_tag=_tag(self._context),
            width=picture.width,
            height=picture.height,
            pix_fmt=self._spec.pix_fmt,
            time_base=self._context.time_base or 1 / DEFAULT_RATE,
            extradata=self._context.extradata or b"",
            frame_rate=self._input.frame_rate,
            sample_aspect_ratio=self._context.sample_aspect_ratio,
            color_primaries=self._input.color_primaries,
            color_trc=self._input.color_trc,
            colorspace=self._input.colorspace,
            color_range=self._input.color_range,
            field_order=self._input.field_order,
            name=self._input.name,
            num_faces=num_faces if self._input.name else 0,
            start=start,
            pts=tuple(range(start, start + len(self._input.pts))),
        )


def empty_segment(header: StreamHeader) -> bytes:
    """Return the output segment of a picture that could not be decoded: it names no frame."""
    return frame_header(replace(header, pts=(), encode=None)) + frame_end(0)


def _tag(context: VideoCodecContext) -> str:
    """Return the four letters by which an encoder names its format, or ""; only ProRes' are its own."""
    return context.codec_tag.strip("\0")
