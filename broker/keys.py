"""Every Redis key of the farm. `{ns}` is the namespace (default "farm"); Celery keeps its own keys beside these.

| key                                            | type   | TTL     | written by          | read by        | holds |
|------------------------------------------------|--------|---------|---------------------|----------------|-------|
| `{ns}:bytes`                                   | string | none    | farm, workers (Lua) | farm, workers  | bytes of all parts now in Redis: what the window bounds |
| `{ns}:segments:{job}`                          | set    | none    | farm, workers (Lua) | farm           | names of the job's segments, so that none is orphaned |
| `{ns}:segment:{job}:{index}:{kind}:{attempt}`  | hash   | none    | farm or worker      | worker or farm | part number → bytes; kind is `in`, `out` or `source` |
| `{ns}:offers:{job}`                            | hash   | none    | farm                | workers (Lua)  | chunk index → the attempt that may run now |
| `{ns}:lease:{job}:{index}`                     | hash   | lease   | worker (Lua)        | farm, workers  | attempt, token, worker, frames done, stage, when it last came further, its term |
| `{ns}:results:{job}`                           | hash   | none    | worker (Lua)        | farm           | chunk index (or `source`) → the result, JSON |
| `{ns}:barred:{job}`                            | set    | none    | farm                | workers        | workers that may not have the job's chunks |
| `{ns}:worker:{worker}`                         | hash   | 3 beats | worker              | farm           | host, pid, device, engine, what it is doing, its term |
| `{ns}:advancing:{job}`                         | string | 6 s     | farm                | farm           | which farm process is moving the job on |
| `{ns}:celery:…`                                | any    | none    | Celery              | Celery         | queues and their bookkeeping |

No segment has a TTL: `{ns}:bytes` must stay the sum of what lies there, and the farm deletes what it has read.
A key that has more time left than its term says that Redis's clock was set back: whoever reads it shortens it.
"""  # noqa: E501 - a table is read across

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Spells the keys of one namespace. `segment` is a segment's name in its string form."""

    namespace: str

    @property
    def bytes(self) -> str:
        """Return the counter of stored bytes."""
        return f"{self.namespace}:bytes"

    @property
    def segment_prefix(self) -> str:
        """Return what every segment's key begins with; its name follows."""
        return f"{self.namespace}:segment:"

    @property
    def segments_prefix(self) -> str:
        """Return what every job's set of names begins with; the job follows."""
        return f"{self.namespace}:segments:"

    @property
    def worker_prefix(self) -> str:
        """Return what every heartbeat's key begins with; the worker follows."""
        return f"{self.namespace}:worker:"

    @property
    def celery_prefix(self) -> str:
        """Return what Celery puts before each of its own keys."""
        return f"{self.namespace}:celery:"

    def segment(self, name: str) -> str:
        """Return the hash of a segment's parts."""
        return self.segment_prefix + name

    def segments(self, job_id: str) -> str:
        """Return the set of a job's segment names."""
        return self.segments_prefix + job_id

    def offers(self, job_id: str) -> str:
        """Return the hash of a job's offered attempts."""
        return f"{self.namespace}:offers:{job_id}"

    def lease_prefix(self, job_id: str) -> str:
        """Return what every lease of a job begins with; the chunk's index follows."""
        return f"{self.namespace}:lease:{job_id}:"

    def lease(self, job_id: str, index: int) -> str:
        """Return the hash of a chunk's lease."""
        return f"{self.lease_prefix(job_id)}{index}"

    def results(self, job_id: str) -> str:
        """Return the hash of a job's results."""
        return f"{self.namespace}:results:{job_id}"

    def barred(self, job_id: str) -> str:
        """Return the set of workers that may not render a job."""
        return f"{self.namespace}:barred:{job_id}"

    def worker(self, worker: str) -> str:
        """Return the hash of a worker's heartbeat."""
        return self.worker_prefix + worker

    def advancing(self, job_id: str) -> str:
        """Return the lock of whoever moves a job on."""
        return f"{self.namespace}:advancing:{job_id}"


def glob_escape(text: str) -> str:
    """Return a pattern for SCAN that matches `text` and nothing else."""
    return "".join(f"\\{character}" if character in "*?[]^-\\" else character for character in text)
