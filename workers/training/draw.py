"""Draws faces: layers of reflectance, lit by a height map's normals, seen by a camera.

Every call with the same arguments gives the same pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from workers.training.features import paint_features, relief
from workers.training.layers import Layers, ellipse, soft
from workers.training.look import Look
from workers.training.noise import Picture, grain, smooth_noise
from workers.training.shape import FaceShape, face_plane

_SRGB_KNEE = 0.0031308  # IEC 61966-2-1
_DESIGN_PX = 128  # the size that a look's blur is meant for


def draw_face(shape: FaceShape, look: Look, size_px: int) -> Picture:
    """Return a face as (size_px, size_px, 3) RGB in [0, 1], sRGB encoded."""
    u, v = face_plane(shape.pose, size_px)
    layers = Layers(u, v, edge=1.6 / (shape.pose.radius * size_px), colour=_backdrop(look, size_px))
    texture = np.random.default_rng(shape.seed)
    head = ellipse(*_jawed(shape, u, v), (0.0, 0.0), (1.0, shape.aspect))
    _paint_behind(layers, shape, look, head, texture)
    skin_only = layers.painted(look.skin * _skin_texture(texture, size_px), soft(head, layers.edge))
    layers = paint_features(skin_only, shape, look)
    lit = layers.colour * _light(layers, shape, look, head)
    lit = lit + _shine(shape, look, u, v, head)
    lit = _paint_hair_front(lit, layers, shape, look, texture)
    return _photograph(lit, look)


def srgb(linear: Picture) -> Picture:
    """Encode linear light in [0, 1] as sRGB."""
    curve = 1.055 * np.power(np.maximum(linear, _SRGB_KNEE), 1 / 2.4) - 0.055
    return np.where(linear <= _SRGB_KNEE, 12.92 * linear, curve).astype(np.float32)


def _jawed(shape: FaceShape, u: Picture, v: Picture) -> tuple[Picture, Picture]:
    low = np.clip(v / shape.aspect, 0.0, 1.0)
    return u * (1.0 + shape.jaw * low * low), v


def _backdrop(look: Look, size_px: int) -> Picture:
    rng = np.random.default_rng(look.seed)
    cells = int(rng.integers(2, 9))
    mix = 0.5 + 0.45 * smooth_noise(rng, size_px, (cells, cells))
    first, second = look.backdrop
    return np.clip(first + mix[..., None] * (second - first), 0.0, 1.0).astype(np.float32)


def _paint_behind(
    layers: Layers, shape: FaceShape, look: Look, head: Picture, rng: np.random.Generator
) -> None:
    """Paint in place what the head covers: long hair, shoulders, neck."""
    fallen = ellipse(layers.u, layers.v, (0.0, -0.15), (1.28, shape.aspect + 0.25))
    hair = soft(np.maximum(fallen, layers.v - shape.hair_long), layers.edge)
    layers.paint(look.hair * _strands(rng, head.shape[0]), hair)
    shoulders = ellipse(layers.u, layers.v, (0.0, shape.aspect + 1.35), (2.3, 1.1))
    layers.paint(look.clothes, soft(shoulders, layers.edge))
    neck = np.maximum(np.abs(layers.u) - 0.62, np.abs(layers.v - shape.aspect) - 0.55)
    layers.paint(look.skin * 0.55, soft(neck, layers.edge))


def _skin_texture(rng: np.random.Generator, size_px: int) -> Picture:
    """Return (S, S, 3) factors: blotches that redden, and pores."""
    blotches = smooth_noise(rng, size_px, (7, 7))
    pores = smooth_noise(rng, size_px, (64, 64)) * 0.035 + smooth_noise(rng, size_px, (20, 20)) * 0.02
    redness = np.array([0.01, -0.05, -0.04], np.float32)
    return np.asarray(np.exp(blotches[..., None] * redness + pores[..., None]), np.float32)


def _strands(rng: np.random.Generator, size_px: int) -> Picture:
    return np.asarray(np.exp(0.28 * smooth_noise(rng, size_px, (6, 70)))[..., None], np.float32)


def _light(layers: Layers, shape: FaceShape, look: Look, head: Picture) -> Picture:
    """Return (S, S, 3) irradiance: Lambert's law, softened round the terminator as skin does."""
    z = relief(layers, shape)
    scale = 1.0 / max(float(layers.u[0, 1] - layers.u[0, 0]), 1e-6)
    down, right = np.gradient(z)
    normal = np.stack((-right * scale, -down * scale, np.ones_like(z)), axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    wrap = 0.25
    lambert = np.clip((normal @ look.direction + wrap) / (1.0 + wrap), 0.0, None)
    on_head = soft(head, 0.08)[..., None]
    flat = np.float32(max(float(look.direction[2]), 0.3))
    lambert = on_head * lambert[..., None] + (1.0 - on_head) * flat
    return np.asarray(look.ambient + look.direct * lambert, np.float32)


def _shine(shape: FaceShape, look: Look, u: Picture, v: Picture, head: Picture) -> Picture:
    """Return (S, S, 3) highlights: forehead, nose, cheek on the side of the light."""
    lean = 0.35 * float(look.direction[0])
    spots = sum(
        np.exp(-(((u - x - lean) / width) ** 2) - ((v - y) / height) ** 2)
        for x, y, width, height in (
            (0, -0.7, 0.3, 0.16),
            (shape.pose.turn, 0.1, 0.07, 0.14),
            (0.5, 0.2, 0.16, 0.14),
        )
    )
    return np.asarray((spots * soft(head, 0.1) * look.shine)[..., None] * look.direct, np.float32)


def _paint_hair_front(
    lit: Picture, layers: Layers, shape: FaceShape, look: Look, rng: np.random.Generator
) -> Picture:
    """Paint the hair that lies on the forehead and beside it, after the light: hair has its own."""
    size_px = lit.shape[0]
    wave = smooth_noise(rng, size_px, (3, 9)) * 0.05
    above = layers.v - shape.hairline - wave - 0.25 * layers.u**2 + 0.12
    cap = ellipse(layers.u, layers.v, (0.0, -0.1), (1.16, shape.aspect + 0.1))
    front = soft(np.maximum(above, cap), 0.05)
    hair = look.hair * _strands(rng, size_px) * (look.ambient + 0.6 * look.direct)
    return lit + front[..., None] * (hair - lit)


def _photograph(lit: Picture, look: Look) -> Picture:
    seen = srgb(np.clip(lit * look.white_balance * look.exposure, 0.0, 1.0)) ** np.float32(look.contrast)
    if look.blur_px > 0.0:
        sigma = 0.2 + look.blur_px * seen.shape[0] / _DESIGN_PX
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), sigma), np.float32)
    noise = grain(np.random.default_rng(look.seed + 1), seen.shape, look.grain)
    return np.asarray(np.clip(seen + noise, 0.0, 1.0), np.float32)
