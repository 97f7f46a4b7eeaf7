"""One worker: its engines, its keeper, and what it does with each message."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import suppress

from broker.clock import Clock
from broker.connect import Broker
from broker.errors import BrokerError, LeaseLost
from broker.leases import Lease
from broker.messages import (
    HANDED_BACK,
    LOOK,
    CheckSource,
    ChunkFailed,
    ChunkRendered,
    RenderChunk,
    SourceChecked,
)
from broker.publish import Publisher
from workers.config import WorkerConfig
from workers.device_errors import Trouble, trouble_in
from workers.engines import Engines
from workers.errors import RenderError, Stopped
from workers.examiner import Examiner
from workers.health import Health, free_device_memory
from workers.keeper import Keeper, Progress
from workers.render import ChunkRenderer
from workers.segment_io import patiently
from workers.sources import Sources

log = logging.getLogger(__name__)


class Worker:
    """Renders chunks and looks at sources. One at a time: it has one device."""

    def __init__(
        self,
        config: WorkerConfig,
        broker: Broker,
        publisher: Publisher,
        keeper: Keeper,
        clock: Clock,
        *,
        leave: Callable[[str], None],
    ) -> None:
        """Take the worker's parts; `leave` ends the process, for the reason that it is given."""
        self._config = config
        self._broker = broker
        self._publisher = publisher
        self._keeper = keeper
        self._clock = clock
        self._engines = Engines(config.engines)
        self._renderer = ChunkRenderer(broker=broker, config=config, clock=clock, stages=self._engines.stages)
        self._health = Health()
        self._leave = leave
        self._sources = Sources(broker.segments)
        self._examiner = Examiner(self._engines, self._sources)

    def warm(self) -> None:
        """Make the configured engines ready, then tell the farm.

        An engine that cannot be made ready is left out and logged; a chunk that asks for it all the same
        fails with the reason, which its user then sees.
        """
        ready = tuple(name for name in self._config.warm if self._is_warm(name))
        plan = self._note_plan()
        if self._keeper.set_ready(ready):
            log.info("ready: %s", plan or "no memory is planned", extra={"worker": self._config.name})
        self._leave_if_unwell()

    def render_chunk(self, chunk: RenderChunk) -> None:
        """Claim, render and commit one chunk; whatever happens, the farm hears of it or the lease lapses."""
        if self._keeper.is_leaving:
            self._publisher.render_chunk(chunk)  # it had reached this process already: for somebody else
            return
        barred = self._broker.leases.barred(chunk.job_id)
        if self._config.name in barred:
            self._pass_on(chunk, barred)
            return
        try:
            lease = self._broker.leases.claim(chunk.job_id, chunk.index, chunk.attempt, self._config.name)
        except LeaseLost:
            # Delivered twice, or offered anew meanwhile: somebody else has it.
            log.info("chunk not taken", extra=_fields(chunk))
            return
        progress = Progress()
        try:
            with self._keeper.holding(lease, progress):
                result = self._render(chunk, progress)
                self._note_plan()  # it may have run out of memory, and stepped down
                patiently(lambda: self._broker.leases.commit(lease, result), self._clock, progress.stop)
                self._health.note(result)
        except (LeaseLost, Stopped):
            log.warning("chunk taken away, or given up", extra=_fields(chunk))
            self._renderer.discard(chunk)
            if progress.is_leaving:
                self._hand_back(chunk, lease)
        self._publisher.advance(chunk.job_id)
        self._leave_if_unwell()

    def check_source(self, message: CheckSource) -> None:
        """Look at a job's source portrait, and leave what was found for the farm."""
        try:
            checked = self._examiner.look(message)
        except RenderError as error:
            checked = SourceChecked(job_id=message.job_id, code=error.code, message=str(error))
        except BrokerError as error:
            log.warning("the source could not be read, the farm will ask again: %s", error)
            return
        except Exception as error:  # asked for ever, the farm would never hear why
            log.exception("source crashed", extra={"job": message.job_id})
            if trouble_in(error) is Trouble.LOST:
                self._health.note_lost(str(error))  # and another worker is asked
                self._leave_if_unwell()
                return
            code, text = trouble_in(error) or "crashed", f"{type(error).__name__}: {error}"
            checked = SourceChecked(job_id=message.job_id, code=code, message=text)
        self._broker.leases.put_source_checked(checked)
        self._publisher.advance(message.job_id)

    def _is_warm(self, name: str) -> bool:
        try:
            self._engines.swapper(name).warm()
        except RenderError as error:  # what it says is enough
            log.error("engine %s is not ready: %s", name, error)  # noqa: TRY400
            return False
        except Exception as error:  # whatever it is, other engines may work
            log.exception("engine %s is not ready", name)
            if trouble_in(error) is Trouble.LOST:
                self._health.note_lost(str(error))
            return False
        return True

    def _note_plan(self) -> str:
        plan = self._engines.plan()
        self._keeper.note_plan(plan, self._engines.limit_bytes())
        return plan

    def _render(self, chunk: RenderChunk, progress: Progress) -> ChunkRendered | ChunkFailed:
        try:
            swapper = self._engines.swapper(chunk.fuse.engine)
            self._examiner.require_build(chunk)
            if chunk.work == LOOK:
                with self._engines.prefetching(chunk):
                    return self._renderer.look(chunk, self._engines.looker, progress)
            source = self._sources.get(chunk.job_id, chunk.fuse, swapper)
            with self._engines.prefetching(chunk):
                return self._renderer.render(chunk, swapper, source, progress)
        except (Stopped, LeaseLost):
            raise
        except Exception as error:  # noqa: BLE001 - the farm must hear of it, whatever it is
            failed = self._blame(chunk, error)
        if failed.code == Trouble.OUT_OF_MEMORY:
            self._sources.clear()
            free_device_memory()
        return failed

    def _blame(self, chunk: RenderChunk, error: Exception) -> ChunkFailed:
        trouble = trouble_in(error)
        if trouble is not None:
            return self._failed(chunk, trouble, f"{type(error).__name__}: {error}")
        if isinstance(error, RenderError):
            return self._failed(chunk, error.code, str(error), is_final=error.is_final)
        if isinstance(error, BrokerError):
            return self._failed(chunk, "segment-lost", str(error))
        log.error("chunk crashed", extra=_fields(chunk), exc_info=error)
        return self._failed(chunk, "crashed", f"{type(error).__name__}: {error}")

    def _leave_if_unwell(self) -> None:
        if self._health.reason:
            self._keeper.leave(self._health.reason)
            self._leave(self._health.reason)

    def _pass_on(self, chunk: RenderChunk, barred: Collection[str]) -> None:
        """Send a chunk to somebody who may have it. Where there is nobody, the farm asks again in time."""
        others = [
            beat.worker
            for beat in self._broker.heartbeats.live()
            if beat.worker not in barred and beat.state in {"ready", "busy"}
        ]
        log.info("chunk not for this worker", extra=_fields(chunk))
        if others:
            self._publisher.render_chunk(chunk, worker=others[chunk.index % len(others)])

    def _hand_back(self, chunk: RenderChunk, lease: Lease) -> None:
        """Let the farm offer the chunk to another at once, instead of when the lease lapses."""
        with suppress(LeaseLost):
            failed = self._failed(chunk, HANDED_BACK, "the worker was asked to end")
            self._broker.leases.commit(lease, failed)

    def _failed(self, chunk: RenderChunk, code: str, text: str, *, is_final: bool = False) -> ChunkFailed:
        log.warning("chunk failed: %s", text, extra=_fields(chunk))
        self._renderer.discard(chunk)
        return ChunkFailed(
            job_id=chunk.job_id,
            index=chunk.index,
            attempt=chunk.attempt,
            worker=self._config.name,
            code=code,
            message=text,
            is_final=is_final,
        )


def _fields(chunk: RenderChunk) -> dict[str, object]:
    return {"job": chunk.job_id, "chunk": chunk.index, "attempt": chunk.attempt}
