"""Hears what FFmpeg complains of while it reads a file: demuxers go on past damage, and return no error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import av
import av.logging

#: Complaints that are kept. One is enough to tell a user; a spoiled file makes thousands.
_MOST = 20

# What is said in other threads meanwhile is theirs to raise: it is not for the farm's own log.
logging.getLogger("libav").addHandler(logging.NullHandler())
logging.getLogger("libav").propagate = False


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect FFmpeg's messages of errors in this thread; the list grows while the context lasts.

    Good files of every kind make none (`tests/farm/media/test_damage.py`).
    """
    heard: list[str] = []
    before = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # PyAV: else a file that is read again would make none
    try:
        with av.logging.Capture() as logs:
            yield heard
            heard += [message.strip() for _, _, message in logs[:_MOST]]
    finally:
        av.logging.set_level(before[0])
        av.logging.set_skip_repeated(before[1])
