"""The Celery application's settings, as they meet a real Redis and a real worker."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import broker.app
from broker.app import make_app
from broker.clock import SystemClock
from broker.config import BrokerConfig
from broker.errors import BrokerUnreachable
from broker.messages import CheckSource, EncodeSpec, FuseSpec, RenderChunk
from broker.publish import Publisher
from broker.queues import FARM, RENDER
from tests.services import PrivateRedis, running_redis

FUSE = FuseSpec(engine="passthrough")
CHUNK = RenderChunk(
    job_id="j",
    index=7,
    attempt=2,
    start=840,
    end=960,
    fuse=FUSE,
    encode=EncodeSpec(codec="ffv1", pix_fmt="yuv420p"),
)

#: A module of tasks as farm and workers have them: it says in which process it ran, and of what parent.
TASKS = """
import json, os
from broker.app import app
from broker.config import BrokerConfig
from broker.connect import connect
from broker.queues import TaskName

@app.task(name=TaskName.RENDER_CHUNK)
def render_chunk(message):
    said = {"message": message, "pid": os.getpid(), "parent": os.getppid(), "name": app.conf.broker_url}
    connect(BrokerConfig.from_environment()).rpush("said", json.dumps(said))
"""


@pytest.mark.needs_redis
def test_a_message_is_json_and_carries_names_only(broker_config, redis_server):
    """What lies in the queue can be read without this program, and is small."""
    Publisher(make_app(broker_config)).render_chunk(CHUNK)
    with redis_server.client() as client:
        (text,) = client.lrange("farm:celery:render", 0, -1)
    envelope = json.loads(text)
    assert envelope["content-type"] == "application/json"
    assert envelope["headers"]["task"] == "workers.render_chunk"
    assert envelope["headers"]["ignore_result"] is True
    arguments, keywords, _ = json.loads(base64.b64decode(envelope["body"]))
    assert ([json.loads(json.dumps(CHUNK.to_json()))], {}) == (arguments, keywords)
    assert len(text) < 4096


@pytest.mark.needs_redis
def test_each_message_waits_in_its_queue(broker_config):
    """Workers' tasks in one queue, the farm's in the other, and both can be counted."""
    publisher = Publisher(make_app(broker_config))
    assert (publisher.queue_length(RENDER), publisher.queue_length(FARM)) == (0, 0)
    publisher.render_chunk(CHUNK)
    publisher.check_source(CheckSource(job_id="j", fuse=FUSE))
    publisher.advance("j1")
    publisher.advance("j")
    publisher.advance("j")
    assert (publisher.queue_length(RENDER), publisher.queue_length(FARM)) == (2, 3)


@pytest.mark.needs_redis
def test_everything_in_redis_is_under_the_namespace(redis_server):
    """Several farms, or other programs, can share a Redis."""
    redis_server.flush()
    publisher = Publisher(make_app(BrokerConfig(redis_url=redis_server.url, namespace="studio")))
    publisher.render_chunk(CHUNK)
    with redis_server.client() as client:
        assert client.llen("studio:celery:render") == 1
        assert [key for key in client.keys("*") if not key.startswith(b"studio:celery:")] == []


def test_an_absent_redis_is_unreachable(tmp_path):
    """Publishing and counting give up soon, and with the farm's own error."""
    publisher = Publisher(make_app(BrokerConfig(redis_url=f"unix://{tmp_path}/nobody.sock")))
    clock = SystemClock()
    started_s = clock.now_s()
    for call in (lambda: publisher.advance("j"), lambda: publisher.queue_length(RENDER)):
        with pytest.raises(BrokerUnreachable):
            call()
    assert clock.now_s() - started_s < 20.0


