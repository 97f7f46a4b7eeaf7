"""Errors as HTTP: one body for all of them, and a status for each kind."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError

from broker.errors import BrokerError, BrokerUnreachable
from farm.api.deps import TokenRefused
from farm.errors import BadInput, FarmError, FarmUnreachable, JobNotFound, ServiceMissing, StaleTransition
from farm.schemas import ErrorView

#: The first class that fits decides; anything else is the farm's own fault.
STATUS: tuple[tuple[type[Exception], int], ...] = (
    (BadInput, 422),
    (JobNotFound, 404),
    (StaleTransition, 409),
    (TokenRefused, 401),
    (FarmUnreachable, 503),
    (ServiceMissing, 503),
    (BrokerUnreachable, 503),
)
INTERNAL = 500


class ErrorBody(BaseModel):
    """The form of every error."""

    error: ErrorView


def add_error_handlers(app: FastAPI) -> None:
    """Make every foreseeable error answer with `{"error": {code, message, hint}}`."""
    app.add_exception_handler(FarmError, _answer)
    app.add_exception_handler(BrokerError, _answer)
    app.add_exception_handler(OperationalError, _answer)
    app.add_exception_handler(RequestValidationError, _answer)


def _answer(_: Request, error: Exception) -> JSONResponse:
    status, view = _describe(error)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, TokenRefused) else None
    return JSONResponse(ErrorBody(error=view).model_dump(), status_code=status, headers=headers)


def _describe(error: Exception) -> tuple[int, ErrorView]:
    if isinstance(error, RequestValidationError):
        return 422, ErrorView(
            code="bad-request", message=_first_complaint(error), hint="/docs describes the fields"
        )
    if isinstance(error, OperationalError):
        text = str(error).splitlines()[0]
        return 503, ErrorView(code="database-unreachable", message=text, hint="is the database running?")
    status = next((status for kind, status in STATUS if isinstance(error, kind)), INTERNAL)
    if isinstance(error, FarmError):
        return status, ErrorView(code=error.code, message=error.message, hint=error.hint)
    code = "redis-unreachable" if isinstance(error, BrokerUnreachable) else "broker-error"
    return status, ErrorView(code=code, message=str(error), hint="is Redis running?")


def _first_complaint(error: RequestValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    return f"{place}: {first['msg']}" if place else str(first["msg"])
