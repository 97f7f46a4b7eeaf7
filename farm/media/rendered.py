"""The output's video stream, made from a rendered segment's header instead of an open encoder."""

from __future__ import annotations

import io
from fractions import Fraction

import av
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext

from broker.framing import StreamHeader
from farm.errors import StitchMismatch
from farm.media.containers import codec_tag
from farm.media.light import Light
from farm.media.lit_template import can_be_lit, lit_head
from farm.media.padded import padded_packet

#: PyAV makes streams either with an encoder, which the farm has no use for (and which may want a GPU), or
#: from a stream that was read. So the first packet goes through this container, in memory: it takes
#: nearly every codec here without asking for parameter sets first.
_TEMPLATE_FORMAT = "nut"
_TEMPLATE_FORMAT_OF = {"prores": "mov"}


def add_rendered_stream(
    output: OutputContainer,
    codec: str,
    header: StreamHeader,
    first_packet: bytes,
    *,
    time_base: Fraction,
    light: Light,
) -> av.VideoStream:
    """Add the video stream that `header` and `light` describe; its packets will be in `time_base`.

    Raises:
        StitchMismatch: the packet or the parameter sets are not of that codec.
    """
    try:
        form = _TEMPLATE_FORMAT_OF.get(codec, _TEMPLATE_FORMAT)
        if light and can_be_lit(codec):
            form = "matroska"
            memory = io.BytesIO(lit_head(codec, header.width, header.height, light))
        else:
            memory = io.BytesIO(_template(form, codec, header, first_packet))
        with av.open(memory, format=form) as template:
            stream = output.add_stream_from_template(template.streams.video[0], opaque=True)
    except av.error.FFmpegError as error:
        raise StitchMismatch(f"the rendered packets are not {codec}: {error.strerror}") from error
    _describe(stream.codec_context, header)
    tag = codec_tag(output.format.name, codec, header.codec_tag)
    if tag is not None:
        stream.codec_context.codec_tag = tag
    stream.time_base = time_base
    return stream


def _template(form: str, codec: str, header: StreamHeader, first_packet: bytes) -> bytes:
    memory = io.BytesIO()
    with av.open(memory, "w", format=form) as container:
        rate = header.frame_rate or Fraction(25)
        stream = container.add_mux_stream(codec, rate=rate, width=header.width, height=header.height)
        packet = padded_packet(first_packet)
        packet.stream = stream
        packet.pts = packet.dts = 0
        packet.time_base = 1 / rate
        packet.is_keyframe = True
        container.mux(packet)
    return memory.getvalue()


def _describe(context: VideoCodecContext, header: StreamHeader) -> None:
    context.width, context.height = header.width, header.height
    context.pix_fmt = header.pix_fmt
    context.extradata = header.extradata or None
    context.sample_aspect_ratio = header.sample_aspect_ratio or Fraction(0)
    context.color_primaries = header.color_primaries
    context.color_trc = header.color_trc
    context.colorspace = header.colorspace
    context.color_range = header.color_range
    context.field_order = header.field_order
