"""Rows, leases and heartbeats, put together as users see them."""

from __future__ import annotations

from farm.views.farm import farm_view, worker_views
from farm.views.jobs import chunk_views, job_view, job_views

__all__ = ["chunk_views", "farm_view", "job_view", "job_views", "worker_views"]
