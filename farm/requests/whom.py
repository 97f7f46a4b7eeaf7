"""Whom a user means: by a gallery's number, by a place in a frame, or by a portrait."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What a place begins with where it could be taken for something else.
PLACE = "at:"

_POINT = re.compile(r"(\d+),(\d+)(?:@(.+))?")
_NTH = re.compile(r"(\d+)(?:@(.+))?")


@dataclass(frozen=True, slots=True)
class Numbered:
    """The person of that number in a gallery."""

    number: int


@dataclass(frozen=True, slots=True)
class At:
    """Whoever is at a place of a frame: around a point (x, y) in pixels, or the nth face from the left."""

    point: tuple[int, int] | None
    nth: int | None  # from 0
    moment: str | None  # None: the first frame of the job


@dataclass(frozen=True, slots=True)
class Like:
    """Whoever looks like the largest face of a portrait."""

    path: str


Whom = Numbered | At | Like


def parse_place(text: str) -> At:
    """Read `X,Y`, `N`, and either with `@MOMENT` behind it.

    Raises:
        ValueError: it is neither.
    """
    if found := _POINT.fullmatch(text.strip()):
        return At(point=(int(found[1]), int(found[2])), nth=None, moment=found[3])
    if found := _NTH.fullmatch(text.strip()):
        return At(point=None, nth=int(found[1]), moment=found[2])
    raise ValueError(
        f"{text!r} is no place in a frame: write X,Y in pixels, or N, the Nth face from the left, from 0; "
        "behind it @MOMENT, as 640,360@12.5"
    )


def parse_whom(text: str) -> Whom:
    """Read a gallery's number, `at:PLACE`, or the path of a portrait.

    Raises:
        ValueError: it is none of them.
    """
    if text.startswith(PLACE):
        return parse_place(text.removeprefix(PLACE))
    if text.isdecimal():
        return Numbered(int(text))
    if not text:
        raise ValueError("whom? write a gallery's number, at:PLACE, or a portrait's path before the =")
    return Like(text)
