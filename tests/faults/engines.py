"""An engine that fails as a test tells it to: in a real worker, on chosen frames."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from broker.messages import FuseSpec
from workers.frames import Frame
from workers.swappers.contract import Source
from workers.swappers.passthrough import Passthrough


class Trial(Passthrough):
    """Passes frames through, but for the misfortunes that the file in $TRIAL names.

    The file holds a JSON list of [what, first frame, end frame, names of workers or null for all].
    """

    name = "trial"

    def run(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        me = os.environ["FARM_WORKER_NAME"]
        for frame in super().run(frames, source, fuse):
            for what, start, end, workers in json.loads(Path(os.environ["TRIAL"]).read_text()):
                if start <= frame.index < end and (workers is None or me in workers):
                    struck(Path(os.environ["TRIAL"])).write_text(me)
                    MISFORTUNES[what]()
            yield frame


class Weighty(Trial):
    """Has other weights on every worker."""

    name = "weighty"

    def models(self, fuse: FuseSpec) -> dict[str, str]:
        return {"weighty-net": hashlib.sha256(os.environ["FARM_WORKER_NAME"].encode()).hexdigest()}


def struck(orders: Path) -> Path:
    """Return the file that names the last worker on which something failed."""
    return orders.with_suffix(".struck")


def _raise() -> None:
    raise RuntimeError("this frame cannot be rendered here")


def _slow() -> None:
    time.sleep(0.1)


def _run_out() -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def _lose() -> None:
    import torch

    raise torch.AcceleratorError("CUDA error: unspecified launch failure")


def _hang() -> None:
    """Wait for ever, as a driver's call would, with the interpreter's lock let go of."""
    time.sleep(10**6)


def _seize() -> None:
    """Wait for ever, as a careless extension would, with the interpreter's lock held."""
    ctypes.PyDLL(None).sleep(10**6)


MISFORTUNES: dict[str, Callable[[], None]] = {
    "error": _raise,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "slow": _slow,
    "hang": _hang,
    "seize": _seize,
    "memory": _run_out,
    "device": _lose,
}
