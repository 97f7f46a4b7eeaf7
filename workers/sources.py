"""The source portraits of the jobs that this worker has chunks of, looked at once and kept ready."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from broker.errors import SegmentMissing
from broker.messages import FuseSpec
from broker.segments import SegmentName, SegmentStore
from workers.errors import SourceUnusable
from workers.segment_io import read_parts
from workers.swappers.contract import Source, Swapper

#: Sources kept ready. Jobs take turns in a worker, so more than one; each holds a few MB.
MAX_SOURCES = 4


def portrait_name(job_id: str, number: int) -> SegmentName:
    """Return where a job's portrait of that number lies."""
    return SegmentName(job_id=job_id, index=number, kind="source", attempt=1)


class Sources:
    """The last few sources, as their engines want them."""

    def __init__(self, segments: SegmentStore) -> None:
        self._segments = segments
        self._kept: OrderedDict[tuple[str, FuseSpec], Source] = OrderedDict()

    def get(self, job_id: str, fuse: FuseSpec, swapper: Swapper) -> Source:
        """Return a job's source.

        Raises:
            SourceUnusable: the portrait cannot be used.
            SegmentMissing: it is not in Redis any more; the farm puts it again.
        """
        key = (job_id, fuse)
        if key not in self._kept:
            self._kept[key] = self._prepared(job_id, fuse, swapper)
            while len(self._kept) > MAX_SOURCES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def references(self, job_id: str, fuse: FuseSpec, number: int) -> list[bytes]:
        """Return a job's reference portraits: they lie behind its sources.

        Raises:
            SegmentMissing: one is not in Redis any more; the farm puts it again.
        """
        numbers = range(fuse.num_sources, fuse.num_sources + number)
        return [b"".join(read_parts(self._segments, portrait_name(job_id, each))) for each in numbers]

    def clear(self) -> None:
        """Keep none."""
        self._kept.clear()

    def _prepared(self, job_id: str, fuse: FuseSpec, swapper: Swapper) -> Source:
        first, *others = (
            self._source(portrait_name(job_id, number), fuse, swapper)
            for number in range(max(1, fuse.num_sources))
        )
        return replace(first, others=tuple(others)) if others else first

    def _source(self, name: SegmentName, fuse: FuseSpec, swapper: Swapper) -> Source:
        has_source = self._segments.num_parts(name) > 0
        portrait = b"".join(read_parts(self._segments, name)) if has_source else b""
        try:
            return swapper.prepare(portrait, fuse)
        except SourceUnusable as error:
            if has_source:
                raise
            # Redis was emptied meanwhile: that says nothing of the portrait.
            raise SegmentMissing(str(name)) from error
