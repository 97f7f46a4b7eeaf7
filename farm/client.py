"""A running farm, as seen through its HTTP service."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from farm.errors import BadInput, FarmError, FarmUnreachable, JobNotFound, StaleTransition
from farm.requests import JobRequest
from farm.schemas import CheckView, ChunkView, DeletionView, FarmView, JobView, WorkerView

T = TypeVar("T", bound=BaseModel)

#: What a job's id may look like, whatever made it.
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: What an error is, by its status, where its code names no class of ours: "no-face" is bad input.
KIND_BY_STATUS: dict[int, type[FarmError]] = {
    401: FarmUnreachable,
    404: JobNotFound,
    409: StaleTransition,
    422: BadInput,
    503: FarmUnreachable,
}

#: How long an answer may take, in seconds. Submitting reads the input's header, which on a slow disk takes
#: some seconds; everything else takes milliseconds.
TIMEOUT_S = 30.0

#: How long deleting a job may take, in seconds: ten times what a million chunks took on two cores.
DELETE_S = 600.0


class FarmClient:
    """Speaks to a farm's API.

    Every method raises what the farm raised, as the same class of `farm.errors`, and `FarmUnreachable`
    where none answers.
    """

    def __init__(self, url: str, token: str = "", *, transport: httpx.BaseTransport | None = None) -> None:
        """Make a client; nothing is sent yet.

        Args:
            url: where the farm's API is.
            token: the farm's token; empty, if it asks for none.
            transport: how requests travel, for tests.
        """
        self.url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            # trust_env=False: a proxy from the environment has no business between us and the loopback.
            self._http = httpx.Client(
                base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False, transport=transport
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise FarmUnreachable(f"{url!r} is not a URL: {error}", hint="check FARM_URL") from error

    def submit(self, request: JobRequest) -> JobView:
        """Hand in a job.

        Raises:
            BadInput: its files or options cannot be used.
        """
        return self._one(JobView, "POST", "/api/jobs", json=request.model_dump())

    def job(self, job_id: str) -> JobView:
        """Return a job as it is now.

        Raises:
            JobNotFound: there is none of that id.
        """
        return self._one(JobView, "GET", f"/api/jobs/{_segment(job_id)}")

    def jobs(self, limit: int = 100) -> list[JobView]:
        """Return the newest jobs, newest first."""
        return self._many(JobView, "/api/jobs", limit=limit)

    def chunks(self, job_id: str) -> list[ChunkView]:
        """Return a job's chunks, in order.

        Raises:
            JobNotFound: there is none of that id.
        """
        return self._many(ChunkView, f"/api/jobs/{_segment(job_id)}/chunks")

    def cancel(self, job_id: str) -> JobView:
        """Stop a job.

        Raises:
            JobNotFound: there is none of that id.
            StaleTransition: it has already ended.
        """
        return self._steer(job_id, "cancel")

    def pause(self, job_id: str) -> JobView:
        """Hold a job; raises as `cancel`, and if it is paused already."""
        return self._steer(job_id, "pause")

    def resume(self, job_id: str) -> JobView:
        """Let a paused job go on; raises as `cancel`, and if it is not paused."""
        return self._steer(job_id, "resume")

    def retry(self, job_id: str, *, replan: bool = False) -> JobView:
        """Take up a failed job, or begin it anew; raises as `cancel`, and if it cannot be taken up."""
        return self._steer(job_id, "retry", params={"replan": replan})

    def unblock(self, job_id: str, worker: str) -> JobView:
        """Let a worker have the job's chunks again; raises as `cancel`, and if it is not blocked."""
        return self._steer(job_id, "unblock", json={"worker": worker})

    def prioritise(self, job_id: str, priority: int) -> JobView:
        """Set a job's priority; raises as `cancel`."""
        return self._steer(job_id, "priority", json={"priority": priority})

    def delete(
        self, job_id: str, *, dry_run: bool = False, force: bool = False, with_output: bool = False
    ) -> DeletionView:
        """Delete a job, or say what would go.

        Raises:
            JobNotFound: there is none of that id.
            StaleTransition: it has not ended, and `force` is false.
        """
        params = {"dry_run": dry_run, "force": force, "output": with_output}
        # Rows go in small steps, so that jobs under way are not held up: a million chunks take a minute.
        path = f"/api/jobs/{_segment(job_id)}"
        path = f"/api/jobs/{_segment(job_id)}"
        return self._one(DeletionView, "DELETE", path, params=params, timeout=DELETE_S)

    def check(self, request: JobRequest) -> CheckView:
        """Ask what a job would take, and what speaks against it.

        Raises:
            BadInput: its files or options cannot be used at all.
        """
        return self._one(CheckView, "POST", "/api/jobs/check", json=request.model_dump())

    def workers(self) -> list[WorkerView]:
        """Return the workers that live."""
        return self._many(WorkerView, "/api/workers")

    def health(self, *, timeout_s: float = TIMEOUT_S) -> FarmView:
        """Return the farm's health; asks for no token."""
        return self._one(FarmView, "GET", "/api/health", timeout=timeout_s)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _steer(self, job_id: str, verb: str, **request: Any) -> JobView:
        return self._one(JobView, "POST", f"/api/jobs/{_segment(job_id)}/{verb}", **request)

    def _one(self, kind: type[T], method: str, path: str, **request: Any) -> T:
        try:
            return kind.model_validate_json(self._send(method, path, **request))
        except ValidationError as error:
            raise self._not_a_farm() from error

    def _many(self, kind: type[T], path: str, **params: int) -> list[T]:
        try:
            return TypeAdapter(list[kind]).validate_json(self._send("GET", path, params=params))  # type: ignore[valid-type]
        except ValidationError as error:
            raise self._not_a_farm() from error

    def _send(self, method: str, path: str, **request: Any) -> bytes:
        try:
            response = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise FarmUnreachable(
                f"no farm answers at {self.url} ({str(error) or type(error).__name__})",
                hint="start one with `farm up`, or set FARM_URL to where it is",
            ) from error
        if response.is_success:
            return response.content
        raise _error(response, self._not_a_farm())

    def _not_a_farm(self) -> FarmError:
        return FarmUnreachable(
            f"what answers at {self.url} is not a farm of this version", hint="check FARM_URL"
        )


def _segment(job_id: str) -> str:
    """Return an id as part of a path; one with a slash, or none at all, would name another route."""
    if not ID.fullmatch(job_id):
        raise JobNotFound(f"no job {job_id!r}", hint="`farm list` shows the jobs there are")
    return job_id


def _error(response: httpx.Response, fallback: FarmError) -> FarmError:
    try:
        fields = response.json()["error"]
        code, message, hint = str(fields["code"]), str(fields["message"]), str(fields["hint"])
    except (ValueError, KeyError, TypeError):
        return fallback
    kind = _kinds().get(code) or KIND_BY_STATUS.get(response.status_code, FarmError)
    return kind(message, hint=hint, code=code)


def _kinds() -> dict[str, type[FarmError]]:
    kinds: dict[str, type[FarmError]] = {}
    waiting = [FarmError]
    while waiting:
        kind = waiting.pop()
        if kind.__module__ == FarmError.__module__:  # others are details of the service
            kinds[kind.code] = kind
        waiting += kind.__subclasses__()
    return kinds
