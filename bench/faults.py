"""What faults cost, each done to a real farm `BENCH_TIMES` times. Started again, it goes on where it was."""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.results import RESULTS, write
from tests.faults.catalogue import AWAY_S, FAULTS, Fault
from tests.faults.default_terms import PROMISED_S, default_scene, lose_a_worker
from tests.faults.outages import CannotMount, fill_disk, postgres_scene, small_disk_scene, stop_database
from tests.faults.recovery import Outcome, suffer
from tests.faults.scene import quick_scene
from tests.faults.verdict import make_clip
from tests.faults.wall_clock import CLOCK_FAULTS, clock_fault, clock_scene
from tests.services import find_compiler, find_postgres

TIMES = 5
CLAIM = (
    "Faults done to a farm of two workers, each held in the middle of a chunk (leases of 2 s, heartbeats of "
    "0.5 s, but for the line that names the default settings). Identical: the decoded frames are those of an "
    "undisturbed run, and no key, file or row is left. Recovery: seconds from the fault, which may itself "
    "last some, until every chunk that was being rendered goes on. Repeated: attempts beyond one a chunk, "
    "at most."
)

#: What was measured before an interruption, of the very same code.
PARTIAL = RESULTS / "faults.partial.json"

#: Does one fault once, with this clip, and a random number's seed.
Once = Callable[[Path, Path, int], Outcome]

#: Where a farm for one fault is started, in a folder.
Place = Callable[[Path], contextlib.AbstractContextManager[Once]]


def main(_clip: Path | None = None) -> None:
    """Do every fault; write bench/results/faults.json. The clip is its own: one of many short chunks."""
    times = int(os.environ.get("BENCH_TIMES") or TIMES)
    done = _done_before(times)
    for name, place in _places():
        if name not in done:
            done[name] = _row(name, place, times)
            PARTIAL.write_text(json.dumps({"of": _version(times), "rows": done}))
    rows = list(done.values())
    write("faults", CLAIM, rows)
    PARTIAL.unlink()
    if any(row["identical"] != row["times"] for row in rows):
        raise SystemExit("a fault was seen in the output: see bench/results/faults.json")


def _places() -> Iterator[tuple[str, Place]]:
    for fault in FAULTS:
        yield fault.name, partial(_quick, fault)
    if find_compiler():
        for name in CLOCK_FAULTS:
            yield name, partial(_clock, name)
    if find_postgres():
        yield "PostgreSQL restarted", partial(_postgres, 0.0)
        yield f"PostgreSQL down for {AWAY_S:g} s", partial(_postgres, AWAY_S)
    yield "disk full while the spool is written, until the job pauses", partial(_disk, "home")
    yield "disk full while the output is written, until the job pauses", partial(_disk, "output")
    yield f"kill -9 of a worker, default settings (promised: {PROMISED_S:g} s, one chunk)", _default


@contextmanager
def _quick(fault: Fault, folder: Path) -> Iterator[Once]:
    with quick_scene(folder / "farm") as scene:
        yield lambda clip, output, seed: suffer(scene, fault, clip, output, random.Random(seed))


@contextmanager
def _clock(name: str, folder: Path) -> Iterator[Once]:
    with clock_scene(folder) as (scene, clock):
        fault = clock_fault(name, clock)
        yield lambda clip, output, seed: suffer(scene, fault, clip, output, random.Random(seed))


@contextmanager
def _postgres(away_s: float, folder: Path) -> Iterator[Once]:
    with postgres_scene(folder / "farm") as (scene, server):
        fault = Fault("database", stop_database(server, away_s))
        yield lambda clip, output, seed: suffer(scene, fault, clip, output, random.Random(seed))


@contextmanager
def _disk(full: str, folder: Path) -> Iterator[Once]:
    with small_disk_scene(folder, full=full) as (scene, place, disk):
        fault = Fault("disk", fill_disk(disk))
        yield lambda clip, output, seed: suffer(scene, fault, clip, place / output.name, random.Random(seed))


@contextmanager
def _default(folder: Path) -> Iterator[Once]:
    with default_scene(folder / "farm") as scene:
        yield lambda clip, output, _seed: lose_a_worker(scene, clip, output)


def _row(name: str, place: Place, times: int) -> dict[str, Any]:
    outcomes: list[Outcome] = []
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, place(Path(folder)) as once:
            clip = make_clip(Path(folder) / "clip.mp4")
            for number in range(times):
                outcomes += _try(name, lambda: once(clip, Path(folder) / f"{number}.mov", number))  # noqa: B023
    except CannotMount as error:
        return {"fault": f"{name}: not done, {error}", "times": 0, "identical": 0}
    recoveries = [outcome.recovery_s for outcome in outcomes]
    print(f"{name}: {[round(recovery, 2) for recovery in recoveries]}", flush=True)
    return {
        "fault": name,
        "times": times,
        "identical": len(outcomes),
        "recovery median, s": statistics.median(recoveries) if recoveries else None,
        "recovery worst, s": max(recoveries, default=None),
        "repeated": max((outcome.repeated for outcome in outcomes), default=None),
    }


def _try(name: str, once: Callable[[], Outcome]) -> list[Outcome]:
    try:
        return [once()]
    except (
        AssertionError,
        OSError,
        RuntimeError,
    ) as error:  # a line of the table, and no more
        print(f"{name}: {error!r}", flush=True)
        return []


def _done_before(times: int) -> dict[str, dict[str, Any]]:
    try:
        body = json.loads(PARTIAL.read_text())
    except FileNotFoundError:
        return {}
    return body["rows"] if body["of"] == _version(times) else {}


def _version(times: int) -> str:
    answer = subprocess.run(["git", "rev-parse", "HEAD:"], capture_output=True, text=True, check=False)
    return f"{answer.stdout.strip()} × {times}"


if __name__ == "__main__":
    main()
