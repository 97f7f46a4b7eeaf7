"""What every route needs: the farm, and proof that the caller may use it."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from farm.bootstrap import Farm
from farm.errors import FarmError

_bearer = HTTPBearer(auto_error=False, description="The farm's token, from its farm.json or FARM_API_TOKEN.")


class TokenRefused(FarmError):
    """Raised when a caller names no token, or a wrong one (401)."""

    code = "token-refused"


def get_farm(request: Request) -> Farm:
    """Return the application's farm."""
    farm = request.app.state.farm
    assert isinstance(farm, Farm)
    return farm


FarmDep = Annotated[Farm, Depends(get_farm)]


def check_token(
    farm: FarmDep, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Let the caller in if the farm asks for no token, or this is the one.

    Raises:
        TokenRefused: it is not.
    """
    wanted = farm.config.api_token
    if not wanted:
        return
    # Bytes: compare_digest takes no text beyond ASCII, and a caller may send any.
    if given is None or not secrets.compare_digest(given.credentials.encode(), wanted.encode()):
        raise TokenRefused(
            "the farm's token is missing or wrong", hint="take it from farm.json in the farm's home"
        )
