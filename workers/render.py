"""Render one chunk: decode ▸ fuse ▸ encode, overlapping, from segment to segment.

A chunk of a video is one segment, a chunk of pictures one segment a picture. Each is decoded and encoded by
itself, and no picture is another's neighbour; but all go through the swapper together, and fill its passes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from broker.clock import Clock
from broker.connect import Broker
from broker.framing import PacketRecord, StreamHeader, read_chain
from broker.messages import ChunkRendered, RenderChunk
from broker.segments import SegmentName
from workers.config import WorkerConfig
from workers.errors import DecodeMismatch
from workers.frames import Cast, Frame
from workers.keeper import Progress
from workers.media.decode import decode
from workers.media.encode import empty_segment, open_encoder
from workers.people import Looker
from workers.pieces import Piece, by_segment, through
from workers.pipeline import ahead
from workers.segment_io import PartWriter, read_patiently
from workers.stages.running import Stages
from workers.swappers.contract import KnowsShots, Source, Swapper

#: Frames that may wait before each thread where they may be large: enlarged, one is up to 16 of the input's,
#: and a picture has as many pixels as a dozen frames.
_LARGE_FRAMES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRenderer:
    """Turns an offered chunk's input segment into its output segment."""

    broker: Broker
    config: WorkerConfig
    clock: Clock
    stages: Stages

    def render(
        self, chunk: RenderChunk, swapper: Swapper, source: Source, progress: Progress
    ) -> ChunkRendered:
        """Render a chunk and leave its segment in the store; committing it is the caller's business.

        Raises:
            RenderError: it cannot be rendered; `Stopped` if it was taken away.
            BrokerError: its bytes are gone, or Redis is.
        """
        began_s = self.clock.now_s()
        writer = self._writer(chunk, progress)
        segments = self._input(chunk, progress)
        num_fused = 0
        for header, pieces in by_segment(self._fused(segments, chunk, swapper, source, progress)):
            frames = (piece.frame for piece in pieces if piece.frame is not None)
            num_fused += self._encode(header, frames, chunk, writer, progress)
        writer.close()
        return self._rendered(chunk, writer, progress, num_fused, began_s)

    def look(self, chunk: RenderChunk, looker: Looker, progress: Progress) -> ChunkRendered:
        """Look through a chunk, and leave what was seen in the store, where a render's segment would lie.

        Raises:
            RenderError, BrokerError: as `render`.
        """
        began_s = self.clock.now_s()
        writer, num_seen = self._writer(chunk, progress), 0

        def note(num_faces: int) -> None:
            nonlocal num_seen
            progress.num_frames += 1
            num_seen += num_faces > 0

        frames = self._to_look_at(self._input(chunk, progress), progress, note)
        seen = looker.look(range(chunk.start, chunk.end), frames, chunk.fuse, note)
        _write_all(writer, [seen.to_bytes()])
        writer.close()
        return self._rendered(chunk, writer, progress, num_seen, began_s)

    def _to_look_at(
        self,
        segments: Iterator[tuple[StreamHeader, Iterable[PacketRecord]]],
        progress: Progress,
        note: Callable[[int], None],
    ) -> Iterator[Frame]:
        """Yield a chunk's frames, decoded in a thread of their own; nobody is seen in a damaged picture."""
        first = next(segments)
        depth = min(self.config.queue_frames, _LARGE_FRAMES) if first[0].name else self.config.queue_frames
        for piece in ahead(self._decoded(chain([first], segments)), depth, stop=progress.stop):
            if piece.frame is None:
                note(0)
            else:
                yield piece.frame

    def discard(self, chunk: RenderChunk) -> None:
        """Delete what was written of a chunk that will not be committed."""
        self.broker.segments.delete(_name(chunk, "out"))

    def _input(
        self, chunk: RenderChunk, progress: Progress
    ) -> Iterator[tuple[StreamHeader, Iterable[PacketRecord]]]:
        name = _name(chunk, "in")
        return read_chain(read_patiently(self.broker.segments, name, self.clock, progress.stop))

    def _rendered(
        self, chunk: RenderChunk, writer: PartWriter, progress: Progress, num_fused: int, began_s: float
    ) -> ChunkRendered:
        if progress.num_frames != chunk.end - chunk.start:
            raise DecodeMismatch(f"{chunk.end - chunk.start} frames wanted, {progress.num_frames} rendered")
        return ChunkRendered(
            job_id=chunk.job_id,
            index=chunk.index,
            attempt=chunk.attempt,
            worker=self.config.name,
            num_frames=progress.num_frames,
            num_fused=num_fused,
            num_parts=writer.num_parts,
            num_bytes=writer.num_bytes,
            sha256=writer.sha256,
            render_s=self.clock.now_s() - began_s,
            first_frame_at=progress.first_frame_at,
        )

    def _fused(
        self,
        segments: Iterator[tuple[StreamHeader, Iterable[PacketRecord]]],
        chunk: RenderChunk,
        swapper: Swapper,
        source: Source,
        progress: Progress,
    ) -> Iterator[Piece]:
        """Decoder, swapper and stages each in a thread of its own; the encoder stays in the caller's."""
        first = next(segments)
        depth, stop = self.config.queue_frames, progress.stop
        if first[0].name or self.stages.wanted(chunk.fuse):
            depth = min(depth, _LARGE_FRAMES)

        def changed(frames: Iterator[Frame]) -> Iterable[Frame]:
            fused = swapper.run(frames, source, chunk.fuse)
            if not self.stages.wanted(chunk.fuse):
                return fused
            return self.stages.run(ahead(fused, depth, stop=stop), chunk.fuse, progress.note_part)

        def swapped() -> Iterator[Piece]:
            pieces = _begun(ahead(self._decoded(chain([first], segments)), depth, stop=stop))
            runs = (pieces,) if isinstance(swapper, KnowsShots) else (run for _, run in by_segment(pieces))
            for run in runs:
                yield from through(run, changed)

        return ahead(_stamped(swapped(), progress), depth, stop=stop)

    def _decoded(self, segments: Iterable[tuple[StreamHeader, Iterable[PacketRecord]]]) -> Iterator[Piece]:
        for header, packets in segments:
            try:
                for frame in cast_in(header, decode(header, packets, threads=self.config.threads)):
                    yield Piece(header, frame)
            except DecodeMismatch as error:
                if not header.name:
                    raise
                if not header.is_salvaged:
                    raise DecodeMismatch(f"{header.name} cannot be decoded: {error}") from error
                yield Piece(header, None)

    def _encode(
        self,
        header: StreamHeader,
        frames: Iterable[Frame],
        chunk: RenderChunk,
        writer: PartWriter,
        progress: Progress,
    ) -> int:
        """Write one segment; return how many of its frames had a face fused."""
        encoder = open_encoder(header.encode or chunk.encode, header, threads=self.config.threads)
        num_before, num_fused = progress.num_frames, 0
        for frame in frames:
            _write_all(writer, encoder.encode(frame))
            progress.num_frames += 1
            num_fused += frame.num_faces > 0
        if header.name and progress.num_frames == num_before:
            writer.write(empty_segment(header))
            progress.num_frames += 1
        else:
            _write_all(writer, encoder.finish())
        return num_fused

    def _writer(self, chunk: RenderChunk, progress: Progress) -> PartWriter:
        return PartWriter(
            self.broker.segments,
            _name(chunk, "out"),
            part_bytes=self.broker.config.part_bytes,
            limit_bytes=self.broker.config.window_bytes,
            clock=self.clock,
            stop=progress.stop,
            say=progress.note_stage,
        )


def cast_in(header: StreamHeader, frames: Iterable[Frame]) -> Iterator[Frame]:
    """Tell every frame whose faces are to be changed in it, where the segment says so."""
    if header.cast is None:
        yield from frames
        return
    by_frame: dict[int, list[Cast]] = {}
    for index, x0, y0, x1, y1, source in header.cast:
        by_frame.setdefault(index, []).append(Cast(box=(x0, y0, x1, y1), source=source))
    for frame in frames:
        frame.cast = tuple(by_frame.get(frame.index, ()))
        yield frame


def _begun(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Have frames decoded from now on: a swapper asks for one only when its networks are there."""
    first = list(islice(pieces, 1))
    return chain(first, pieces)


def _stamped(
    pieces: Iterable[Piece], progress: Progress, now: Callable[[], float] = time.time
) -> Iterator[Piece]:
    """Note when the first frame left the swapper."""
    for piece in pieces:
        if not progress.first_frame_at:
            progress.first_frame_at = now()
        yield piece


def _write_all(writer: PartWriter, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)


def _name(chunk: RenderChunk, kind: str) -> SegmentName:
    return SegmentName(job_id=chunk.job_id, index=chunk.index, kind=kind, attempt=chunk.attempt)  # type: ignore[arg-type]
