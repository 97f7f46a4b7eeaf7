"""Make one of a job's outputs from its rendered chunks: joined, or encoded once more as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from farm.bootstrap import Farm
from farm.collect import spool
from farm.errors import StaleTransition
from farm.lock import JobLock
from farm.media.continuous import ContinuousVideo
from farm.media.delivery import Delivery
from farm.media.graphs import gif_graph, still_graph, video_graph
from farm.media.info import MediaInfo
from farm.media.marks import mark_picture
from farm.media.mux import RenderedVideo, mux
from farm.media.restamp import Restamper
from farm.media.second_encode import SecondEncode
from farm.media.tags import synthetic_statement
from farm.media.target import Target
from farm.media.timeline import Timeline
from farm.media.verify import verify, verify_picture
from farm.models import Job
from farm.prepare import PROGRESS_S, kept_frames, load_manifest, manifest_path
from farm.states import JobState

#: Where the input does not say how fast it plays; rate control alone sees it.
_USUAL_RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class _Chunk:
    index: int
    attempt: int
    start: int
    end: int


class Stitching:
    """A job whose chunks lie in the spool, and what its outputs have in common."""

    def __init__(self, farm: Farm, job: Job, lock: JobLock) -> None:
        self._farm, self._job, self._lock = farm, job, lock
        self.delivery = Delivery.from_json(job.target, job.output_path)
        self._info = MediaInfo.from_json(job.media)
        manifest = load_manifest(manifest_path(farm, job.id))
        self._timeline = Timeline.of(manifest, *kept_frames(farm, job))
        self._shown_at = farm.clock.now_s()

    def make(self, target: Target, partial: Path) -> None:
        """Write one output to `partial`, and hold it against what was promised.

        Raises:
            StaleTransition: the job was stopped meanwhile. StitchMismatch, FfmpegFailed, OutputRefused: it
                cannot be made.
        """
        if target.kind == "poster":
            self._make_still(target, partial)
        elif target.kind == "gif":
            self._make_gif(target, partial)
        elif self.delivery.is_direct(target):
            self._mux(target, partial, self._timeline, self._joined(self._timeline))
        else:
            self._make_video(target, partial)

    def check_still(self) -> None:
        """Make sure that the job is still ours to finish.

        Raises:
            StaleTransition: it is not.
        """
        self._lock.renew()
        if not self._farm.store.is_still(self._job.id, JobState.STITCHING):
            raise StaleTransition(f"job {self._job.id} was stopped while it was stitched")

    def _make_video(self, target: Target, partial: Path) -> None:
        tick = 1 / (target.rate or self._info.video.average_rate or _USUAL_RATE)
        shown = self._timeline if target.rate is None else self._timeline.at_rate(target.rate)
        # Where frames stay what they are, the encoder sees their numbers: it would refuse times like these.
        fed = self._by_number(tick) if target.rate is None else self._from_zero()
        feed = self._joined(fed)
        graph = video_graph(target, feed.header, tick, shown.num_frames)
        with (
            self._encode(graph, target, feed, fed) as encode,
            closing(ContinuousVideo(encode, target, shown, tick, self._beat)) as video,
        ):
            self._mux(target, partial, shown, video)

    def _make_gif(self, target: Target, partial: Path) -> None:
        assert target.rate is not None
        fed = self._from_zero()
        feed = self._joined(fed)
        shown = self._timeline.at_rate(target.rate)
        graph = gif_graph(target, feed.header, str(partial.absolute()), shown.num_frames)
        with self._encode(graph, target, feed, fed) as encode:
            encode.wait(self._beat)
        self._finish_picture(target, partial, shown.num_frames)

    def _make_still(self, target: Target, partial: Path) -> None:
        """Take the frame in the middle; only its chunk is read."""
        wanted = self._timeline.first + self._timeline.num_frames // 2
        chunk = next(each for each in self._chunks() if each.start <= wanted < each.end)
        fed = _numbered(chunk.start, chunk.end, Fraction(1, 25))
        feed = Restamper([self._parts(chunk)], fed, self.delivery.chunks.reorder)
        graph = still_graph(target, feed.header, str(partial.absolute()), wanted - chunk.start)
        with self._encode(graph, target, feed, fed) as encode:
            encode.wait(self._beat)
        self._finish_picture(target, partial, 1)

    def _finish_picture(self, target: Target, partial: Path, num_frames: int) -> None:
        mark_picture(partial, synthetic_statement(self._job.engine))
        verify_picture(partial, num_frames, target.size)

    def _mux(self, target: Target, partial: Path, timeline: Timeline, video: RenderedVideo) -> None:
        report = mux(
            partial,
            input_path=Path(self._job.input_path),
            info=self._info,
            timeline=timeline,
            target=target,
            rendered=video,
            engine=self._job.engine,
            on_progress=lambda done, total: self._show(target, done, total),
        )
        self._lock.renew()
        verify(partial, timeline, self._info, target, copied=report.copied)
        for stream in report.dropped:
            self._farm.store.add_note(self._job.id, self._about(target, f"not carried over: {stream}"))

    def _encode(self, graph: object, target: Target, feed: Restamper, fed: Timeline) -> SecondEncode:
        return SecondEncode(graph, target.encode.codec, feed, self.delivery.chunks.codec, fed)

    def _joined(self, timeline: Timeline) -> Restamper:
        segments = (self._parts(chunk) for chunk in self._chunks())
        return Restamper(segments, timeline, self.delivery.chunks.reorder)

    def _chunks(self) -> list[_Chunk]:
        """Read all at once: a second encode is fed by a thread, and database rows belong to one."""
        rows = self._farm.store.all_chunks(self._job.id)
        return [_Chunk(row.index, row.attempt, row.start, row.end) for row in rows]

    def _parts(self, chunk: _Chunk) -> Iterator[bytes]:
        return spool(self._farm, self._job.id).parts(chunk.index, chunk.attempt)

    def _by_number(self, tick: Fraction) -> Timeline:
        first = self._timeline.first
        return _numbered(first, first + self._timeline.num_frames, tick)

    def _from_zero(self) -> Timeline:
        return Timeline(
            time_base=self._timeline.time_base,
            pts=self._timeline.pts - int(self._timeline.pts[0]),
            durations=self._timeline.durations,
            first=self._timeline.first,
        )

    def _beat(self) -> None:
        if self._is_time():
            self.check_still()

    def _show(self, target: Target, done: int, total: int) -> None:
        if not self._is_time():
            return
        self.check_still()
        verb = "stitching" if self.delivery.is_direct(target) else "encoding"
        name = f" {Path(target.path).name}" if len(self.delivery.outputs) > 1 else ""
        self._farm.store.update_job(self._job.id, stage=f"{verb}{name} {100 * done // max(1, total)} %")

    def _is_time(self) -> bool:
        now = self._farm.clock.now_s()
        if now - self._shown_at < PROGRESS_S:
            return False
        self._shown_at = now
        return True

    def _about(self, target: Target, note: str) -> str:
        return f"{Path(target.path).name}: {note}" if len(self.delivery.outputs) > 1 else note


def _numbered(first: int, end: int, tick: Fraction) -> Timeline:
    """Return the times of frames that are stamped with their own numbers, from 0."""
    numbers = np.arange(end - first, dtype=np.int64)
    return Timeline(time_base=tick, pts=numbers, durations=np.ones_like(numbers), first=first)
