"""Cut the next chunks and offer them, as far as the window, the workers and the other jobs allow."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from broker.errors import StoreFull
from broker.messages import LOOK, RENDER, EncodeSpec, RenderChunk
from broker.segments import SegmentName
from farm.album.album import is_album
from farm.album.cut import PictureCutter
from farm.bootstrap import Farm
from farm.collect import take_back
from farm.fusing import fuse_spec
from farm.lock import JobLock
from farm.media.cut import CastRows, Cutter
from farm.media.delivery import Delivery
from farm.media.manifest import Manifest
from farm.media.parts import regroup
from farm.media.plan import ChunkPlan, with_context
from farm.media.probe import MediaInfo
from farm.models import Chunk, Job
from farm.people.album import album_path
from farm.people.casting import Cast
from farm.prepare import load_album, load_manifest, manifest_path, put_source
from farm.requests import JobRequest
from farm.routing import Routes
from farm.shares import OFFERS_PER_WORKER, Standing, divide
from farm.states import CHUNKED_STATES, ChunkState, JobState

#: Input segments may fill this share of the window; the rest is kept for what comes back, so that a
#: worker can always put its output somewhere.
INPUT_SHARE = 0.5


def dispatch(farm: Farm, job: Job, lock: JobLock) -> None:
    """Offer as many of the job's next chunks as its share allows; take back what exceeds it, if unclaimed."""
    in_flight = farm.store.in_flight(job.id)
    routes = Routes.of(farm, job.id, in_flight)
    if routes.is_stranded:
        return
    room = min(_share(farm, job), OFFERS_PER_WORKER * max(1, routes.num_allowed)) - len(in_flight)
    if room < 0:
        _give_back(farm, job, in_flight, -room)
    chunks = farm.store.ready_chunks(job.id, room, farm.wall()) if room > 0 else []
    if not chunks:
        return
    put_source(farm, job)
    info = MediaInfo.from_json(job.media)
    manifest = load_manifest(manifest_path(farm, job.id))
    with _cutter(farm, job, info, manifest) as cutter:
        for chunk in chunks:
            lock.renew()
            if not farm.store.is_still(job.id, JobState(job.state)):
                return  # paused or canceled while we cut
            if not _has_room(farm, job, chunk) or not _offer(farm, job, chunk, cutter, routes):
                return


def _cutter(
    farm: Farm, job: Job, info: MediaInfo, manifest: Manifest
) -> AbstractContextManager[Cutter | PictureCutter]:
    if is_album(info):
        return nullcontext(PictureCutter(load_album(farm, job.id), manifest))
    return Cutter(Path(job.input_path), info, manifest)


def input_name(job_id: str, index: int, attempt: int) -> SegmentName:
    """Return where an attempt's input segment lies."""
    return SegmentName(job_id=job_id, index=index, kind="in", attempt=attempt)


def _share(farm: Farm, job: Job) -> int:
    """Return how many chunks of the job may be out, beside those of the others."""
    num_slots = OFFERS_PER_WORKER * max(1, len(farm.broker.heartbeats.live()))
    standings = [_standing(each) for each in farm.store.sharing_jobs()]
    return divide(standings, num_slots, farm.wall()).get(job.id, 0)


def _standing(job: Job) -> Standing:
    return Standing(
        job_id=job.id,
        priority=job.priority,
        admitted_at=job.created_at if job.admitted_at is None else job.admitted_at,
        last_offer_at=job.last_offer_at,
        num_in_flight=job.num_in_flight,
        num_waiting=job.num_waiting,
        is_rendering=job.state in CHUNKED_STATES,
    )


def _give_back(farm: Farm, job: Job, in_flight: list[Chunk], number: int) -> None:
    """Take back the last offers that nobody has claimed: another job's turn has come."""
    holders, results = farm.broker.leases.holders(job.id), farm.broker.leases.results(job.id)
    unclaimed = [
        chunk
        for chunk in reversed(in_flight)
        if chunk.state == ChunkState.OFFERED and chunk.index not in holders and chunk.index not in results
    ]
    for chunk in unclaimed[:number]:
        take_back(farm, chunk, "another job's turn")


def _has_room(farm: Farm, job: Job, chunk: Chunk) -> bool:
    window, used = farm.broker.config.window_bytes, farm.broker.segments.used_bytes()
    if used + chunk.num_bytes <= window * INPUT_SHARE:
        return True
    # A single chunk larger than the share must get through, alone; but not be cut in vain in every round.
    is_possible = used == 0 or used + chunk.num_bytes <= window
    return is_possible and not farm.store.in_flight(job.id)


def _offer(farm: Farm, job: Job, chunk: Chunk, cutter: Cutter | PictureCutter, routes: Routes) -> bool:
    """Cut and offer one chunk. The row moves first: what a crash leaves half offered, `reap` finds."""
    attempt, worker = chunk.attempt + 1, routes.pick(chunk)
    if not farm.store.move_chunk(
        chunk, ChunkState.OFFERED, attempt=attempt, offered_at=farm.wall(), worker=worker, error=None
    ):
        return False
    name = input_name(job.id, chunk.index, attempt)
    plan = with_context(cutter.manifest, chunk.index, chunk.start, chunk.end, radius=job.radius)
    segment = cutter.cut(plan, _cast(farm, job, plan))
    try:
        for number, part in enumerate(regroup(segment, farm.broker.config.part_bytes)):
            farm.broker.segments.append(name, number, part, limit_bytes=farm.broker.config.window_bytes)
    except StoreFull:
        _take_back(farm, job, chunk.index, name)
        return False
    farm.broker.leases.offer(job.id, chunk.index, attempt)
    farm.publisher.render_chunk(message(job, chunk, attempt), worker=worker)
    return True


def _cast(farm: Farm, job: Job, plan: ChunkPlan) -> CastRows | None:
    """Return whose faces are changed in a chunk and its context, where the job chooses people."""
    if job.state != JobState.RENDERING or not JobRequest(**job.request).is_cast:
        return None
    info = MediaInfo.from_json(job.media)
    widths: int | list[int] = info.video.upright_size[0]
    if is_album(info):
        widths = [entry.looked_size[0] for entry in load_album(farm, job.id).entries]
    cast = Cast.load(album_path(farm.config.job_directory(job.id)), widths)
    return cast.rows(plan.context_start, plan.context_end)


def message(job: Job, chunk: Chunk, attempt: int) -> RenderChunk:
    """Return the offer of one attempt at a chunk."""
    encode: EncodeSpec = Delivery.from_json(job.target).chunks.encode
    return RenderChunk(
        job_id=job.id,
        index=chunk.index,
        attempt=attempt,
        start=chunk.start,
        end=chunk.end,
        fuse=fuse_spec(JobRequest(**job.request)),
        encode=encode,
        fingerprint=job.fingerprint or {},
        work=LOOK if job.state == JobState.LOOKING else RENDER,
    )


def _take_back(farm: Farm, job: Job, index: int, name: SegmentName) -> None:
    """There was no room after all: the chunk waits for its next turn."""
    farm.broker.segments.delete(name)
    for chunk in farm.store.chunks(job.id, {ChunkState.OFFERED}):
        if chunk.index == index:
            farm.store.move_chunk(chunk, ChunkState.PLANNED, detail="no room in the window")
