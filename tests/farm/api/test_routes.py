"""The API's routes, through its own client: what goes in, what comes out, which errors."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from broker.heartbeats import WorkerBeat
from farm.api.app import create_app
from farm.client import FarmClient
from farm.errors import (
    BadInput,
    FarmUnreachable,
    JobNotFound,
    NotAVideo,
    OutputRefused,
    StaleTransition,
)
from farm.requests import JobRequest
from farm.states import JobState
from tests.farm.api.asgi import AppTransport
from tests.farm.rows import a_job, some_chunks

pytestmark = pytest.mark.needs_redis

AUTHORISED = {"Authorization": "Bearer open-sesame"}


def test_a_job_is_accepted_listed_and_shown(client, farm, clip, tmp_path):
    request = JobRequest(input=str(clip), output=str(tmp_path / "out.mp4"), engine="passthrough")
    view = client.submit(request)
    assert view.state == JobState.SUBMITTED
    assert (str(clip), str(tmp_path / "out.mp4")) == (view.input, view.output)
    assert [view.job] == [listed.job for listed in client.jobs()]
    assert view.job == client.job(view.job).job
    assert view.job == farm.store.job(view.job).id


def test_bad_input_comes_back_as_what_it_was_and_leaves_no_job(client, farm, tmp_path):
    words = tmp_path / "words.mp4"
    words.write_text("not a video")
    with pytest.raises(NotAVideo) as caught:
        client.submit(JobRequest(input=str(words), output=str(tmp_path / "o.mp4"), engine="passthrough"))
    assert caught.value.hint
    assert farm.store.jobs() == []


def test_each_class_of_error_survives_the_way(client, clip, tmp_path):
    missing = str(tmp_path / "none" / "out.mp4")
    with pytest.raises(OutputRefused):
        client.submit(JobRequest(input=str(clip), output=missing, engine="passthrough"))
    with pytest.raises(BadInput, match="not absolute"):
        client.submit(JobRequest(input="clip.mp4", output=missing, engine="passthrough"))
    for ask in (client.job, client.chunks, client.cancel):
        with pytest.raises(JobNotFound):
            ask("no/such job?")


def test_a_request_that_does_not_fit_the_schema_names_the_field(http):
    answer = http.post("/api/jobs", json={"input": "/a", "outputs": "/b"}, headers=AUTHORISED)
    assert answer.status_code == 422
    assert {"code", "message", "hint"} == set(answer.json()["error"])
    assert "output" in answer.json()["error"]["message"]
    assert http.get("/api/jobs?limit=0", headers=AUTHORISED).status_code == 422


def test_a_submitted_job_answers_with_201(http, clip, tmp_path):
    body = {"input": str(clip), "output": str(tmp_path / "o.mp4"), "engine": "passthrough"}
    assert http.post("/api/jobs", json=body, headers=AUTHORISED).status_code == 201


def test_canceling_ends_a_job_once(client, farm):
    farm.store.add_job(a_job("j1"))
    assert client.cancel("j1").state == JobState.CANCELED
    with pytest.raises(StaleTransition):
        client.cancel("j1")


def test_a_job_is_steered_through_the_client(client, farm):
    """Pause, resume, priority, retry: each answers with the job as it is then, or refuses."""
    farm.store.add_job(a_job("j1"))
    paused = client.pause("j1")
    assert (paused.state, paused.pause.code) == (JobState.PAUSED, "asked")
    with pytest.raises(StaleTransition):
        client.retry("j1")
    resumed = client.resume("j1")
    assert (resumed.state, resumed.pause) == (JobState.SUBMITTED, None)
    assert client.prioritise("j1", 4).priority == 4
    with pytest.raises(BadInput):
        client.prioritise("j1", 1000)
    farm.store.move_job(
        "j1", JobState.SUBMITTED, JobState.FAILED, came_from="submitted", error_code="x", error_message="y"
    )
    assert client.job("j1").can_retry
    again = client.retry("j1")
    assert (again.state, again.error) == (JobState.SUBMITTED, None)


def test_a_job_is_deleted_only_when_it_has_ended_or_by_force(client, farm):
    farm.store.add_job(a_job("j1"))
    with pytest.raises(StaleTransition):
        client.delete("j1")
    assert not client.delete("j1", dry_run=True, force=True).is_done
    assert client.delete("j1", force=True).rows["job"] == 1
    with pytest.raises(JobNotFound):
        client.job("j1")


def test_a_check_answers_without_a_worker_and_leaves_no_job(client, farm, clip, tmp_path):
    """It says what it could not look at, and that nothing was measured yet."""
    view = client.check(
        JobRequest(input=str(clip), output=str(tmp_path / "o.mp4"), engine="passthrough", chunk_seconds=0.5)
    )
    assert (view.ok, view.frames, view.chunks, view.workers) == (True, 50, 4, 0)
    assert (view.render_s, view.measured_jobs, view.faces) == (None, 0, None)
    assert any("no worker is up" in note for note in view.notes)
    assert any("no measurement yet" in note for note in view.notes)
    assert farm.store.jobs() == []


def test_chunks_are_listed_in_order(client, farm):
    farm.store.add_job(a_job("j1"))
    farm.store.replace_chunks("j1", some_chunks("j1", 3))
    assert [(chunk.start, chunk.end) for chunk in client.chunks("j1")] == [(0, 10), (10, 20), (20, 30)]


def test_workers_that_live_are_listed_by_name(client, farm):
    for name in ("zoe", "adam"):
        farm.broker.heartbeats.beat(
            WorkerBeat(
                worker=name,
                host="h",
                pid=1,
                device="cpu",
                engines=("passthrough",),
                state="ready",
                job_id=None,
                index=None,
                fps=None,
                started_at=1.0,
                version="1",
                memory_bytes=3 * 2**30,
                memory_moves=7,
            )
        )
    assert [worker.worker for worker in client.workers()] == ["adam", "zoe"]
    assert {(worker.memory_bytes, worker.memory_moves) for worker in client.workers()} == {(3 * 2**30, 7)}
    assert client.health().workers == 2


@pytest.mark.parametrize("token", ["", "wrong", "öpen"])
def test_without_the_token_nothing_but_health_answers(http, token):
    headers = {"Authorization": f"Bearer {token}".encode()} if token else {}
    for method, path in (("GET", "/api/jobs"), ("GET", "/api/workers"), ("POST", "/api/jobs/x/cancel")):
        answer = http.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "token-refused"
    assert http.get("/api/health").status_code == 200


def test_a_wrong_token_is_told_as_a_farm_out_of_reach(transport):
    with (
        FarmClient("http://127.0.0.1:8787", "wrong", transport=transport) as client,
        pytest.raises(FarmUnreachable, match="token"),
    ):
        client.jobs()


def test_a_page_from_elsewhere_cannot_pass_for_ours(http):
    assert http.get("/api/health", headers={"Host": "evil.example"}).status_code == 400
    assert http.get("/api/health", headers={"Host": "localhost:8787"}).status_code == 200


def test_a_redis_that_has_gone_is_told_and_status_still_answers(unreachable_farm):
    unreachable_farm.store.add_job(a_job("j1", state="rendering", stage="rendering", num_frames=10))
    transport = AppTransport(create_app(unreachable_farm))
    with FarmClient("http://127.0.0.1:8787", "open-sesame", transport=transport) as client:
        with pytest.raises(FarmUnreachable):
            client.workers()
        assert client.health().redis != "ok"
        view = client.job("j1")
    assert (view.state, view.frames) == (JobState.RENDERING, 10)
    assert view.stage != "rendering"


def test_a_database_that_has_gone_is_told(client, farm):
    with farm.store._engine.begin() as connection:
        connection.execute(text("DROP TABLE chunk"))
        connection.execute(text("DROP TABLE event"))
        connection.execute(text("DROP TABLE job"))
    with pytest.raises(FarmUnreachable) as caught:
        client.jobs()
    assert caught.value.code == "database-unreachable"


def test_the_routes_are_described(http):
    paths = http.get("/openapi.json").json()["paths"]
    assert {
        "/api/jobs",
        "/api/jobs/{job_id}",
        "/api/jobs/{job_id}/chunks",
        "/api/jobs/{job_id}/cancel",
        "/api/jobs/{job_id}/pause",
        "/api/jobs/{job_id}/resume",
        "/api/jobs/{job_id}/retry",
        "/api/jobs/{job_id}/priority",
        "/api/jobs/{job_id}/unblock",
        "/api/jobs/check",
        "/api/workers",
        "/api/health",
    } == set(paths)
    assert "404" in paths["/api/jobs/{job_id}"]["get"]["responses"]
