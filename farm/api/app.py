"""The HTTP service: `uvicorn --factory farm.api.app:create_app`. Loopback only."""

from __future__ import annotations

import importlib.metadata

from fastapi import Depends, FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import RedirectResponse

from broker.config import BrokerConfig
from farm.api.deps import check_token
from farm.api.errors import add_error_handlers
from farm.api.routes import farm as farm_routes
from farm.api.routes import jobs as job_routes
from farm.api.routes import steering as steering_routes
from farm.bootstrap import Farm, open_farm
from farm.config import FarmConfig

DESCRIPTION = """Submit videos, watch them being rendered, pause, retry, cancel and delete them.

Every call but `/api/health` needs the farm's token: `Authorization: Bearer …`. Errors have one form:
`{"error": {"code", "message", "hint"}}`, where `code` is stable and `hint` says what would help.
"""

#: Names under which a browser reaches this service. Any other name that leads here is a trick by which a
#: page from elsewhere would pass for ours (DNS rebinding).
HOSTS = ["127.0.0.1", "localhost"]


def create_app(farm: Farm | None = None) -> FastAPI:
    """Build the service, on `farm` or on the one that the environment describes."""
    app = FastAPI(
        title="Face-fusion render farm",
        version=importlib.metadata.version("face-fusion-farm"),
        description=DESCRIPTION,
    )
    app.state.farm = farm or open_farm(FarmConfig.from_environment(), BrokerConfig.from_environment())
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    app.include_router(job_routes.router, dependencies=[Depends(check_token)])
    app.include_router(steering_routes.router, dependencies=[Depends(check_token)])
    app.include_router(farm_routes.router)
    app.add_api_route("/", _to_docs, include_in_schema=False)
    add_error_handlers(app)
    return app


def _to_docs() -> RedirectResponse:
    """Send whoever opens the service in a browser to what describes it."""
    return RedirectResponse("/docs")
