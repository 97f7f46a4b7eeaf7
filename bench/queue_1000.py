"""A thousand jobs queued at once: who waits how long, and what the queue costs."""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.results import write
from farm.admission import MOST_PREPARING
from farm.requests import JobRequest
from farm.states import JobState
from farm.submit import submit
from tests.farm.simulation import Simulation

JOBS = 1000
WORKERS = 4
CLAIM = (
    "A thousand one-second jobs, submitted at once to a farm in one process (the real store, files and "
    "codecs; Redis and time are stand-ins in memory), four workers. No job starves: each ends within a few "
    "places of its place in the queue. Jobs under way, messages and bytes in the segment store stay bounded, "
    "and a round stays short."
)


def main(clip: Path | None = None) -> None:
    """Run the queue to its end; write bench/results/queue-1000.json."""
    del clip
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        write("queue-1000", CLAIM, [_run(Path(name))])


def _run(folder: Path) -> dict[str, Any]:
    path = folder / "clip.mp4"
    source = "testsrc2=size=64x64:rate=8:duration=1"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, path], check=True)
    (folder / "home").mkdir()
    simulation = Simulation(folder / "home", num_workers=WORKERS)
    jobs = [_submit(simulation, path, folder / f"out{number}.mkv") for number in range(JOBS)]
    memory_before = _peak_mib()
    figures = _Figures()
    began = time.perf_counter()
    while len(figures.ended) < JOBS:
        figures.look(simulation)
        for _ in range(min(WORKERS, len(simulation.mailbox.messages))):
            simulation.deliver()
        simulation.clock.sleep(0.5)
    shifts = [abs(place - jobs.index(job_id)) for place, job_id in enumerate(figures.ended)]
    return {
        "jobs": JOBS,
        "done": sum(simulation.job(job_id).state == JobState.DONE for job_id in jobs),
        "farthest from its place in the queue": max(shifts),
        "most under way": figures.most_active,
        "most messages": figures.most_messages,
        "most segment bytes": figures.most_bytes,
        "finding a round's jobs, ms": statistics.median(figures.found_ms),
        "finding max, ms": max(figures.found_ms),
        "memory grew by, MiB": _peak_mib() - memory_before,
        "all, s": time.perf_counter() - began,
    }


class _Figures:
    def __init__(self) -> None:
        self.ended: list[str] = []
        self.found_ms: list[float] = []
        self.most_active = self.most_messages = self.most_bytes = 0
        self._seen: set[str] = set()

    def look(self, simulation: Simulation) -> None:
        """Do one round of the reconciler, and note what it took."""
        store = simulation.farm.store
        simulation.beat()
        began = time.perf_counter()
        due = [*store.due_jobs(), *store.first_in_queue(MOST_PREPARING)]
        self.found_ms.append(1000 * (time.perf_counter() - began))
        for job_id in due:
            simulation.advance(job_id)
            if job_id not in self._seen and simulation.job(job_id).finished_at is not None:
                self._seen.add(job_id)
                self.ended.append(job_id)
        self.most_active = max(self.most_active, store.num_active()[0])
        self.most_messages = max(self.most_messages, len(simulation.mailbox.messages))
        self.most_bytes = max(self.most_bytes, simulation.broker.segments.used_bytes())


def _submit(simulation: Simulation, path: Path, output: Path) -> str:
    simulation.clock.sleep(0.001)
    request = JobRequest(input=str(path), output=str(output), engine="passthrough", lossless=True)
    return submit(simulation.farm, request)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
