"""Signals that end a command, as exceptions; and a way to finish cleaning up in spite of them."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """Raised when the process is asked to end by a signal that is not Ctrl-C."""


def raise_when_asked_to_end() -> None:
    """From now on, SIGTERM and SIGHUP raise `Terminated`, as Ctrl-C raises KeyboardInterrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise)


def ignore_until_exit() -> None:
    """From now on, nothing but SIGKILL interrupts: what follows cleans up, and takes seconds at most."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated(signal.Signals(number).name)
