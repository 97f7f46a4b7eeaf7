"""Find what was lost: lapsed leases, messages that never arrived, a Redis that was emptied."""

from __future__ import annotations

from broker.leases import Holder
from broker.queues import RENDER
from farm.bootstrap import Farm
from farm.collect import soft_fail
from farm.dispatch import message
from farm.models import Chunk, Job
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
    for chunk in chunks:
        if chunk.index in results:
            continue
        holder = holders.get(chunk.index)
        if holder is not None and holder.attempt == chunk.attempt:
            _note_holder(farm, chunk, holder)
        elif offers.get(chunk.index) != chunk.attempt:
            soft_fail(farm, job, chunk, "Redis has lost the offer", counts=False)
        elif chunk.state == ChunkState.LEASED:
            soft_fail(farm, job, chunk, f"worker {chunk.worker} was lost: its lease lapsed")
        else:
            _offer_again(farm, job, chunk)


def _note_holder(farm: Farm, chunk: Chunk, holder: Holder) -> None:
    if chunk.state == ChunkState.OFFERED:
        farm.store.move_chunk(chunk, ChunkState.LEASED, worker=holder.worker)


def _offer_again(farm: Farm, job: Job, chunk: Chunk) -> None:
    """Send a message again that must be lost: nothing queues, and still nobody has claimed the chunk.

    Sent twice harms nobody: the second claim is refused.
    """
    age_s = farm.wall() - (chunk.offered_at or 0.0)
    if (
        0 <= age_s <= farm.config.reoffer_s
    ):  # below 0: the clock was set back, and the offer's time says nothing
        return
    if farm.publisher.queue_length(RENDER) == 0 or age_s > OVERDUE * farm.config.reoffer_s:
        farm.publisher.render_chunk(message(job, chunk, chunk.attempt))
        farm.store.note_offer(chunk, farm.wall())
