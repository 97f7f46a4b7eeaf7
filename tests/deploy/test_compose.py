"""Every command of docker-compose.yml, run by hand: the farm that they make renders a job."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from tests.postgres import running_postgres
from tests.services import find_redis

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SECRETS = {
    "FARM_REDIS_PASSWORD": "redis-secret",
    "FARM_DATABASE_PASSWORD": "database-secret",
    "FARM_API_TOKEN": "api-secret",
    "FARM_FLOWER_PASSWORD": "flower-secret",
    "FARM_MEDIA": "/srv/media",
}
BUILT = {"api", "tasks", "worker-cpu", "worker-gpu", "flower"}

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_postgres, pytest.mark.needs_ffmpeg]


def test_services_are_those_that_the_runbook_names():
    assert set(COMPOSE["services"]) == BUILT | {"redis", "postgres"}


def test_only_loopback_is_published():
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_dockerfiles_install_what_their_service_imports():
    """Each image copies its own packages, and installs the extra that mirrors them."""
    farm = (ROOT / "deploy/farm.Dockerfile").read_text()
    worker = (ROOT / "deploy/worker.Dockerfile").read_text()
    assert "COPY farm farm" in farm and ".[farm]" in farm and "workers" not in farm
    assert "COPY workers workers" in worker and ".[worker]" in worker and "COPY farm" not in worker


def test_missing_secrets_stop_compose():
    """Each password is required: there is no default that everybody knows."""
    text = (ROOT / "docker-compose.yml").read_text()
    for name in SECRETS:
        if name != "FARM_MEDIA":
            assert f"${{{name}:?" in text


@pytest.mark.timeout(180)
def test_the_commands_make_a_farm_that_renders(tmp_path):
    with ExitStack() as stack:
        ports = {name: free_port() for name in ("redis", "api", "flower")}
        where = {
            "redis:6379": f"127.0.0.1:{ports['redis']}",
            "8787": str(ports["api"]),
            "5555": str(ports["flower"]),
        }
        database = stack.enter_context(running_postgres())
        redis = [
            find_redis(),
            *command("redis", where)[1:],
            "--port",
            str(ports["redis"]),
            "--bind",
            "127.0.0.1",
        ]
        stack.enter_context(running(redis, {}, tmp_path, "redis"))
        for name in ("api", "tasks", "worker-cpu", "worker-gpu", "flower"):
            env = environment(name, where, home=tmp_path / "home", database=database)
            stack.enter_context(running(command(name, where), env, tmp_path, name))
        (tmp_path / "home").mkdir()
        user = {
            "FARM_URL": f"http://127.0.0.1:{ports['api']}",
            "FARM_API_TOKEN": SECRETS["FARM_API_TOKEN"],
            "FARM_HOME": str(tmp_path / "user"),
        }
        wait_for(f"{user['FARM_URL']}/api/health")
        result = submit(make_clip(tmp_path), tmp_path / "out.mkv", user)
        assert result["state"] == "done", result
        assert result["frames"] == 48
        check_flower(f"http://127.0.0.1:{ports['flower']}")


def command(service: str, where: dict[str, str]) -> list[str]:
    words = [fill(word, where) for word in COMPOSE["services"][service]["command"]]
    words = ["127.0.0.1" if word == "0.0.0.0" else word for word in words]
    words = [word.replace("0.0.0.0", "127.0.0.1") for word in words]
    if words[0] == "python":
        return [sys.executable, *words[1:]]
    if words[0] in {"celery", "uvicorn"}:
        return [sys.executable, "-m", *words]
    return words


def environment(service: str, where: dict[str, str], *, home: Path, database: str) -> dict[str, str]:
    given = COMPOSE["services"][service]["environment"]
    filled = {name: fill(value, where) for name, value in given.items()}
    if "FARM_HOME" in filled:
        # The database's host and port are the container's; its kind and driver stay as they are.
        assert filled["FARM_DATABASE_URL"].startswith("postgresql://farm:database-secret@postgres:5432/")
        filled |= {"FARM_HOME": str(home), "FARM_DATABASE_URL": database}
    return {**filled, "OMP_NUM_THREADS": "1"}


def fill(text: str, where: dict[str, str]) -> str:
    text = re.sub(r"\$\{(\w+)(?::[?-][^}]*)?\}", lambda match: SECRETS[match[1]], text)
    for old, new in where.items():
        text = text.replace(old, new)
    return text


@contextmanager
def running(words: list[str], env: dict[str, str], folder: Path, name: str):
    log = (folder / f"{name}.log").open("w")
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    env = keep | env | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, env=env, stdout=log, stderr=log, cwd=folder)
    try:
        yield process
        assert process.poll() is None, (folder / f"{name}.log").read_text()
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            assert time.monotonic() < end, f"{url} does not answer"
            time.sleep(0.2)
        else:
            return


def make_clip(folder: Path) -> Path:
    path = folder / "clip.mp4"
    source = "testsrc2=size=160x96:rate=24:duration=2"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-g", "12", path], check=True)
    return path


def submit(clip: Path, output: Path, user: dict[str, str]) -> dict:
    words = [
        "submit",
        str(clip),
        "--engine",
        "passthrough",
        "--lossless",
        "--chunk-seconds",
        "0.5",
        "--wait",
        "--json",
    ]
    answer = subprocess.run(
        [sys.executable, "-m", "farm", *words, "-o", str(output)],
        env={"PATH": os.environ["PATH"], **user},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def check_flower(url: str) -> None:
    """Flower asks for the password, and knows both workers."""
    wait_for(f"{url}/healthcheck")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/api/workers")
    assert refused.value.code == 401
    refused.value.close()
    login = base64.b64encode(f"farm:{SECRETS['FARM_FLOWER_PASSWORD']}".encode()).decode()
    request = urllib.request.Request(
        f"{url}/api/workers?refresh=1", headers={"Authorization": f"Basic {login}"}
    )
    with urllib.request.urlopen(request) as answer:
        assert len(json.load(answer)) >= 2
