"""The faults that must cost nothing but time, each as something that is really done to a running farm."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.processes import parent_of
from tests.faults.scene import RENDER_QUEUE, Scene, kill

#: Longer than the lease of a quick scene: whoever sleeps this long has lost it.
PAST_LEASE_S = 3.5

Act = Callable[[Scene, str, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: `act` does it to a farm that renders a job, and undoes what it must."""

    name: str
    act: Act
    is_told_apart: bool = False  # a test of its own asks more of it, so that CI need not do it twice


def kill_child(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill the process that renders; its parent lives."""
    kill(scene.catch(job))


def kill_worker(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill the worker's parent process; what it started goes with it."""
    kill(parent_of(scene.catch(job)))


def kill_launcher(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill `farm up` itself, and run it again in the same home."""
    scene.wait_until_rendering(job)
    scene.note(job)
    kill(scene.launcher())
    scene.start_again()


def kill_tasks(scene: Scene, job: str, randomness: random.Random) -> None:
    """Kill the process that cuts, collects and stitches, at any moment."""
    time.sleep(randomness.uniform(0, 1.5))
    pid = scene.process("tasks")
    scene.note(job)
    kill(pid)


def freeze_worker(scene: Scene, job: str, _random: random.Random) -> None:
    """Stop a worker until its lease has lapsed, then let it wake and try to commit."""
    pid = scene.catch(job)
    time.sleep(PAST_LEASE_S)
    os.kill(pid, signal.SIGCONT)


def terminate_worker(scene: Scene, job: str, _random: random.Random) -> None:
    """Ask a worker to end while it renders."""
    pid = scene.catch(job)
    os.kill(pid, signal.SIGCONT)
    os.kill(parent_of(pid), signal.SIGTERM)


def double_messages(scene: Scene, job: str, _random: random.Random) -> None:
    """Deliver what waits in the queue twice."""
    with scene.redis() as redis:
        waiting = scene.wait(
            "messages wait", lambda: scene.live_view(job) and redis.lrange(RENDER_QUEUE, 0, -1)
        )
        scene.note(job)
        redis.rpush(RENDER_QUEUE, *waiting)


def lose_messages(scene: Scene, job: str, _random: random.Random) -> None:
    """Take every waiting message away."""
    with scene.redis() as redis:
        scene.note(job)
        scene.wait("a message waits", lambda: scene.live_view(job) and redis.lpop(RENDER_QUEUE))
        while redis.lpop(RENDER_QUEUE):
            pass


def kill_redis(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill Redis; the farm starts it again, from its log of changes."""
    scene.wait_until_rendering(job)
    pid = scene.process("redis")
    scene.note(job)
    kill(pid)


def empty_redis(scene: Scene, job: str, _random: random.Random) -> None:
    """Have Redis forget everything."""
    scene.wait_until_rendering(job)
    with scene.redis() as redis:
        scene.note(job)
        redis.flushall()


def freeze_redis(scene: Scene, job: str, _random: random.Random, seconds: float = 5.0) -> None:
    """Let Redis answer nobody for a while."""
    scene.wait_until_rendering(job)
    pid = scene.process("redis")
    scene.note(job)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def fill_redis(scene: Scene, job: str, _random: random.Random) -> None:
    """Let Redis reach its memory limit: it refuses whatever makes it grow."""
    scene.wait_until_rendering(job)
    with scene.redis() as redis:
        scene.note(job)
        redis.config_set("maxmemory", 1)
        time.sleep(2.0)
        redis.config_set("maxmemory", 0)


def lock_database(scene: Scene, job: str, _random: random.Random) -> None:
    """Hold the database's only write lock for some seconds."""
    scene.wait_until_rendering(job)
    scene.note(job)
    database = sqlite3.connect(scene.farm.home / "farm.db", isolation_level=None, timeout=10)
    database.execute("BEGIN EXCLUSIVE")
    time.sleep(4.0)
    database.execute("COMMIT")
    database.close()


FAULTS = (
    Fault("kill -9 of the process that renders", kill_child, is_told_apart=True),
    Fault("kill -9 of a worker", kill_worker),
    Fault("kill -9 of the launcher, started again", kill_launcher),
    Fault("kill -9 of the reconciler", kill_tasks, is_told_apart=True),
    Fault("a worker frozen past its lease", freeze_worker),
    Fault("SIGTERM to a worker", terminate_worker, is_told_apart=True),
    Fault("messages delivered twice", double_messages),
    Fault("messages lost", lose_messages),
    Fault("kill -9 of Redis", kill_redis),
    Fault("Redis emptied", empty_redis),
    Fault("Redis frozen for 5 s", freeze_redis),
    Fault("Redis full", fill_redis),
    Fault("database locked for 4 s", lock_database),
)
