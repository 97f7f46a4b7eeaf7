"""Ports on the loopback interface."""

from __future__ import annotations

import socket

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


def free_port(wish: int) -> int:
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
