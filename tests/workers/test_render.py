"""A chunk goes from its input segment to its output segment, exactly."""

import threading

import pytest

from broker.clock import SystemClock
from broker.config import BrokerConfig
from broker.connect import memory_broker
from broker.errors import SegmentMissing
from broker.framing import read_segment
from broker.segments import SegmentName
from tests.workers.segments import FFV1, H264, clip, offer, pictures, planes, segment
from workers.config import WorkerConfig
from workers.errors import DecodeMismatch, EncodeFailed, Stopped
from workers.keeper import Progress
from workers.media.decode import decode
from workers.render import ChunkRenderer
from workers.segment_io import read_parts
from workers.stages.running import Stages
from workers.swappers import open_swapper, this_store

OUT = SegmentName(job_id="j", index=0, kind="out", attempt=1)
IN = SegmentName(job_id="j", index=0, kind="in", attempt=1)


@pytest.fixture
def broker():
    return memory_broker(BrokerConfig(part_bytes=4096), SystemClock())


@pytest.fixture
def renderer(broker):
    return ChunkRenderer(
        broker=broker,
        config=WorkerConfig(name="w", threads=1),
        clock=SystemClock(),
        stages=Stages(this_store()),
    )


def put(broker, data: bytes) -> None:
    for number in range(0, len(data), 4096):
        broker.segments.append(IN, number // 4096, data[number : number + 4096], limit_bytes=2**30)


def render(renderer, chunk, progress=None):
    swapper = open_swapper(chunk.fuse.engine)
    return renderer.render(chunk, swapper, swapper.prepare(b"", chunk.fuse), progress or Progress())


def decoded(broker) -> list[bytes]:
    header, packets = read_segment(read_parts(broker.segments, OUT))
    return [planes(frame.picture) for frame in decode(header, packets, threads=1)]


def truth(packets, stream) -> list[bytes]:
    context = stream.codec_context
    return [planes(frame) for packet in [*packets, None] for frame in context.decode(packet)]


@pytest.mark.parametrize("start, end, context", [(0, 30, 0), (0, 7, 3), (13, 20, 4), (29, 30, 9)])
def test_lossless_output_is_the_input(broker, renderer, start, end, context):
    """Exactly the named frames come out, bit for bit, whatever the context around them."""
    packets, stream = clip(pictures(30))
    put(broker, segment(packets, stream, start=start, end=end, context=context))
    result = render(renderer, offer(start, end))
    assert result.num_frames == end - start
    assert decoded(broker) == truth(packets, stream)[start:end]


def test_the_result_describes_the_parts(broker, renderer):
    """Number, size and digest of the parts are those that lie in the store."""
    import hashlib

    packets, stream = clip(pictures(10))
    put(broker, segment(packets, stream))
    result = render(renderer, offer(0, 10))
    data = b"".join(read_parts(broker.segments, OUT))
    assert result.num_parts == broker.segments.num_parts(OUT) > 1
    assert (result.num_bytes, result.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_lossy_output_numbers_its_frames(broker, renderer):
    """An encoder that reorders still gives one packet a frame, stamped with the frame's index."""
    packets, stream = clip(pictures(30))
    put(broker, segment(packets, stream, start=10, end=25))
    render(renderer, offer(10, 25, encode=H264))
    header, packets = read_segment(read_parts(broker.segments, OUT))
    records = list(packets)
    assert sorted(record.pts for record in records) == list(range(10, 25))
    assert [record.pts for record in records] != sorted(record.pts for record in records)
    assert records[0].is_keyframe
    assert header.start == 10


def test_a_missing_frame_is_an_error(broker, renderer):
    """A segment that lacks a packet is refused, not filled up."""
    packets, stream = clip(pictures(20), options={"bf": "0", "g": "1"})
    whole = segment(packets, stream)
    del packets[7]
    header, _ = read_segment([whole])
    from broker.framing import PacketRecord, frame_end, frame_header, frame_packet

    records = [
        PacketRecord(pts=p.pts, dts=p.dts, duration=0, data=bytes(p), is_keyframe=True) for p in packets
    ]
    put(broker, b"".join([frame_header(header), *map(frame_packet, records), frame_end(len(records))]))
    with pytest.raises(DecodeMismatch, match="frame 7"):
        render(renderer, offer(0, 20))


def test_a_segment_that_ends_early_is_an_error(broker, renderer):
    packets, stream = clip(pictures(20), options={"bf": "0", "g": "1"})
    whole = segment(packets, stream)
    header, _ = read_segment([whole])
    from broker.framing import PacketRecord, frame_end, frame_header, frame_packet

    records = [
        PacketRecord(pts=p.pts, dts=p.dts, duration=0, data=bytes(p), is_keyframe=True) for p in packets[:9]
    ]
    put(broker, b"".join([frame_header(header), *map(frame_packet, records), frame_end(len(records))]))
    with pytest.raises(DecodeMismatch, match="from 9 on"):
        render(renderer, offer(0, 20))


def test_a_segment_that_is_not_there(renderer):
    with pytest.raises(SegmentMissing):
        render(renderer, offer(0, 1))


def test_an_encoder_that_refuses(broker, renderer):
    """Options that the encoder does not know are an error of the chunk's own kind."""
    from broker.messages import EncodeSpec

    packets, stream = clip(pictures(3))
    put(broker, segment(packets, stream))
    with pytest.raises(EncodeFailed):
        render(
            renderer, offer(0, 3, encode=EncodeSpec(codec="libx264", pix_fmt="yuv420p", options={"crf": "x"}))
        )


def test_a_chunk_that_is_taken_away_stops(broker, renderer):
    """`stop` ends a render, also one that waits for room in the window; no thread is left."""
    packets, stream = clip(pictures(60))
    put(broker, segment(packets, stream))
    progress = Progress()
    before = threading.active_count()
    timer = threading.Timer(0.2, progress.stop.set)
    full = ChunkRenderer(
        broker=memory_like(broker, window_bytes=broker.segments.used_bytes() + 5000),
        config=WorkerConfig(name="w", threads=1),
        clock=SystemClock(),
        stages=Stages(this_store()),
    )
    timer.start()
    with pytest.raises(Stopped):
        render(full, offer(0, 60), progress)
    timer.join()
    assert threading.active_count() == before


def memory_like(broker, *, window_bytes: int):
    """The same stores under a smaller window."""
    import dataclasses

    config = dataclasses.replace(broker.config, window_bytes=window_bytes)
    return dataclasses.replace(broker, config=config)


@pytest.mark.parametrize("spec", [FFV1, H264])
def test_rendering_twice_gives_the_same_bytes(broker, renderer, spec):
    """A second attempt at a chunk cannot be told from the first."""
    packets, stream = clip(pictures(20))
    put(broker, segment(packets, stream))
    digests = {render(renderer, offer(0, 20, encode=spec)).sha256 for _ in range(2)}
    assert len(digests) == 1


@pytest.mark.parametrize("rotation, hflip", [(0, True), (90, False), (180, False), (270, False), (90, True)])
def test_pictures_are_turned_upright_without_loss(broker, renderer, rotation, hflip):
    """Samples are moved as NumPy moves them: mirrored first, then turned counter-clockwise."""
    import numpy as np

    source = pictures(3)
    packets, stream = clip(source, codec="ffv1", options={})
    put(broker, segment(packets, stream, rotation=rotation, hflip=hflip))
    render(renderer, offer(0, 3))
    header, records = read_segment(read_parts(broker.segments, OUT))
    frames = [frame.picture for frame in decode(header, records, threads=1)]
    for got, sent in zip(frames, source, strict=True):
        for plane in range(3):
            shape = (sent.planes[plane].height, sent.planes[plane].width)
            want = np.frombuffer(bytes(sent.planes[plane]), np.uint8).reshape(shape[0], -1)[:, : shape[1]]
            want = np.fliplr(want) if hflip else want
            want = np.rot90(want, rotation // 90)
            have = np.frombuffer(bytes(got.planes[plane]), np.uint8)
            have = have.reshape(got.planes[plane].height, -1)[:, : got.planes[plane].width]
            assert np.array_equal(have, want)


@pytest.mark.parametrize("codec", ["mpeg4", "libx264", "libx265", "libvpx-vp9", "ffv1"])
def test_decoders_read_no_further_than_the_packet(broker, renderer, codec):
    """Packets are padded as FFmpeg demands: the same pictures as from the file, for every kind of decoder."""
    options = {"libx265": {"x265-params": "log-level=none"}}.get(codec, {})
    packets, stream = clip(pictures(40), codec=codec, options=options)
    put(broker, segment(packets, stream))
    render(renderer, offer(0, 40))
    assert decoded(broker) == truth(packets, stream)
