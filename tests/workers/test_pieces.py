"""Pictures go through a swapper together, come out by themselves, and damaged ones go round it."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from broker.clock import SystemClock
from broker.config import BrokerConfig
from broker.connect import memory_broker
from broker.framing import PacketRecord, StreamHeader, frame_end, frame_header, frame_packet, read_chain
from broker.installed import ModelStore
from broker.messages import EncodeSpec
from broker.segments import SegmentName
from tests.workers.face.moving import HOPPER, frame_of, moving_picture
from tests.workers.segments import offer
from workers.config import WorkerConfig
from workers.errors import DecodeMismatch
from workers.frames import Frame
from workers.keeper import Progress
from workers.media.decode import decode
from workers.media.pictures import planes_of
from workers.pieces import Piece, by_segment, through
from workers.render import ChunkRenderer
from workers.segment_io import read_parts
from workers.stages.running import Stages
from workers.swappers.passthrough import Passthrough
from workers.swappers.portrait import PortraitSwapper

PNG = EncodeSpec(codec="png", pix_fmt="rgb24")


def header_of(index: int, **more) -> StreamHeader:
    return StreamHeader(
        codec="png", width=8, height=8, pix_fmt="", time_base=Fraction(1), name=f"{index}.png",
        encode=PNG, start=index, pts=(index,), **more,
    )  # fmt: skip


@given(damaged=st.lists(st.booleans(), min_size=1, max_size=8), ahead=st.integers(1, 4))
def test_each_piece_keeps_its_header(damaged, ahead):
    """However far a swapper reads ahead, every segment comes out once, in order, with its own header."""
    blank = av.VideoFrame(8, 8, "rgb24")
    pieces = [
        Piece(header_of(index), None if gone else Frame(picture=blank, index=index, pts=index))
        for index, gone in enumerate(damaged)
    ]

    def run(frames):
        held = []
        for frame in frames:
            held.append(frame)
            if len(held) == ahead:
                yield held.pop(0)
        yield from held

    found = list(through(iter(pieces), run))
    assert [piece.header.start for piece in found] == list(range(len(damaged)))
    assert [piece.frame is None for piece in found] == damaged
    assert [len(list(group)) for _, group in by_segment(found)] == [1] * len(damaged)


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


class Counting(Passthrough):
    """Notes which frames came in one run; says whether it heeds shots."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []

    def run(self, frames, source, fuse):
        self.runs.append([])
        for frame in frames:
            self.runs[-1].append(frame.index)
            yield frame


class Heedless(Counting):
    """An engine of somebody's own that has never heard of shots."""

    def __getattribute__(self, name):
        if name == "knows_shots":
            raise AttributeError(name)
        return super().__getattribute__(name)


def rendered(files: list[bytes], swapper, **more) -> list:
    """Render a chunk of pictures; return each one's header and, decoded, its samples."""
    broker = memory_broker(BrokerConfig(part_bytes=4096), SystemClock())
    data = b""
    for index, file in enumerate(files):
        head = StreamHeader(
            codec="png", width=32, height=24, pix_fmt="", time_base=Fraction(1), name=f"{index}.png",
            encode=PNG, start=index, pts=(index,), **more,
        )  # fmt: skip
        record = PacketRecord(pts=index, dts=index, duration=1, data=file, is_keyframe=True)
        data += frame_header(head) + frame_packet(record) + frame_end(1)
    broker.segments.append(SegmentName(job_id="j", index=0, kind="in", attempt=1), 0, data, limit_bytes=2**30)
    renderer = ChunkRenderer(
        broker=broker,
        config=WorkerConfig(name="w", threads=1),
        clock=SystemClock(),
        stages=Stages(ModelStore(Path("/nowhere"))),
    )
    chunk = offer(0, len(files))
    result = renderer.render(chunk, swapper, swapper.prepare(b"", chunk.fuse), Progress())
    assert result.num_frames == len(files)
    parts = read_parts(broker.segments, SegmentName(job_id="j", index=0, kind="out", attempt=1))
    found = []
    for head, packets in read_chain(parts):
        frames = list(decode(head, packets, threads=1)) if head.pts else []
        found.append((head, [frame.picture.to_ndarray(format="rgb24") for frame in frames]))
    return found


@pytest.fixture
def pictures() -> list[np.ndarray]:
    return [np.random.default_rng(n).integers(0, 256, (24, 32, 3), np.uint8) for n in range(4)]


@pytest.mark.parametrize(("kind", "runs"), [(Counting, [[0, 1, 2, 3]]), (Heedless, [[0], [1], [2], [3]])])
def test_only_who_heeds_shots_gets_many_pictures_at_once(pictures, kind, runs):
    swapper = kind()
    found = rendered([png(picture) for picture in pictures], swapper)
    assert swapper.runs == runs
    for number, (head, (after,)) in enumerate(found):
        assert (head.start, head.name) == (number, f"{number}.png")
        assert np.array_equal(after, pictures[number])


def test_a_damaged_picture_fails_the_chunk_by_name(pictures):
    files = [png(picture) for picture in pictures]
    files[2] = files[2][:200] + bytes(40) + files[2][240:]
    with pytest.raises(DecodeMismatch, match=r"2\.png cannot be decoded"):
        rendered(files, Counting())


@pytest.mark.parametrize("kind", [Counting, Heedless])
def test_a_damaged_picture_is_left_out_alone(pictures, kind):
    """Salvaged, its segment comes back empty, and the others as they are."""
    files = [png(picture) for picture in pictures]
    files[2] = files[2][:200] + bytes(40) + files[2][240:]
    found = rendered(files, kind(), is_salvaged=True)
    assert [len(samples) for _, samples in found] == [1, 1, 0, 1]
    assert found[2][0].pts == ()
    assert np.array_equal(found[3][1][0], pictures[3])


def test_a_picture_knows_nothing_of_its_neighbours():
    """Each is fused as if it were alone, bit for bit; as frames of a video they are not."""
    swapper = PortraitSwapper()
    spec = offer(0, 1, engine="portrait").fuse
    source = swapper.prepare(HOPPER.read_bytes(), spec)
    frames = [frame_of(moving_picture(4 * index), index) for index in range(3)]
    for frame in frames:
        frame.begins_shot = True
    together = [samples(frame) for frame in swapper.run(frames, source, spec)]
    alone = [samples(next(iter(swapper.run([frame], source, spec)))) for frame in frames]
    assert together == alone
    for frame in frames:
        frame.begins_shot = False
    assert [samples(frame) for frame in swapper.run(frames, source, spec)] != alone


def samples(frame: Frame) -> list[bytes]:
    return [plane.tobytes() for plane in planes_of(frame.picture)]
