"""Stand-ins that behave, for what tests must not wait for."""

from __future__ import annotations

import threading


class FakeClock:
    """A clock that moves only when somebody sleeps on it. Safe to share between threads."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self._mutex = threading.Lock()
        self._now_s = now_s

    def now_s(self) -> float:
        with self._mutex:
            return self._now_s

    def sleep(self, seconds: float) -> None:
        with self._mutex:
            self._now_s += seconds
