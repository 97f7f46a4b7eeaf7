"""Whoever opens the service in a browser finds what describes it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs_redis


def test_the_root_leads_to_the_description(http):
    answer = http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    assert "swagger" in http.get("/docs").text
    assert "/api/jobs" in http.get("/openapi.json").json()["paths"]
