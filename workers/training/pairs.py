"""Pictures with a known answer: a face placed into a target, and how it should look there.

Two kinds. In a self-blended pair (Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR
2022; used here to mend, not to detect) a picture's own face is recoloured and put back: the answer is the
picture. In a crossed pair one person is drawn twice, in two lights, and put into another person's picture:
the answer is that person in the target's light. Only drawn faces have such answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from workers.training.draw import draw_face
from workers.training.look import Look, sample_look
from workers.training.noise import Picture
from workers.training.recolour import recolour
from workers.training.region import draw_region
from workers.training.shape import Pose, placed, sample_shape

_JITTER_PX = 0.012  # of the side: landmarks of source and target never agree better
_JITTER_DEG = 1.5
_JITTER_SCALE = 0.015  # of the logarithm


@dataclass(frozen=True, slots=True)
class Pair:
    """One exercise. Pictures are (S, S, 3) RGB in [0, 1]."""

    source: Picture  # placed, not yet settled
    target: Picture  # what lies outside the mask
    shown: Picture  # what the network may see of the target, once it is low-passed
    truth: Picture  # the source as it should look, over the whole crop
    mask: Picture  # (S, S) in [0, 1]


@dataclass(frozen=True, slots=True)
class Trio:
    """One target and one source, the source drawn in its own look and in the target's."""

    pose: Pose
    target: Picture
    source: Picture
    truth: Picture


def draw_trio(rng: np.random.Generator, size_px: int) -> Trio:
    """Draw two people at the same pose and two looks that share the hair and clothes of the target."""
    whose, other = sample_shape(rng), sample_shape(rng)
    here, there = sample_look(rng), sample_look(rng)
    at_target = placed(other, whose.pose)
    return Trio(
        whose.pose,
        target=draw_face(whose, here, size_px),
        source=draw_face(at_target, _in_light_of(there, here), size_px),
        truth=draw_face(at_target, here, size_px),
    )


def self_blended(picture: Picture, pose: Pose, rng: np.random.Generator) -> Pair:
    """Recolour a picture's own face; the harder, the higher a number drawn from `rng`."""
    source = recolour(picture, rng, strength=float(rng.uniform(0.15, 1.0)))
    mask = draw_region(pose, rng, picture.shape[0])
    return Pair(source, picture, jittered(picture, rng), truth=picture, mask=mask)


def crossed(trio: Trio, rng: np.random.Generator) -> Pair:
    """Put the trio's source into its target."""
    size_px = trio.target.shape[0]
    share = float(
        rng.uniform(0.0, 1.0)
    )  # part of the way is done already by a colour match before the network
    source = trio.source + np.float32(share) * (trio.truth - trio.source)
    mask = draw_region(trio.pose, rng, size_px)
    return Pair(source, trio.target, jittered(trio.target, rng), truth=trio.truth, mask=mask)


def jittered(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return `picture` moved by a few pixels and degrees, so that it does not give the answer away."""
    size_px = picture.shape[0]
    middle = (size_px / 2, size_px / 2)
    turn, scale = float(rng.normal(0, _JITTER_DEG)), float(np.exp(rng.normal(0, _JITTER_SCALE)))
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, turn, scale), np.float64)
    matrix[:, 2] += rng.normal(0, _JITTER_PX * size_px, 2)
    moved = cv2.warpAffine(picture, matrix, (size_px, size_px), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.float32)


def mirrored(pair: Pair) -> Pair:
    """Return the pair seen in a mirror."""
    flipped = (
        np.ascontiguousarray(p[:, ::-1])
        for p in (pair.source, pair.target, pair.shown, pair.truth, pair.mask)
    )
    return Pair(*flipped)


def _in_light_of(there: Look, here: Look) -> Look:
    """Return `there` with the camera noise of `here`: noise cannot be mended by colour."""
    return replace(there, grain=here.grain, blur_px=here.blur_px, seed=here.seed)
