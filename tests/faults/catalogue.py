"""The faults that must cost nothing but time, each as something that is really done to a running farm.

When a fault is done, every worker is held in the middle of a chunk (`Scene.hold`): none can end before.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.gate import RENDER_QUEUE
from tests.faults.processes import kill, parent_of
from tests.faults.scene import Scene

#: How long Redis and the database are away, in seconds: longer than any lease of a quick scene.
AWAY_S = 4.0

Act = Callable[[Scene, str, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: `act` does it to a farm that renders a job, and undoes what it must."""

    name: str
    act: Act


def kill_child(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill the process that renders; its parent lives."""
    kill(scene.catch(job))


def kill_worker(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill the worker's parent process; what it started goes with it."""
    kill(parent_of(scene.catch(job)))


def kill_launcher(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill `farm up` itself, and run it again in the same home."""
    kill(scene.launcher())
    scene.start_again()


def kill_tasks(scene: Scene, job: str, randomness: random.Random) -> None:
    """Kill the process that cuts, collects and stitches: while it waits, or while it collects and offers."""
    if randomness.random() < 0.5:
        scene.gate.open()
        time.sleep(randomness.uniform(0, 0.3))
    kill(scene.process("tasks"))


def kill_stitcher(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill the process that writes the output, as soon as some of the output is there."""
    folder = scene.output_of(job).parent
    pid = scene.process("tasks")
    scene.gate.open()
    while not any(job in name for name in os.listdir(folder)):  # noqa: PTH208 - the fastest there is
        scene.glance(job)
    kill(pid)
    scene.note(job)
    assert not scene.output_of(job).exists()


def freeze_worker(scene: Scene, job: str, _random: random.Random) -> None:
    """Stop a worker until another has its chunk, then let it wake and try to commit."""
    pid = scene.catch(job)
    scene.gate.open()
    chunks = f"/api/jobs/{job}/chunks"
    scene.wait("its lease has lapsed", lambda: scene.get(chunks)[scene.caught]["attempt"] > 1)
    os.kill(pid, signal.SIGCONT)


def terminate_worker(scene: Scene, job: str, _random: random.Random) -> None:
    """Ask a worker to end while it renders."""
    pid = scene.catch(job)
    os.kill(pid, signal.SIGCONT)
    os.kill(parent_of(pid), signal.SIGTERM)


def double_messages(scene: Scene, job: str, _random: random.Random) -> None:
    """Deliver what waits in the queue twice."""
    scene.hold(job, num_busy=1, num_queued=1)
    with scene.redis() as redis:
        redis.rpush(RENDER_QUEUE, *redis.lrange(RENDER_QUEUE, 0, -1))


def lose_messages(scene: Scene, job: str, _random: random.Random) -> None:
    """Take every waiting message away."""
    scene.hold(job, num_busy=1, num_queued=1)
    with scene.redis() as redis:
        redis.delete(RENDER_QUEUE)


def kill_redis(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill Redis; the farm starts it again, from its log of changes."""
    kill(scene.process("redis"))


def take_redis_down(scene: Scene, job: str, _random: random.Random, seconds: float = AWAY_S) -> None:
    """Kill Redis, and keep the farm from starting it again for a while."""
    launcher = scene.launcher()
    os.kill(launcher, signal.SIGSTOP)
    kill(scene.process("redis"))
    time.sleep(seconds)
    os.kill(launcher, signal.SIGCONT)


def freeze_redis(scene: Scene, job: str, _random: random.Random, seconds: float = AWAY_S) -> None:
    """Let Redis answer nobody for a while."""
    pid = scene.process("redis")
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def empty_redis(scene: Scene, job: str, _random: random.Random) -> None:
    """Have Redis forget everything."""
    with scene.redis() as redis:
        redis.flushall()


def fill_redis(scene: Scene, job: str, _random: random.Random) -> None:
    """Let Redis reach its memory limit: it refuses whatever makes it grow."""
    with scene.redis() as redis:
        redis.config_set("maxmemory", 1)
        scene.gate.open()
        time.sleep(AWAY_S)
        redis.config_set("maxmemory", 0)


def lock_database(scene: Scene, job: str, _random: random.Random) -> None:
    """Hold the database's only write lock for some seconds, while workers finish chunk after chunk."""
    database = sqlite3.connect(scene.farm.home / "farm.db", isolation_level=None, timeout=10)
    database.execute("BEGIN EXCLUSIVE")
    scene.gate.open()
    time.sleep(AWAY_S)
    database.execute("COMMIT")
    database.close()


FAULTS = (
    Fault("kill -9 of the process that renders", kill_child),
    Fault("kill -9 of a worker", kill_worker),
    Fault("kill -9 of the launcher, started again", kill_launcher),
    Fault("kill -9 of the reconciler", kill_tasks),
    Fault("kill -9 of the stitcher while it writes", kill_stitcher),
    Fault("SIGTERM to a worker", terminate_worker),
    Fault("a worker frozen past its lease, then woken", freeze_worker),
    Fault("messages delivered twice", double_messages),
    Fault("messages lost", lose_messages),
    Fault("kill -9 of Redis, restarted from its log", kill_redis),
    Fault(f"Redis down for {AWAY_S:g} s", take_redis_down),
    Fault(f"Redis frozen for {AWAY_S:g} s", freeze_redis),
    Fault("Redis emptied", empty_redis),
    Fault(f"Redis full for {AWAY_S:g} s", fill_redis),
    Fault(f"database locked for {AWAY_S:g} s", lock_database),
)
