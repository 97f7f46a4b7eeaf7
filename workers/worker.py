"""One worker: its engines, its keeper, and what it does with each message."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from broker.clock import Clock
from broker.connect import Broker
from broker.errors import BrokerError, LeaseLost
from broker.fingerprint import Fingerprint, differences
from broker.leases import Lease
from broker.messages import (
    CAST,
    HANDED_BACK,
    LOOK,
    CheckSource,
    ChunkFailed,
    ChunkRendered,
    EncodeSpec,
    FuseSpec,
    RenderChunk,
    SourceChecked,
)
from broker.people import packed
from broker.publish import Publisher
from workers.config import WorkerConfig
from workers.device_errors import Trouble, trouble_in
from workers.errors import ModelMissing, OtherBuild, RenderError, Stopped
from workers.fingerprint import fingerprint
from workers.health import Health, free_device_memory
from workers.keeper import Keeper, Progress
from workers.media.trial import trouble_with
from workers.people import Looker, open_looker
from workers.render import ChunkRenderer
from workers.segment_io import patiently
from workers.sources import Sources
from workers.stages.running import Stages
from workers.swappers import open_swapper, this_store
from workers.swappers.contract import OnRuntime, Planned, Swapper

if TYPE_CHECKING:
    from workers.engine.residency import Residency

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
        self._stages = Stages(this_store())
        self._renderer = ChunkRenderer(broker=broker, config=config, clock=clock, stages=self._stages)
        self._swappers: dict[str, Swapper] = {}
        self._health = Health()
        self._leave = leave
        self._sources = Sources(broker.segments)

    def warm(self) -> None:
        """Make the configured engines ready, then tell the farm.

        An engine that cannot be made ready is left out and logged; a chunk that asks for it all the same
        fails with the reason, which its user then sees.
        """
        ready = tuple(name for name in self._config.warm if self._is_warm(name))
        self._keeper.note_plan(plan := self._plan(), _limit_bytes())
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
                # It may have run out of memory, and stepped down.
                self._keeper.note_plan(self._plan(), _limit_bytes())
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
            checked = self._look(message)
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
            self._swapper(name).warm()
        except RenderError as error:  # what it says is enough
            log.error("engine %s is not ready: %s", name, error)  # noqa: TRY400
            return False
        except Exception as error:  # whatever it is, other engines may work
            log.exception("engine %s is not ready", name)
            if trouble_in(error) is Trouble.LOST:
                self._health.note_lost(str(error))
            return False
        return True

    def _plan(self) -> str:
        """Return what the engines do with the device's memory: one line, empty where none plans it."""
        planned = ((name, one) for name, one in self._swappers.items() if isinstance(one, Planned))
        plans = [f"{name}: {one.plan}" for name, one in planned]
        held = _held()
        return " | ".join(plans if held is None else [*plans, f"in memory: {held}"])

    def _render(self, chunk: RenderChunk, progress: Progress) -> ChunkRendered | ChunkFailed:
        try:
            swapper = self._swapper(chunk.fuse.engine)
            self._check_build(chunk, swapper)
            if chunk.work == LOOK:
                return self._renderer.look(chunk, self._looker, progress)
            source = self._sources.get(chunk.job_id, chunk.fuse, swapper)
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

    def _look(self, message: CheckSource) -> SourceChecked:
        encode = message.encode
        trouble = None if encode is None else trouble_with(encode.codec, encode.pix_fmt)
        if trouble is not None:
            return SourceChecked(job_id=message.job_id, encoder_trouble=trouble)
        swapper = self._swapper(message.fuse.engine)
        source = self._sources.get(message.job_id, message.fuse, swapper)
        boxes = tuple(
            (round(x0), round(y0), round(x1), round(y1))
            for x0, y0, x1, y1 in (face.box for face in source.faces)
        )
        looker = self._looker if message.fuse.faces == CAST else None
        return SourceChecked(
            job_id=message.job_id,
            radius=swapper.radius if looker is None else max(swapper.radius, looker.radius),
            boxes=boxes,
            chosen=source.chosen,
            models={
                **swapper.models(message.fuse),
                **self._stages.models(message.fuse),
                **self._looks(message.fuse),
            },
            notes=swapper.notes(message.fuse) if isinstance(swapper, OnRuntime) else (),
            fingerprint=self._fingerprint(swapper, message.fuse, encode),
            recogniser="" if looker is None else looker.recogniser,
            references=self._references(message),
        )

    @functools.cached_property
    def _looker(self) -> Looker:
        return open_looker()

    def _references(self, message: CheckSource) -> tuple[str, ...]:
        if not message.num_references:
            return ()
        if not self._looker.recogniser:
            raise ModelMissing(
                "people are told apart by a recogniser, and none is installed here: "
                "`farm models pull buffalo_l --accept-licence` gets one"
            )
        portraits = self._sources.references(message.job_id, message.fuse, message.num_references)
        return tuple(packed(self._looker.embedding(each, message.fuse)) for each in portraits)

    def _looks(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the digests of the weights that a job looks for people with."""
        return self._looker.models(fuse) if fuse.faces == CAST else {}

    def _fingerprint(self, swapper: Swapper, fuse: FuseSpec, encode: EncodeSpec | None) -> Fingerprint:
        return fingerprint(swapper, fuse, encode, self._stages, self._looks(fuse))

    def _check_build(self, chunk: RenderChunk, swapper: Swapper) -> None:
        """Compare what the plan rests on with what is here; a plan of an earlier version does not say.

        Raises:
            OtherBuild: they differ.
        """
        if not chunk.fingerprint:
            return
        found = differences(chunk.fingerprint, self._fingerprint(swapper, chunk.fuse, chunk.encode))
        if found:
            raise OtherBuild(f"this worker would render other pixels: {'; '.join(found)}")

    def _swapper(self, name: str) -> Swapper:
        if name not in self._swappers:
            self._swappers[name] = open_swapper(name, others=self._config.engines)
        return self._swappers[name]


def _held() -> Residency | None:
    """Return what keeps this process's networks in memory; None where none was opened."""
    # Not imported for this: a worker that only passes frames through must not load torch.
    budget = sys.modules.get("workers.engine.budget")
    return None if budget is None else budget.this_residency()


def _limit_bytes() -> int:
    """Return the budget of all networks together; 0 where there is none."""
    held = _held()
    return 0 if held is None else held.limit_bytes or 0


def _fields(chunk: RenderChunk) -> dict[str, object]:
    return {"job": chunk.job_id, "chunk": chunk.index, "attempt": chunk.attempt}
