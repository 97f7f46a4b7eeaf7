"""What `farm render` and `farm submit` do."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from broker.clock import SystemClock
from broker.config import models_directory
from broker.installed import ModelStore
from farm.check import check
from farm.cli.checking import check_now
from farm.cli.config import CliConfig
from farm.cli.connection import connect, connect_to_new, find
from farm.cli.display import open_display
from farm.cli.exits import DONE
from farm.cli.following import follow, stay
from farm.cli.interruption import Interrupted
from farm.cli.keeping import logs_kept_if_it_dies, logs_named
from farm.cli.options import HostingOptions, JobOptions
from farm.cli.outcome import conclude, to_json
from farm.cli.signals import ignore_until_exit, raise_when_asked_to_end
from farm.cli.wording import json_line
from farm.client import FarmClient
from farm.config import FarmConfig
from farm.errors import FarmError, StaleTransition
from farm.launcher import LocalFarm
from farm.launching.config import LaunchConfig
from farm.launching.plan import FarmPlan
from farm.launching.private_home import private_home
from farm.modelstore.registry import check_installed, check_masks, check_recogniser
from farm.output import partial_path
from farm.requests import JobRequest
from farm.schemas import JobView
from farm.stages import stage_names
from farm.states import JobState

#: What a job is that somebody interrupted, on a farm that could still be told.
NOTHING_LEFT = "canceled; nothing is left"


def render_now(job: JobOptions, hosting: HostingOptions, *, as_json: bool) -> int:
    """Render, and wait for the end; return the exit code."""
    return conclude(render_request(job.request(), hosting), as_json=as_json)


def render_request(request: JobRequest, hosting: HostingOptions) -> JobView:
    """Render on the farm that is up, or on one that is started for it; return the job as it ended.

    Raises:
        BadInput: the files or options cannot be used; nothing was started.
        FarmUnreachable: no farm could be started, or the one that was there has gone.
        Interrupted: somebody asked to stop; it says what became of the job.
    """
    raise_when_asked_to_end()
    try:
        check(request)
        client = None if hosting.wants_own else find(CliConfig.from_environment())
        if client is None:
            return _render_alone(request, hosting)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(NOTHING_LEFT) from interrupt
    with closing(client):
        return _render_on(client, request)


def check_only(job: JobOptions, *, as_json: bool) -> int:
    """Say what a job would take, and submit nothing; return the exit code."""
    request = job.request()
    check(request)
    return check_now(request, as_json=as_json)


def submit_now(job: JobOptions, *, wait: bool, as_json: bool) -> int:
    """Hand in a job; return the exit code, of the job itself if `wait`."""
    raise_when_asked_to_end()
    request = job.request()
    check(request)
    with connect(CliConfig.from_environment()) as client:
        view = client.submit(request)
        if not wait:
            sys.stdout.write(json_line(to_json(view)) if as_json else f"{view.job}\n")
            return DONE
        sys.stderr.write(f"job {view.job}\n")
        clock = SystemClock()
        with closing(open_display(clock)) as display:
            view = stay(client, view, display, clock)
    return conclude(view, as_json=as_json)


def _render_on(client: FarmClient, request: JobRequest) -> JobView:
    """Render on a farm that is up; Ctrl-C cancels the job there."""
    clock = SystemClock()
    with closing(open_display(clock)) as display:
        view: JobView | None = None
        try:
            view = client.submit(request)
            return follow(client, view, display, clock)
        except KeyboardInterrupt as interrupt:
            ignore_until_exit()
            raise _canceled_on(client, view) from interrupt


def _canceled_on(client: FarmClient, view: JobView | None) -> Interrupted:
    """Cancel a job on a farm that stays up, and return what to say of it."""
    if view is None:
        return Interrupted("interrupted", hint="`farm list` shows whether the farm had taken the job already")
    try:
        return Interrupted(NOTHING_LEFT, job=to_json(client.cancel(view.job)))
    except StaleTransition:
        return Interrupted(f"interrupted when job {view.job} had ended", hint=f"`farm status {view.job}`")
    except FarmError as error:
        return Interrupted(
            f"interrupted, and the farm does not answer: {error.message}",
            hint=f"`farm cancel {view.job}` ends the job once it does",
            job=to_json(view),
        )


def _render_alone(request: JobRequest, hosting: HostingOptions) -> JobView:
    """Render on a farm of its own, that is gone afterwards, whatever happened."""
    _check_models(request)
    clock = SystemClock()
    with ExitStack() as stack:
        display = stack.enter_context(closing(open_display(clock)))
        home = stack.enter_context(private_home(clock))
        user_home = FarmConfig.from_environment().home
        stack.enter_context(logs_kept_if_it_dies(home, user_home))
        farm = stack.enter_context(LocalFarm(_plan(home, request, hosting), clock, display.say))
        stack.callback(ignore_until_exit)  # first to be called: what follows must not be interrupted
        display.say("started a farm for this job")
        client = stack.enter_context(connect_to_new(farm, clock))
        view = client.submit(request)
        outputs = [output.path for output in view.outputs] or [view.output]
        partials = [partial_path(Path(path), view.job) for path in outputs]
        for partial in partials:
            farm.remove_if_killed(partial)
        try:
            view = follow(client, view, display, clock, farm.tend)
        except KeyboardInterrupt as interrupt:
            view = _abandoned(client, view, farm, partials)
            raise Interrupted(NOTHING_LEFT, job=to_json(view)) from interrupt
        except BaseException:
            _abandoned(client, view, farm, partials)
            raise
        if view.state != JobState.DONE:
            _abandoned(client, view, farm, partials)
        return logs_named(view, home, user_home)


def _check_models(request: JobRequest) -> None:
    """Refuse what is not installed on this machine, whose workers the job would have.

    Raises:
        ModelRefused: the hint is the command that installs it.
    """
    store = ModelStore(models_directory())
    check_installed(store, request.engine, request.analyser, *stage_names(request))
    check_masks(store, request.mask or ())
    if request.references:
        check_recogniser(store)


def _abandoned(client: FarmClient, view: JobView, farm: LocalFarm, partials: list[Path]) -> JobView:
    """Leave nothing of a job that did not end well; return it as it is then."""
    ignore_until_exit()
    with suppress(FarmError):  # it has ended, or the farm has
        view = client.cancel(view.job)
    farm.stop()
    for partial in partials:
        shutil.rmtree(partial, ignore_errors=True)
    return view.model_copy(update={"state": JobState.CANCELED, "running": []})


def _plan(home: Path, request: JobRequest, hosting: HostingOptions) -> FarmPlan:
    launch = LaunchConfig.from_environment()
    config = dataclasses.replace(
        FarmConfig.from_environment(),
        home=home,
        database_url=f"sqlite:///{home / 'farm.db'}",
        api_port=0,
        api_token="",  # a fresh one: the user's own is for the user's own farm
    )
    return FarmPlan(
        config=config,
        launch=launch,
        is_private=True,
        gpus=hosting.gpus,
        workers_per_device=hosting.workers or 1,
        warm=request.engine,
        window_bytes=hosting.window_bytes,
        has_flower=False,
    )
