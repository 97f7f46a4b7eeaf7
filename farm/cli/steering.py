"""What the commands that steer jobs do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from farm.cli.config import CliConfig
from farm.cli.connection import connect
from farm.cli.exits import DONE
from farm.cli.outcome import to_json
from farm.cli.wording import json_line, size
from farm.client import FarmClient
from farm.schemas import DeletionView, JobView


def pause_job(job_id: str, *, as_json: bool) -> int:
    """Hold a job."""
    return _steer(lambda client: client.pause(job_id), as_json=as_json)


def resume_job(job_id: str, *, as_json: bool) -> int:
    """Let a paused job go on."""
    return _steer(lambda client: client.resume(job_id), as_json=as_json)


def cancel_job(job_id: str, *, as_json: bool) -> int:
    """Stop a job."""
    return _steer(lambda client: client.cancel(job_id), as_json=as_json)


def retry_job(job_id: str, *, replan: bool, as_json: bool) -> int:
    """Take up a failed job, or begin it anew."""
    return _steer(lambda client: client.retry(job_id, replan=replan), as_json=as_json)


def unblock_worker(job_id: str, worker: str, *, as_json: bool) -> int:
    """Let a worker have a job's chunks again."""
    return _steer(
        lambda client: client.unblock(job_id, worker),
        as_json=as_json,
        say=lambda view: f"worker {worker} gets chunks of job {view.job} again",
    )


def prioritise_job(job_id: str, priority: int, *, as_json: bool) -> int:
    """Set a job's priority."""
    return _steer(
        lambda client: client.prioritise(job_id, priority),
        as_json=as_json,
        say=lambda view: f"job {view.job} has priority {view.priority}",
    )


def delete_job(job_id: str, *, dry_run: bool, force: bool, with_output: bool, as_json: bool) -> int:
    """Delete a job, or say what would go."""
    with connect(CliConfig.from_environment()) as client:
        view = client.delete(job_id, dry_run=dry_run, force=force, with_output=with_output)
    sys.stdout.write(json_line(view.model_dump()) if as_json else "\n".join(_lines(view)) + "\n")
    return DONE


def _steer(
    act: Callable[[FarmClient], JobView],
    *,
    as_json: bool,
    say: Callable[[JobView], str] = lambda view: f"job {view.job} is {view.state}",
) -> int:
    with connect(CliConfig.from_environment()) as client:
        view = act(client)
    sys.stdout.write(json_line(to_json(view)) if as_json else f"{say(view)}\n")
    return DONE


def _lines(view: DeletionView) -> Iterator[str]:
    verb = "deleted" if view.is_done else "would delete"
    rows = ", ".join(f"{number} of {table}" for table, number in view.rows.items() if number)
    yield f"{verb} job {view.job}"
    yield f"  rows   {rows}"
    for path in view.paths:
        yield f"  {size(path.num_bytes):>9}  {path.path}"
    yield f"  Redis  {view.redis_keys} keys"
