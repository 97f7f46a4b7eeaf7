"""Ports on the loopback interface."""

from __future__ import annotations

import socket
from collections.abc import Callable

from farm.errors import BadInput

#: Where the API and Flower may listen: whoever reaches them may read any file of the farm's user.
LOOPBACK = ("127.0.0.1", "localhost")

#: Connections that may wait for the API to start, or to be restarted.
BACKLOG = 64


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes any that is free.

    Raises:
        BadInput: the host is not loopback, or somebody else listens there.
    """
    if host not in LOOPBACK:
        raise BadInput(f"FARM_API_HOST={host}: the API listens on loopback only", hint="unset FARM_API_HOST")
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise BadInput(
            f"port {port} is taken ({error.strerror})",
            hint="set FARM_API_PORT to another, or to 0 for any free one",
            code="port-taken",
        ) from error


def flower_port(wish: int, *, is_chosen: bool, say: Callable[[str], None]) -> int:
    """Return a port for Flower; 0 wishes for any that is free.

    Args:
        wish: where it should listen.
        is_chosen: whether somebody asked for this very port; if not, another will do.
        say: told that another is taken.

    Raises:
        BadInput: the chosen port is taken.
    """
    port = _free_port(wish)
    if wish not in {0, port}:
        if is_chosen:
            raise BadInput(
                f"port {wish} is taken (FARM_FLOWER_PORT)",
                hint="set FARM_FLOWER_PORT to another, or to 0 for any free one",
                code="port-taken",
            )
        say(f"port {wish} is taken: Flower listens on {port} this time")
    return port


def _free_port(wish: int) -> int:
    """Return `wish` if nobody listens there, else some port that is free now."""
    for port in (wish, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK[0], port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise BadInput("no port is free on the loopback interface", hint="stop some servers")
