"""Find what was lost: lapsed leases, messages that never arrived, a Redis that was emptied."""

from __future__ import annotations

from broker.leases import Holder
from broker.queues import RENDER, personal_queue
from farm.bootstrap import Farm
from farm.collect import soft_fail
from farm.dispatch import message
from farm.models import Chunk, Job
from farm.routing import Routes
from farm.stall import stalled_s
from farm.states import ChunkState

#: A message this many times `reoffer_s` old is sent again even if others queue: on a busy farm some do.
OVERDUE = 12


def reap(farm: Farm, job: Job) -> None:
    """Compare the chunks that the store thinks are in flight with what Redis says of them.

    Raises:
        JobFailed: too many chunks have lost their last attempt.
    """
    chunks = farm.store.in_flight(job.id)
    if not chunks:
        return
    # Offers first: a result that arrives between the two reads must not look like a lapse.
    holders = farm.broker.leases.holders(job.id)
    offers = farm.broker.leases.offered(job.id)
    results = farm.broker.leases.results(job.id)
    counts = not farm.broker.presence.was_away()  # asked last: it may have been away until just now
    routes = Routes.of(farm, job.id, chunks)
    for chunk in chunks:
        if chunk.index in results:
            continue
        holder = holders.get(chunk.index)
        if holder is not None and holder.attempt == chunk.attempt:
            _note_holder(farm, chunk, holder)
            if counts:
                _take_from_stalled(farm, job, chunk, holder)
        elif offers.get(chunk.index) != chunk.attempt:
            soft_fail(farm, job, chunk, "Redis has lost the offer", counts=False)
        elif chunk.state == ChunkState.LEASED:
            reason = _lapse(chunk, is_workers=counts)
            soft_fail(farm, job, chunk, reason, counts=counts, worker=chunk.worker if counts else None)
        else:
            _offer_again(farm, job, chunk, routes)


def _lapse(chunk: Chunk, *, is_workers: bool) -> str:
    if is_workers:
        return f"worker {chunk.worker} was lost: its lease lapsed"
    return f"Redis was away or its clock was set, and the lease of worker {chunk.worker} lapsed"


def _take_from_stalled(farm: Farm, job: Job, chunk: Chunk, holder: Holder) -> None:
    seconds = stalled_s(farm, chunk, holder)
    if seconds is not None:
        where = f"after {holder.num_frames} of {chunk.end - chunk.start}"
        reason = f"stalled: no frame for {seconds:.0f} s {where} (worker {holder.worker})"
        # As it is now in the store: `_note_holder` may just have moved it.
        soft_fail(farm, job, farm.store.chunk(job.id, chunk.index), reason, worker=holder.worker)


def _note_holder(farm: Farm, chunk: Chunk, holder: Holder) -> None:
    if chunk.state == ChunkState.OFFERED:
        farm.store.move_chunk(chunk, ChunkState.LEASED, worker=holder.worker)


def _offer_again(farm: Farm, job: Job, chunk: Chunk, routes: Routes) -> None:
    """Send a message again that must be lost: nothing queues, and still nobody has claimed the chunk.

    Sent twice harms nobody: the second claim is refused.
    """
    is_for_nobody = chunk.worker is not None and chunk.worker not in routes.allowed()
    if routes.is_stranded or not (is_for_nobody or _is_overdue(farm, chunk)):
        return
    if chunk.worker is not None and chunk.worker not in {beat.worker for beat in routes.live}:
        farm.publisher.drop_queue(chunk.worker)
    worker = routes.pick(chunk)
    farm.publisher.render_chunk(message(job, chunk, chunk.attempt), worker=worker)
    farm.store.note_offer(chunk, farm.wall(), worker)


def _is_overdue(farm: Farm, chunk: Chunk) -> bool:
    age_s = farm.wall() - (chunk.offered_at or 0.0)
    if 0 <= age_s <= farm.config.reoffer_s:  # below 0: the clock was set back, and the time says nothing
        return False
    queue = RENDER if chunk.worker is None else personal_queue(chunk.worker)
    return farm.publisher.queue_length(queue) == 0 or age_s > OVERDUE * farm.config.reoffer_s
