"""How calm landmarks are on a still face, and whether they lag behind a moving one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.clips import SOURCE, TARGET
from bench.results import write
from workers.face.pyramid import Pyramid
from workers.face.track import SMOOTH, Tracker
from workers.models.mtcnn_cascade import FaceFinder

CLAIM = (
    "Landmarks of one face in a 640 x 360 clip with sensor noise, as the detector sees them and as the "
    "tracker smooths them. Still face: RMS second difference in pixels; aim: 0.3 of what is seen, at most. "
    "Moving face (a sine across the picture): lag in frames, by least squares against the truth, and the "
    "share of its way that is kept; aim: no lag."
)
NUM_FRAMES = 60
WIDTH_PX, HEIGHT_PX = 640, 360
SWING_PX = 40.0
PERIOD = 24.0  # frames: once a second, there and back, as a head shakes "no"


def main(clip: Path | None = None) -> None:
    """Measure; write bench/results/jitter.json."""
    del clip  # the truth must be known
    finder = FaceFinder()
    rows = [_still(finder, path, sigma) for path in (SOURCE, TARGET) for sigma in (2.0, 5.0)]
    write("jitter", CLAIM, rows + [_moving(finder, path) for path in (SOURCE, TARGET)])


def _still(finder: FaceFinder, path: Path, sigma: float) -> dict[str, Any]:
    seen, smooth = _landmarks(finder, path, sigma, np.zeros(NUM_FRAMES))
    before, after = _jitter(seen), _jitter(smooth)
    row = {"face": path.stem, "motion": "still", "noise, levels": sigma}
    return {**row, "seen, px": before, "smoothed, px": after, "ratio": after / before}


def _moving(finder: FaceFinder, path: Path) -> dict[str, Any]:
    way = SWING_PX * np.sin(2 * np.pi * np.arange(NUM_FRAMES) / PERIOD)
    seen, smooth = _landmarks(finder, path, 2.0, way)
    lag, kept = _phase(smooth, way)
    row = {"face": path.stem, "motion": f"±{SWING_PX:.0f} px, {PERIOD:.0f} frames", "noise, levels": 2.0}
    seen_lag = _phase(seen, way)[0]
    return {**row, "seen, lag in frames": seen_lag, "smoothed, lag in frames": lag, "way kept": kept}


def _landmarks(
    finder: FaceFinder, path: Path, sigma: float, way: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return landmarks (frames, 5, 2), seen and smoothed, where smoothing has its whole window."""
    dice, tracker, seen = np.random.default_rng(7), Tracker(finder), []
    for index, shift in enumerate(way):
        picture = Pyramid(_picture(path, float(shift), sigma, dice))
        seen.append(finder.find(picture)[0].landmarks)
        tracker.feed(index, picture)
    smooth = [tracker.faces(index)[0].landmarks for index in range(len(way))]
    return np.array(seen)[SMOOTH:-SMOOTH].astype(float), np.array(smooth)[SMOOTH:-SMOOTH].astype(float)


def _picture(path: Path, shift: float, sigma: float, dice: np.random.Generator) -> NDArray[np.uint8]:
    portrait = cv2.imread(str(path))[..., ::-1]
    scale = 1.2 * HEIGHT_PX / portrait.shape[0]
    x, y = WIDTH_PX / 2 - scale * portrait.shape[1] / 2 + shift, 0.0
    matrix = np.array([[scale, 0, x], [0, scale, y]], np.float32)
    level = cv2.warpAffine(portrait, matrix, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(np.clip(np.rint(level + dice.normal(0, sigma, level.shape)), 0, 255), np.uint8)


def _jitter(landmarks: NDArray[np.float64]) -> float:
    return float(np.sqrt((np.diff(landmarks, 2, axis=0) ** 2).mean()))


def _phase(landmarks: NDArray[np.float64], way: NDArray[np.float64]) -> tuple[float, float]:
    """Return lag in frames and share of the amplitude, from the fit of a sine and a cosine to x."""
    x = landmarks[..., 0].mean(axis=1)
    angle = 2 * np.pi * np.arange(SMOOTH, len(way) - SMOOTH) / PERIOD
    terms = np.column_stack([np.sin(angle), np.cos(angle), np.ones_like(angle)])
    a, b, _ = np.linalg.lstsq(terms, x, rcond=None)[0]
    return float(-np.arctan2(b, a) / (2 * np.pi) * PERIOD), float(np.hypot(a, b) / SWING_PX)


if __name__ == "__main__":
    main()
