"""The outlines of a frame's faces, by an installed landmark network where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workers.face.align import Points
from workers.face.outline import outline_of
from workers.frames import Face
from workers.masking.landmarker import Landmarker, Picture
from workers.media.planes import Canvas, Roi


@dataclass(frozen=True, slots=True)
class Outliner:
    """Tells where faces end. Without a network it tells nothing, and five landmarks must do."""

    landmarker: Landmarker | None = None

    def outlines(self, canvas: Canvas, faces: Sequence[Face]) -> tuple[Points | None, ...]:
        """Return each face's outline (N, 2) in the frame's pixels; None where five landmarks must do.

        All faces of a frame go through together, and those of no other frame: an outline depends on its
        frame alone, whatever chunk that lies in.
        """
        if self.landmarker is None:
            return (None,) * len(faces)

        def read(roi: Roi) -> tuple[Picture, tuple[int, int]]:
            x0, y0, x1, y1 = canvas.fit(roi)
            if x0 >= x1 or y0 >= y1:
                return np.empty((0, 0, 3), np.uint8), (x0, y0)
            levels = np.rint(np.clip(canvas.read((x0, y0, x1, y1)), 0, 1) * 255)
            return np.asarray(levels, np.uint8), (x0, y0)

        found = self.landmarker.find(read, [face.box for face in faces])
        return tuple(outline_of(points[:, :2]) for points in found)
