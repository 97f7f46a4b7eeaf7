"""The engine without the farm: decode, fuse and encode one file in one process."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av

from broker.framing import StreamHeader
from broker.messages import FuseSpec
from farm.media.probe import probe
from farm.media.target import choose_target
from workers.frames import Frame
from workers.media.encode import Encoder
from workers.pipeline import ahead
from workers.swappers import open_swapper
from workers.swappers.contract import Swapper


def run_bare(path: Path, source: Path, engine: str, output: Path, *, overlap: bool) -> float:
    """Render a file and return frames per second; `overlap` gives each stage a thread, as workers do."""
    swapper, fuse = _warm(engine), FuseSpec(engine=engine)
    portrait = source.read_bytes()
    began = time.perf_counter()
    prepared = swapper.prepare(portrait, fuse)
    header, frames = _decode(path)
    stop = threading.Event()
    if overlap:
        fused: Iterable[Frame] = ahead(swapper.run(ahead(frames, 8, stop=stop), prepared, fuse), 8, stop=stop)
    else:
        fused = swapper.run(frames, prepared, fuse)
    encoder = Encoder(_spec(path, output), header, threads=os.cpu_count() or 1)
    count = 0
    with output.open("wb") as file:
        for frame in fused:
            file.writelines(encoder.encode(frame))
            count += 1
        file.writelines(encoder.finish())
    return count / (time.perf_counter() - began)


@functools.cache
def _warm(engine: str) -> Swapper:
    swapper = open_swapper(engine)
    swapper.warm()
    return swapper


def _spec(path: Path, output: Path):  # noqa: ANN202 - an EncodeSpec
    return choose_target(output, probe(path)).encode


def _decode(path: Path) -> tuple[StreamHeader, Iterator[Frame]]:
    container = av.open(str(path))
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    context = stream.codec_context
    header = StreamHeader(
        codec=context.name,
        width=context.width,
        height=context.height,
        pix_fmt=context.pix_fmt,
        time_base=stream.time_base or Fraction(1, 1000),
        frame_rate=stream.average_rate,
    )
    return header, (
        Frame(picture=picture, index=index, pts=picture.pts or 0)
        for index, picture in enumerate(container.decode(stream))
    )
