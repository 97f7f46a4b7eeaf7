"""Which face of a frame is which of the frame before: told by both frames alone, so that no chunk matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workers.face.boxes import overlap
from workers.frames import Face
from workers.people.signature import Signature, alike

#: Overlap by union of one face in neighbouring frames, at least: as the tracker has it.
_LEAST_OVERLAP = 0.3

#: Correlation of one face's signatures in neighbouring frames, at least. Measured with the farm's detector: a
#: woman at the wheel 0.997 and more (0.89 three quarters of a second apart), a portrait that turns and grows
#: 0.999; four people against each other up to 0.55.
_LEAST_ALIKE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A face, and how it looks."""

    face: Face
    signature: Signature


def links(before: Sequence[Looked], now: Sequence[Looked]) -> dict[int, int]:
    """Return, for each place in `now` that goes on from the frame before, its place in `before`.

    The most alike pairs are taken first; what lies together but does not look alike is another face.
    """
    pairs = [
        (score, i, j) for j, here in enumerate(now) for i, score in _candidates(before, here) if score > 0
    ]
    linked: dict[int, int] = {}
    for _, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if j not in linked and i not in linked.values():
            linked[j] = i
    return linked


def _candidates(before: Sequence[Looked], here: Looked) -> list[tuple[int, float]]:
    if not before:
        return []
    boxes = np.asarray([each.face.box for each in before], np.float32)
    shares = overlap(np.asarray(here.face.box, np.float32), boxes)
    return [
        (i, float(shares[i]) + likeness)
        for i, each in enumerate(before)
        if shares[i] >= _LEAST_OVERLAP and (likeness := alike(each.signature, here.signature)) >= _LEAST_ALIKE
    ]
