"""Commands that steer jobs: pause, resume, cancel, retry, unblock, priority, delete."""

# ruff: noqa: PLC0415 - what a command does is imported when it is run: `farm --help` answers at once

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli import options as given


def pause(job: given.JobId, *, json: given.Json = False) -> int:
    """Hold a job; its workers are free within two seconds.

    Finished chunks stay on disk, and `farm resume` goes on from them. Chunks that were running begin anew.
    A job also pauses by itself when a disk is full, and goes on when there is space: `farm status` says so.
    """
    from farm.cli.steering import pause_job

    return pause_job(job, as_json=json)


def resume(job: given.JobId, *, json: given.Json = False) -> int:
    """Let a paused job go on from where it was, or at once if it waits for disk space."""
    from farm.cli.steering import resume_job

    return resume_job(job, as_json=json)


def cancel(job: given.JobId, *, json: given.Json = False) -> int:
    """Stop a job for good. Workers stop at their next frame; what was rendered of it is thrown away."""
    from farm.cli.steering import cancel_job

    return cancel_job(job, as_json=json)


def retry(
    job: given.JobId,
    *,
    replan: Annotated[
        bool, typer.Option("--replan", help="Keep nothing: begin anew with the present version.")
    ] = False,
    json: given.Json = False,
) -> int:
    """Take up a failed job where it failed.

    Finished chunks are kept; those that failed get all their attempts again. `farm status` names their
    frames, and what their workers said. A job that failed for its input keeps nothing: repair it, and submit
    it again.

    A job that was planned by another version of the farm, or with other weights, is not finished by workers
    that would give other pixels: after an upgrade, --replan renders it from the start.
    """
    from farm.cli.steering import retry_job

    return retry_job(job, replan=replan, as_json=json)


def unblock(job: given.JobId, worker: given.WorkerName, *, json: given.Json = False) -> int:
    """Let a worker that was blocked for a job have its chunks again.

    A worker is blocked for a job when three of its chunks have failed there while others are up, or when it
    would not give the same pixels as the worker that the job was planned with. `farm status` says who is
    blocked, and why. Repair the worker first: otherwise the next failures block it again.

        farm unblock 261120-1a2b3c4d gpubox-gpu1
    """
    from farm.cli.steering import unblock_worker

    return unblock_worker(job, worker, as_json=json)


def priority(job: given.JobId, number: given.PriorityNumber, *, json: given.Json = False) -> int:
    """Put a job before others (higher), or behind them (lower); 0 is usual.

    Jobs of one priority share the workers evenly. A step outweighs an hour in the queue.

        farm priority 261120-1a2b3c4d 10

        farm priority 261120-1a2b3c4d -- -5
    """
    from farm.cli.steering import prioritise_job

    return prioritise_job(job, number, as_json=json)


def delete(
    job: given.JobId,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go, and how large it is.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Cancel the job first, if it goes on.")] = False,
    output: Annotated[bool, typer.Option("--output", help="Delete the finished video, too.")] = False,
    json: given.Json = False,
) -> int:
    """Delete a job that has ended: its rows, its files in the farm's home, what Redis holds of it.

    The finished video stays, unless --output is given. The input is never touched.
    """
    from farm.cli.steering import delete_job

    return delete_job(job, dry_run=dry_run, force=force, with_output=output, as_json=json)
