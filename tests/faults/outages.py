"""Faults that need a farm of their own: on a database that can be stopped, on a disk that can be filled."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.faults.catalogue import Act
from tests.faults.scene import Scene, quick_scene
from tests.postgres import PrivatePostgres, private_postgres

#: The size of a disk that can be filled: a farm's home, and some outputs, fit.
DISK_BYTES = 256 * 2**20

#: A pause and its end must be seen within so many seconds.
SEEN_S = 60.0


class CannotMount(Exception):
    """Raised where no small file system can be had: only root can mount one."""


@contextmanager
def postgres_scene(home: Path) -> Iterator[tuple[Scene, PrivatePostgres]]:
    """Run a quick farm on a PostgreSQL of its own."""
    with private_postgres() as server, quick_scene(home, FARM_DATABASE_URL=server.url) as scene:
        yield scene, server


@contextmanager
def small_disk_scene(folder: Path, *, full: str) -> Iterator[tuple[Scene, Path, Path]]:
    """Run a quick farm whose `full` (its home, or its output) is on a small disk; yield both and that disk.

    Raises:
        CannotMount: there can be no such disk here.
    """
    with ExitStack() as stack:
        disk = stack.enter_context(_mounted(folder / "disk"))
        places = {"home": folder / "home", "output": folder / "out"} | {full: disk / full}
        places["output"].mkdir()
        yield stack.enter_context(quick_scene(places["home"])), places["output"], disk


def stop_database(server: PrivatePostgres, away_s: float) -> Act:
    """Return the fault of a database that is stopped, and started `away_s` later."""

    def act(scene: Scene, job: str, _random: random.Random) -> None:
        server.stop()
        scene.gate.open()
        time.sleep(away_s)
        server.start()

    return act


def fill_disk(disk: Path) -> Act:
    """Return the fault of a disk that is full until its job has paused and said so."""

    def act(scene: Scene, job: str, _random: random.Random) -> None:
        _fill(disk)
        scene.gate.open()
        scene.wait("it pauses", lambda: scene.view(job)["state"] == "paused", SEEN_S)
        reason = scene.view(job)["pause"]["reason"]
        assert str(disk) in reason
        assert "is full" in reason
        (disk / "ballast").unlink()
        scene.wait("it goes on", lambda: scene.view(job)["state"] != "paused", SEEN_S)

    return act


def _fill(place: Path) -> None:
    """Leave no block free."""
    with (place / "ballast").open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@contextmanager
def _mounted(place: Path) -> Iterator[Path]:
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", place]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        raise CannotMount("only root can mount a small file system here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)
