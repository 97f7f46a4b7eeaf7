"""Input segments for tests of the workers, cut by hand from clips made with PyAV."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np

from broker.framing import PacketRecord, StreamHeader, frame_end, frame_header, frame_packet
from broker.messages import EncodeSpec, FuseSpec, RenderChunk

FFV1 = EncodeSpec(codec="ffv1", pix_fmt="yuv420p")
H264 = EncodeSpec(codec="libx264", pix_fmt="yuv420p", options={"crf": "18", "bf": "2", "g": "8"})


def pictures(count: int, *, width: int = 64, height: int = 48) -> list[av.VideoFrame]:
    """Frames of moving noise: no two alike."""
    random = np.random.default_rng(7)
    noise = random.integers(16, 235, (height * 3 // 2, width), dtype=np.uint8)
    return [
        av.VideoFrame.from_ndarray(np.roll(noise, number, axis=1).copy(), format="yuv420p")
        for number in range(count)
    ]


def clip(frames: list[av.VideoFrame], *, codec: str = "libx264", options: dict[str, str] | None = None):
    """Encode frames; return (packets, stream) as a demuxer would give them."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=25, options=options or {"bf": "2", "g": "10"})
        stream.width, stream.height = frames[0].width, frames[0].height
        stream.pix_fmt = frames[0].format.name
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    container = av.open(file)
    stream = container.streams.video[0]
    return [packet for packet in container.demux(stream) if packet.size], stream


def segment(packets, stream, *, start: int = 0, end: int | None = None, context: int = 0, **header) -> bytes:
    """Return a segment of frames [start, end) with `context` frames on both sides of them."""
    times = sorted(packet.pts for packet in packets)
    end = len(times) if end is None else end
    context_of = stream.codec_context
    head = StreamHeader(
        codec=context_of.codec.name,
        width=context_of.width,
        height=context_of.height,
        pix_fmt=context_of.pix_fmt,
        time_base=stream.time_base,
        extradata=context_of.extradata or b"",
        frame_rate=Fraction(25),
        start=start,
        before=tuple(times[max(0, start - context) : start]),
        pts=tuple(times[start:end]),
        after=tuple(times[end : end + context]),
        **header,
    )
    records = [
        PacketRecord(
            pts=packet.pts,
            dts=packet.dts,
            duration=packet.duration or 0,
            data=bytes(packet),
            is_keyframe=packet.is_keyframe,
        )
        for packet in packets
    ]
    return b"".join([frame_header(head), *map(frame_packet, records), frame_end(len(records))])


def offer(start: int, end: int, *, encode: EncodeSpec = FFV1, engine: str = "passthrough") -> RenderChunk:
    """Return the message that offers frames [start, end) of job "j"."""
    return RenderChunk(
        job_id="j", index=0, attempt=1, start=start, end=end, fuse=FuseSpec(engine=engine), encode=encode
    )


def planes(picture: av.VideoFrame) -> bytes:
    """Return a picture's samples."""
    return picture.to_ndarray().tobytes()
