"""Clips of every kind that people have, made by FFmpeg when they are wanted: nothing is downloaded."""

from __future__ import annotations

from bench.inputs import coding, picture, timing, tracks
from bench.inputs.kind import Kind

#: What kinds have in common → the kinds.
GROUPS: dict[str, tuple[Kind, ...]] = {
    "formats and containers": coding.FORMATS,
    "groups of pictures": coding.GOPS,
    "frame rates": timing.RATES,
    "time stamps": timing.TIMES,
    "shape and direction": picture.SHAPES,
    "samples": picture.FORMATS,
    "colour": picture.COLOURS,
    "sound": tracks.SOUND,
    "beside picture and sound": tracks.BESIDE,
}

KINDS: dict[str, Kind] = {kind.name: kind for kinds in GROUPS.values() for kind in kinds}
