"""Chunks of every encoder, encoded apart by a worker's own code, join into one stream without a seam."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from broker.framing import read_segment
from farm.media.cut import Cutter
from farm.media.manifest import index
from farm.media.plan import plan_chunks
from farm.media.probe import probe
from farm.media.target import Target, choose_target
from farm.media.verify import verify
from farm.media.wishes import EncodingWish
from tests.clips import make_clip, read_numbers
from tests.farm.media.decoding import md5, padded
from tests.farm.media.judge import frame_md5s, packets
from tests.farm.media.rendering import Rendered
from tests.services import find_ffmpeg
from workers.media.decode import decode
from workers.media.encode import Encoder

pytestmark = pytest.mark.needs_ffmpeg

#: Where each codec goes, and the decoder that reads it.
CODECS = {
    "h264": ("mp4", "h264"),
    "hevc": ("mp4", "hevc"),
    "av1": ("mp4", "libdav1d"),
    "vp9": ("webm", "vp9"),
    "prores": ("mov", "prores"),
    "ffv1": ("mkv", "ffv1"),
}
FPS = 10


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Twenty-one seconds, so that ten-second chunks have a join, with B-frames of its own."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return make_clip(path, fps=FPS, num_frames=21 * FPS, gop=30, bframes=2)


def joined(clip: Path, output: Path, seconds: int, wish: EncodingWish) -> tuple[Rendered, list[str]]:
    """Render a clip in chunks of some seconds and join them; return also the MD5s of frames decoded apart."""
    info = probe(clip)
    manifest = index(clip, info)
    target = choose_target(output, info, wish)
    with Cutter(clip, info, manifest) as cutter:
        plans = plan_chunks(manifest, chunk_s=Fraction(seconds), max_bytes=2**40)
        segments = [b"".join(worked(cutter.cut(plan), target)) for plan in plans]
    rendered = Rendered(clip, info, manifest, target, segments)
    report = rendered.mux(output)
    verify(output, rendered.timeline, info, target, copied=report.copied)
    return rendered, [each for segment in segments for each in decoded(segment, CODECS[target.codec][1])]


def worked(pieces: Iterator[bytes], target: Target) -> Iterator[bytes]:
    """Do to a segment what a worker does, but for changing any face."""
    header, records = read_segment(pieces)
    encoder = Encoder(target.encode, header, threads=1)
    for frame in decode(header, records, threads=1):
        yield from encoder.encode(frame)
    yield from encoder.finish()


def decoded(segment: bytes, decoder_name: str) -> list[str]:
    """Decode one rendered segment on its own."""
    header, records = read_segment([segment])
    decoder = av.CodecContext.create(decoder_name, "r")
    if header.extradata:
        decoder.extradata = header.extradata
    if header.codec_tag:
        decoder.codec_tag = header.codec_tag
    decoder.width, decoder.height, decoder.pix_fmt = header.width, header.height, header.pix_fmt
    decoder.thread_count = 1
    shown = [picture for record in records for picture in decoder.decode(padded(record))]
    return [md5(picture) for picture in [*shown, *decoder.decode(None)]]


def complaints(path: Path) -> str:
    """Return what FFmpeg finds wrong with a file while it decodes all of it."""
    command = [find_ffmpeg(), "-v", "warning", "-nostdin", "-i", str(path), "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return re.sub(r".*(deprecated pixel format|Guessed Channel).*\n", "", said)


@pytest.mark.parametrize("seconds", [1, 3, 10])
@pytest.mark.parametrize("codec", CODECS)
def test_joins_do_not_show(clip, tmp_path, codec, seconds):
    """Every frame once, at its time, decoded as in its own chunk, and FFmpeg has nothing to complain of."""
    output = tmp_path / f"out.{CODECS[codec][0]}"
    rendered, apart = joined(clip, output, seconds, EncodingWish(codec=codec, speed="ultrafast"))
    assert len(rendered.segments) >= 21 // seconds
    assert frame_md5s(output) == apart
    assert read_numbers(output) == list(range(21 * FPS))
    assert sorted(packet.pts_s for packet in packets(output)) == [Fraction(n, FPS) for n in range(21 * FPS)]
    assert complaints(output) == ""


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9", "ffv1"])
def test_lossless_modes_lose_nothing(clip, tmp_path, codec):
    """Each frame's pixels are the input's, in every encoder that says it can."""
    output = tmp_path / "out.mkv"
    joined(clip, output, 3, EncodingWish(codec=codec, lossless=True, speed="ultrafast"))
    assert frame_md5s(output) == frame_md5s(clip)


@pytest.mark.parametrize(("codec", "suffix", "tag"), [("hevc", "mp4", "hvc1"), ("prores", "mov", "apch")])
def test_the_codec_is_called_what_players_know(clip, tmp_path, codec, suffix, tag):
    """Apple's players take HEVC as hvc1 alone, and tell ProRes' profiles by the name."""
    output = tmp_path / f"out.{suffix}"
    joined(clip, output, 10, EncodingWish(codec=codec, speed="ultrafast"))
    with av.open(str(output)) as container:
        assert container.streams.video[0].codec_context.codec_tag == tag
