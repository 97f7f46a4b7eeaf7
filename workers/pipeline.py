"""Stages that overlap: each runs in a thread of its own, with a bounded queue in front of the next."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn, TypeAlias, TypeVar

from workers.errors import Stopped

T = TypeVar("T")

#: What a stage hands on: functions that return an item or raise the stage's error; None is the end.
Channel: TypeAlias = "queue.Queue[Callable[[], T] | None]"

#: How often a stage that waits looks whether it should stop, in seconds.
PATIENCE_S = 0.25


def ahead(items: Iterable[T], depth: int, *, stop: threading.Event) -> Iterator[T]:
    """Yield `items`, made by a thread that runs at most `depth` of them ahead.

    An error in the thread is raised here, at its place in the order. When the reader gives up, or `stop`
    is set, the thread ends at its next item.

    Raises:
        Stopped: `stop` was set.
    """
    channel: Channel[T] = queue.Queue(depth)
    abandoned = threading.Event()
    thread = threading.Thread(
        target=_fill, args=(items, channel, (stop, abandoned)), daemon=True, name="stage"
    )
    thread.start()
    try:
        yield from _drain(channel, stop)
    finally:
        abandoned.set()
        thread.join()


def _fill(items: Iterable[T], channel: Channel[T], ends: tuple[threading.Event, ...]) -> None:
    try:
        for item in items:
            if not _put(channel, lambda item=item: item, ends):  # type: ignore[misc]
                return
    except BaseException as error:  # noqa: BLE001 - raised again on the other side
        _put(channel, _raiser(error), ends)
    else:
        _put(channel, None, ends)


def _put(channel: Channel[T], message: Callable[[], T] | None, ends: tuple[threading.Event, ...]) -> bool:
    while not any(end.is_set() for end in ends):
        try:
            channel.put(message, timeout=PATIENCE_S)
        except queue.Full:
            continue
        return True
    return False


def _drain(channel: Channel[T], stop: threading.Event) -> Iterator[T]:
    while True:
        if stop.is_set():
            raise Stopped("the chunk was taken away")
        try:
            message = channel.get(timeout=PATIENCE_S)
        except queue.Empty:
            continue
        if message is None:
            return
        yield message()


def _raiser(error: BaseException) -> Callable[[], NoReturn]:
    def raise_it() -> NoReturn:
        raise error

    return raise_it
