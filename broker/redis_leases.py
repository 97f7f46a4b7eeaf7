"""Leases in Redis: every compare-and-set is one script, every term is a key's own time to live."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from typing import cast

from redis import Redis

from broker.edge import AtomicStep, renamed_errors
from broker.errors import BadMessage, LeaseLost
from broker.keys import Keys
from broker.leases import Holder, Lease, Result
from broker.messages import ChunkFailed, ChunkRendered, SourceChecked

#: The field of a job's results that holds what was found in its source; the others are chunk indexes.
_SOURCE = "source"


class RedisLeaseTable:
    """See `LeaseTable`. `lease_ttl_s` is a lease's term."""

    def __init__(self, redis: Redis, keys: Keys, *, lease_ttl_s: float) -> None:
        self._redis = redis
        self._keys = keys
        self._term_ms = round(lease_ttl_s * 1000)
        self._offer = AtomicStep(redis, "offer")
        self._withdraw_job = AtomicStep(redis, "withdraw_job")
        self._claim = AtomicStep(redis, "claim")
        self._renew = AtomicStep(redis, "renew")
        self._commit = AtomicStep(redis, "commit")
        self._release = AtomicStep(redis, "release")
        self._put_field = AtomicStep(redis, "put_field")
        self._shorten = AtomicStep(redis, "shorten")
        self._lock = AtomicStep(redis, "lock")
        self._unlock = AtomicStep(redis, "unlock")

    def offer(self, job_id: str, index: int, attempt: int) -> None:
        """See `LeaseTable`."""
        self._offer(self._keys_of(job_id, index), index, attempt)

    def withdraw(self, job_id: str, index: int) -> None:
        """See `LeaseTable`."""
        with renamed_errors(), self._redis.pipeline() as pipeline:
            pipeline.hdel(self._keys.offers(job_id), str(index))
            pipeline.delete(self._keys.lease(job_id, index))
            pipeline.execute()

    def withdraw_job(self, job_id: str) -> None:
        """See `LeaseTable`."""
        self._withdraw_job([self._keys.offers(job_id)], self._keys.lease_prefix(job_id))

    def offered(self, job_id: str) -> dict[int, int]:
        """See `LeaseTable`."""
        return {int(index): int(attempt) for index, attempt in self._hash(self._keys.offers(job_id)).items()}

    def claim(self, job_id: str, index: int, attempt: int, worker: str) -> Lease:
        """See `LeaseTable`."""
        lease = Lease(job_id=job_id, index=index, attempt=attempt, token=uuid.uuid4().hex)
        keys = self._keys_of(job_id, index)
        if not self._claim(keys, index, attempt, lease.token, worker, self._term_ms):
            raise LeaseLost(job_id, index, attempt)
        return lease

    def held_by(self, job_id: str, index: int, worker: str) -> Lease | None:
        """See `LeaseTable`."""
        fields = self._hash(self._keys.lease(job_id, index))
        if not fields or fields[b"worker"].decode() != worker:
            return None
        token = fields[b"token"].decode()
        return Lease(job_id=job_id, index=index, attempt=int(fields[b"attempt"]), token=token)

    def renew(self, lease: Lease, *, num_frames: int, stage: str) -> None:
        """See `LeaseTable`."""
        keys = self._keys_of(lease.job_id, lease.index)[:2]
        if not self._renew(keys, lease.index, lease.attempt, lease.token, self._term_ms, num_frames, stage):
            raise LeaseLost(lease.job_id, lease.index, lease.attempt)

    def commit(self, lease: Lease, result: Result) -> None:
        """See `LeaseTable`."""
        keys = self._keys_of(lease.job_id, lease.index)
        if not self._commit(keys, lease.index, lease.attempt, lease.token, json.dumps(result.to_json())):
            raise LeaseLost(lease.job_id, lease.index, lease.attempt)

    def release(self, lease: Lease) -> None:
        """See `LeaseTable`."""
        self._release([self._keys.lease(lease.job_id, lease.index)], lease.token)

    def results(self, job_id: str) -> dict[int, Result]:
        """See `LeaseTable`."""
        fields = self._hash(self._keys.results(job_id))
        return {int(index): _result(body) for index, body in fields.items() if index != _SOURCE.encode()}

    def forget(self, job_id: str, index: int) -> None:
        """See `LeaseTable`."""
        with renamed_errors(), self._redis.pipeline() as pipeline:
            pipeline.hdel(self._keys.offers(job_id), str(index))
            pipeline.delete(self._keys.lease(job_id, index))
            pipeline.hdel(self._keys.results(job_id), str(index))
            pipeline.execute()

    def forget_job(self, job_id: str) -> None:
        """See `LeaseTable`."""
        keys = [self._keys.offers(job_id), self._keys.results(job_id), self._keys.barred(job_id)]
        self._withdraw_job(keys, self._keys.lease_prefix(job_id))

    def holders(self, job_id: str) -> dict[int, Holder]:
        """See `LeaseTable`."""
        indexes = sorted(self.offered(job_id))
        with renamed_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for index in indexes:
                pipeline.hgetall(self._keys.lease(job_id, index))
                pipeline.pttl(self._keys.lease(job_id, index))
            pipeline.time()  # Redis's own, as in its scripts: machines' clocks differ
            *found, (seconds, microseconds) = pipeline.execute()
        now_ms = 1000 * seconds + microseconds // 1000
        leases = list(zip(indexes, found[::2], found[1::2], strict=True))
        for index, fields, left_ms in leases:
            if _is_set_back(fields, left_ms, now_ms):
                self._shorten([self._keys.lease(job_id, index)])
        return {index: _holder(fields, now_ms) for index, fields, _ in leases if fields}

    def bar(self, job_id: str, workers: Collection[str]) -> None:
        """See `LeaseTable`."""
        key = self._keys.barred(job_id)
        with renamed_errors(), self._redis.pipeline() as pipeline:
            pipeline.delete(key)
            if workers:
                pipeline.sadd(key, *sorted(workers))
            pipeline.execute()

    def barred(self, job_id: str) -> frozenset[str]:
        """See `LeaseTable`."""
        with renamed_errors():
            names = cast("set[bytes]", self._redis.smembers(self._keys.barred(job_id)))
        return frozenset(name.decode() for name in names)

    def put_source_checked(self, message: SourceChecked) -> None:
        """See `LeaseTable`."""
        self._put_field([self._keys.results(message.job_id)], _SOURCE, json.dumps(message.to_json()))

    def source_checked(self, job_id: str) -> SourceChecked | None:
        """See `LeaseTable`."""
        with renamed_errors():
            body = self._redis.hget(self._keys.results(job_id), _SOURCE)
        return None if body is None else SourceChecked.from_json(json.loads(cast("bytes", body)))

    def lock_job(self, job_id: str, owner: str, ttl_s: float) -> bool:
        """See `LeaseTable`."""
        return bool(self._lock([self._keys.advancing(job_id)], owner, round(ttl_s * 1000)))

    def unlock_job(self, job_id: str, owner: str) -> None:
        """See `LeaseTable`."""
        self._unlock([self._keys.advancing(job_id)], owner)

    def _keys_of(self, job_id: str, index: int) -> tuple[str, str, str]:
        return self._keys.offers(job_id), self._keys.lease(job_id, index), self._keys.results(job_id)

    def _hash(self, key: str) -> dict[bytes, bytes]:
        with renamed_errors():
            return cast("dict[bytes, bytes]", self._redis.hgetall(key))


def _result(body: bytes) -> Result:
    fields = json.loads(body)
    for kind in (ChunkRendered, ChunkFailed):
        if fields.get("kind") == kind.__name__:
            return kind.from_json(fields)
    raise BadMessage(f"not a chunk's result: {fields.get('kind')!r}")


def _is_set_back(fields: dict[bytes, bytes], left_ms: int, now_ms: int) -> bool:
    """Say whether a lease is of a time that Redis's clock has yet to reach."""
    if b"term_ms" not in fields:
        return False
    return left_ms > int(fields[b"term_ms"]) or int(fields[b"moved_ms"]) > now_ms


def _holder(fields: dict[bytes, bytes], now_ms: int) -> Holder:
    return Holder(
        attempt=int(fields[b"attempt"]),
        worker=fields[b"worker"].decode(),
        num_frames=int(fields[b"num_frames"]),
        stage=fields[b"stage"].decode(),
        still_s=max(0, now_ms - int(fields.get(b"moved_ms", now_ms))) / 1000,
    )