def test_the_settings_hold_what_the_design_rests_on():
    """Early acknowledgement, no hoarding, JSON, spawn, no results, endless reconnection, events."""
    conf = make_app(BrokerConfig(redis_url="redis://example:1/2", visibility_timeout_s=33.0)).conf
    assert conf.broker_url == "redis://example:1/2"
    assert conf.broker_transport_options["visibility_timeout"] == 33.0
    assert (conf.task_acks_late, conf.worker_prefetch_multiplier, conf.worker_disable_prefetch) == (
        False,
        1,
        True,
    )
    assert (conf.task_serializer, conf.accept_content) == ("json", ["json"])
    assert (conf.worker_pool, conf.worker_pool_start_method) == ("prefork", "spawn")
    assert (conf.task_ignore_result, conf.result_backend) == (True, None)
    assert (conf.broker_connection_max_retries, conf.broker_connection_retry_on_startup) == (None, True)
    assert (conf.worker_send_task_events, conf.task_send_sent_event) == (True, True)


def test_a_unix_socket_has_another_scheme_in_celery():
    """The database of the URL is kept."""
    urls = {
        "unix:///run/r.sock": "redis+socket:///run/r.sock?virtual_host=0",
        "unix:///run/r.sock?db=3": "redis+socket:///run/r.sock?virtual_host=3",
    }
    assert urls == {url: make_app(BrokerConfig(redis_url=url)).conf.broker_url for url in urls}


def test_the_module_has_one_application_and_nothing_made_up():
    """`celery -A` finds it; another name is an error as in any module."""
    assert broker.app.app is broker.app.app
    with pytest.raises(AttributeError, match="ap"):
        broker.app.ap  # noqa: B018


@pytest.mark.needs_redis
def test_a_real_worker_gets_each_chunk_once_in_a_spawned_child(tmp_path, redis_url, redis_server):
    """The settings reach a worker's child process, and an acknowledged message leaves nothing behind."""
    (tmp_path / "some_tasks.py").write_text(TASKS)
    publisher = Publisher(make_app(BrokerConfig(redis_url=redis_url)))
    with running_worker(tmp_path, redis_url) as worker:
        for index in range(3):
            publisher.render_chunk(dataclasses.replace(CHUNK, index=index))
        said = [_said(redis_server) for _ in range(3)]
        with redis_server.client() as client:
            left = {
                key for key in client.keys("farm:celery:*") if b"unacked" in key or key.endswith(b":render")
            }
    assert [RenderChunk.from_json(one["message"]).index for one in said] == [0, 1, 2]
    assert {one["parent"] for one in said} == {worker.pid}
    assert {one["name"] for one in said} == {
        f"redis+socket://{redis_url.removeprefix('unix://')}?virtual_host=0"
    }
    assert left == set()


@pytest.mark.needs_redis
def test_a_worker_goes_on_with_a_restarted_redis(tmp_path):
    """It connects again by itself and consumes what is published from then on."""
    (tmp_path / "some_tasks.py").write_text(TASKS)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as worker:
        socket = Path(directory) / "redis.sock"
        url = f"unix://{socket}"
        publisher = Publisher(make_app(BrokerConfig(redis_url=url)))
        for index in range(2):
            with running_redis(socket=socket) as server:
                if index == 0:
                    worker.enter_context(running_worker(tmp_path, url))
                publisher.render_chunk(dataclasses.replace(CHUNK, index=index))
                assert RenderChunk.from_json(_said(server)["message"]).index == index
                if index == 1:
                    worker.close()


@contextmanager
def running_worker(directory: Path, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a Celery worker on the module in `directory`; stop it at the end of the block."""
    root = Path(__file__).parents[2]
    environment = os.environ | {"FARM_REDIS_URL": redis_url, "PYTHONPATH": f"{directory}{os.pathsep}{root}"}
    command = [sys.executable, "-m", "celery", "-A", "some_tasks", "worker", "-Q", RENDER, "-c", "1"]
    command += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    process = subprocess.Popen(command, env=environment, cwd=directory)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _said(server: PrivateRedis) -> dict[str, Any]:
    with server.client() as client:
        answer = client.blpop("said", timeout=60)
    assert answer is not None, "the worker said nothing within a minute"
    fields: dict[str, Any] = json.loads(answer[1])
    return fields
