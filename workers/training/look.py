"""What a picture of a face is like apart from who it is: skin, hair colour, light, background, camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]  # (3,) linear RGB

# The individual typology angle ITA = atan((L* - 50) / b*) orders skin from very light (above 55 degrees) to
# dark (below -30): Chardon et al. 1991. Uniform in it, so that no tone is rare.
_ITA_DEG = (-58.0, 62.0)
_SKIN_B = (10.0, 22.0)  # b* of measured human skin, under D65
_SKIN_A = (12.0, 2.5)  # a*: mean and standard deviation
_SKIN_A_LIMITS = (6.0, 19.0)
_HAIR_DARK = np.array([0.012, 0.009, 0.008], np.float32)
_HAIR_RED = np.array([0.20, 0.07, 0.03], np.float32)
_HAIR_BLOND = np.array([0.50, 0.36, 0.18], np.float32)
_HAIR_GREY = np.array([0.42, 0.42, 0.43], np.float32)


@dataclass(frozen=True, slots=True)
class Look:
    """Everything about a picture that is not the face's identity. Colours are linear RGB."""

    skin: Colour
    hair: Colour
    clothes: Colour
    backdrop: tuple[Colour, Colour]
    ambient: Colour
    direct: Colour
    direction: NDArray[np.float32]  # (3,) towards the light: right, down, towards the camera; length 1
    shine: float
    white_balance: Colour
    exposure: float
    contrast: float  # exponent in sRGB
    grain: float  # standard deviation in sRGB
    blur_px: float  # at 128 px
    seed: int  # of the background's and the camera's noise


def sample_look(rng: np.random.Generator) -> Look:
    """Draw a look."""
    side, height = rng.uniform(-1.5, 1.5), rng.uniform(-1.0, 0.35)
    towards = np.array([side, height, rng.uniform(0.35, 1.0)], np.float32)
    warmth = rng.normal(0.0, 0.13)
    ambient = rng.uniform(0.06, 0.5)
    return Look(
        skin=sample_skin(rng),
        hair=_sample_hair(rng),
        clothes=rng.uniform(0.01, 0.8, 3).astype(np.float32),
        backdrop=(_sample_backdrop(rng), _sample_backdrop(rng)),
        ambient=_tinted(ambient, rng.normal(0.0, 0.08)),
        direct=_tinted(rng.uniform(0.6, 1.5) - 0.6 * ambient, warmth),
        direction=towards / np.linalg.norm(towards),
        shine=float(rng.uniform(0.0, 0.12)),
        white_balance=np.exp(rng.normal(0.0, 0.07, 3)).astype(np.float32),
        exposure=float(np.exp(rng.normal(0.1, 0.25))),
        contrast=float(np.exp(rng.normal(0.0, 0.08))),
        grain=float(rng.uniform(0.0, 0.02)),
        blur_px=float(rng.uniform(0.0, 0.9)),
        seed=int(rng.integers(2**32)),
    )


def sample_skin(rng: np.random.Generator) -> Colour:
    """Draw a skin's reflectance, (3,) linear RGB, with the L*, a*, b* of human skin."""
    b_star = rng.uniform(*_SKIN_B)
    l_star = 50.0 + b_star * np.tan(np.radians(rng.uniform(*_ITA_DEG)))
    a_star = np.clip(rng.normal(*_SKIN_A), *_SKIN_A_LIMITS)
    lab = np.array([[[np.clip(l_star, 22.0, 80.0), a_star, b_star]]], np.float32)
    linear = cv2.cvtColor(lab, cv2.COLOR_LAB2LRGB)[0, 0]
    return np.asarray(np.clip(linear, 0.005, 1.0), np.float32)


def _tinted(strength: float, warmth: float) -> Colour:
    """Return white light of `strength`, redder for positive `warmth` and bluer for negative."""
    return np.asarray(strength * np.exp(np.array([warmth, 0.0, -warmth])), np.float32)


def _sample_hair(rng: np.random.Generator) -> Colour:
    kind = rng.random()
    light = rng.random() ** 2
    other = _HAIR_GREY if kind < 0.15 else _HAIR_RED if kind < 0.3 else _HAIR_BLOND  # noqa: PLR2004 - shares
    return np.asarray(_HAIR_DARK + light * (other - _HAIR_DARK), np.float32)


def _sample_backdrop(rng: np.random.Generator) -> Colour:
    grey = rng.random() ** 2
    return np.asarray(np.clip(grey * np.exp(rng.normal(0.0, 0.35, 3)), 0.0, 1.0), np.float32)
