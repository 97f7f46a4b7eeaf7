"""Networks on their way while something is done that needs none of them yet: fetching, decoding."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workers.engine.residency import Residency

log = logging.getLogger(__name__)


@contextmanager
def prefetching(residency: Residency, names: Sequence[str]) -> Iterator[None]:
    """Have a thread bring networks while the block runs: those that are away, as far as they fit together.

    Nothing depends on it. The block's own `hold` and `use` wait for what is on its way, bring what is not,
    and raise what is to be raised; what goes wrong in the thread they would meet themselves. When the block
    ends, the thread has ended: it finishes the network that it is at, and begins no other.
    """
    away = [name for name in names if name not in residency.resident]
    if not away:
        yield
        return
    is_over = threading.Event()
    thread = threading.Thread(
        target=_bring, args=(residency, away, names, is_over), daemon=True, name="prefetch"
    )
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _bring(residency: Residency, away: Sequence[str], names: Sequence[str], is_over: threading.Event) -> None:
    for name in away:
        if is_over.is_set():
            return
        try:
            residency.prefetch(name, beside=names)
        except Exception as error:  # noqa: BLE001 - the chunk meets it, whatever it is, and says so
            log.info("%s was not prefetched: %s", name, error)
