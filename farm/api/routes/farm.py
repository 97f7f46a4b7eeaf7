"""The farm itself over HTTP: its workers and its health."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from farm.api.deps import FarmDep, check_token
from farm.schemas import FarmView, WorkerView
from farm.views import farm_view, worker_views

router = APIRouter(prefix="/api", tags=["farm"])


@router.get("/workers", dependencies=[Depends(check_token)])
def list_workers(farm: FarmDep) -> list[WorkerView]:
    """Return the workers that live, by name."""
    return worker_views(farm)


@router.get("/health")
def show_health(farm: FarmDep) -> FarmView:
    """Say how the farm's parts are. Needs no token, and names nothing that is secret."""
    return farm_view(farm)
