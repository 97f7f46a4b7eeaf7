"""Render one chunk: decode ▸ fuse ▸ encode, overlapping, from segment to segment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from broker.clock import Clock
from broker.connect import Broker
from broker.framing import read_segment
from broker.messages import ChunkRendered, RenderChunk
from broker.segments import SegmentName
from workers.config import WorkerConfig
from workers.errors import DecodeMismatch
from workers.frames import Frame
from workers.keeper import Progress
from workers.media.decode import decode
from workers.media.encode import Encoder
from workers.pipeline import ahead
from workers.segment_io import PartWriter, read_patiently
from workers.stages.running import Stages
from workers.swappers.contract import Source, Swapper

#: Frames that may wait for the encoder after stages: enlarged, one may be as large as 16 of the input's.
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
        header, packets = read_segment(
            read_patiently(self.broker.segments, _name(chunk, "in"), self.clock, progress.stop)
        )
        encoder = Encoder(chunk.encode, header, threads=self.config.threads)
        num_fused = 0
        for frame in self._fused(
            decode(header, packets, threads=self.config.threads), chunk, swapper, source, progress
        ):
            _write_all(writer, encoder.encode(frame))
            progress.num_frames += 1
            num_fused += frame.num_faces > 0
        _write_all(writer, encoder.finish())
        writer.close()
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

    def discard(self, chunk: RenderChunk) -> None:
        """Delete what was written of a chunk that will not be committed."""
        self.broker.segments.delete(_name(chunk, "out"))

    def _fused(
        self,
        frames: Iterable[Frame],
        chunk: RenderChunk,
        swapper: Swapper,
        source: Source,
        progress: Progress,
    ) -> Iterator[Frame]:
        """Decoder, swapper and stages each in a thread of its own; the encoder stays in the caller's."""
        depth, stop = self.config.queue_frames, progress.stop
        decoded = ahead(frames, depth, stop=stop)
        fused = swapper.run(decoded, source, chunk.fuse)
        if self.stages.wanted(chunk.fuse):
            fused = self.stages.run(ahead(fused, depth, stop=stop), chunk.fuse, progress.note_part)
            depth = min(depth, _LARGE_FRAMES)
        return ahead(_stamped(fused, progress), depth, stop=stop)

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


def _stamped(
    frames: Iterable[Frame], progress: Progress, now: Callable[[], float] = time.time
) -> Iterator[Frame]:
    """Note when the first frame left the swapper."""
    for frame in frames:
        if not progress.first_frame_at:
            progress.first_frame_at = now()
        yield frame


def _write_all(writer: PartWriter, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)


def _name(chunk: RenderChunk, kind: str) -> SegmentName:
    return SegmentName(job_id=chunk.job_id, index=chunk.index, kind=kind, attempt=chunk.attempt)  # type: ignore[arg-type]
