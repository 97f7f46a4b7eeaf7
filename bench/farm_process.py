"""A real farm for a benchmark: `farm up` in a home of its own, and the command line against it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FARM = [sys.executable, "-m", "farm"]


@dataclass(frozen=True)
class RunningFarm:
    home: Path
    environment: dict[str, str]

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `farm ARGUMENTS` against this farm."""
        return subprocess.run(
            [*FARM, *arguments], env=self.environment, capture_output=True, text=True, check=check
        )

    def render(self, *arguments: str) -> dict[str, Any]:
        """Render, and return the result of `--json`."""
        answer = self.command("render", *arguments, "--json", check=False)
        if answer.returncode != 0:
            raise RuntimeError(f"farm render {arguments}: {answer.stdout}{answer.stderr}")
        return json.loads(answer.stdout)

    def address(self) -> tuple[str, str]:
        """Return the API's URL and token."""
        body = json.loads((self.home / "farm.json").read_text())
        return body["url"], body["token"]

    def redis_url(self) -> str:
        return json.loads((self.home / "farm.json").read_text())["redis_url"]


@contextmanager
def running_farm(
    home: Path, *options: str, timeout_s: float = 60.0, **environment: str
) -> Iterator[RunningFarm]:
    """Start `farm up`, wait until its workers are ready, and stop it at the end."""
    env = {**os.environ, "FARM_HOME": str(home), "FARM_API_PORT": str(_free_port()), **environment}
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.log").open("w") as log:
        process = subprocess.Popen([*FARM, "up", "--no-flower", *options], env=env, stdout=log, stderr=log)
    farm = RunningFarm(home, env)
    try:
        _wait_until_ready(farm, process, timeout_s)
        yield farm
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_ready(farm: RunningFarm, process: subprocess.Popen[bytes], timeout_s: float) -> None:
    import httpx

    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError((farm.home / "up.log").read_text())
        try:
            body = json.loads((farm.home / "farm.json").read_text())
            headers = {"Authorization": f"Bearer {body['token']}"}
            workers = httpx.get(f"{body['url']}/api/workers", headers=headers).json()
            if workers and all(worker["state"] == "ready" for worker in workers):
                return
        except (OSError, ValueError, KeyError, httpx.HTTPError):
            pass
        time.sleep(0.1)
    raise RuntimeError(f"no worker is ready after {timeout_s} s: {(farm.home / 'up.log').read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
