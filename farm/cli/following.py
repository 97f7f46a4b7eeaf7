"""Staying with a job until it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from broker.clock import Clock
from farm.cli.display import Display
from farm.cli.interruption import Interrupted
from farm.cli.outcome import to_json
from farm.client import FarmClient
from farm.errors import FarmError, FarmUnreachable
from farm.schemas import JobView
from farm.states import LIVE_JOB_STATES

#: How often a job is looked at, in seconds: often enough to look alive, and a thousandth of a core.
LOOK_S = 0.2

#: How long a farm may stay silent before it counts as gone: long enough for its API to be restarted.
PATIENCE_S = 20.0


def stay(client: FarmClient, view: JobView, display: Display, clock: Clock) -> JobView:
    """Show somebody's job as `follow` does; Ctrl-C ends the staying, not the job.

    Raises:
        Interrupted: somebody pressed it.
        FarmUnreachable: the farm has not answered for a while.
    """
    try:
        return follow(client, view, display, clock)
    except KeyboardInterrupt as interrupt:
        with suppress(FarmError):  # what is known of it will do
            view = client.job(view.job)
        hint = f"`farm watch {view.job}` follows it, `farm cancel {view.job}` ends it"
        raise Interrupted(f"job {view.job} goes on", hint=hint, job=to_json(view)) from interrupt


def follow(
    client: FarmClient, view: JobView, display: Display, clock: Clock, tend: Callable[[], None] = lambda: None
) -> JobView:
    """Show a job until it has ended, and return it as it ended.

    Args:
        client: the job's farm.
        view: the job.
        display: where it is shown.
        clock: paces the looks.
        tend: called between looks; what it raises ends the wait.

    Raises:
        FarmUnreachable: the farm has not answered for a while.
    """
    answered_s = clock.now_s()
    while view.state in LIVE_JOB_STATES:
        display.show(view)
        clock.sleep(LOOK_S)
        tend()
        try:
            view = client.job(view.job)
            answered_s = clock.now_s()
        except FarmUnreachable:
            if clock.now_s() - answered_s > PATIENCE_S:
                raise
    return view
