"""Eyes, brows, nose, mouth, beard and glasses of a drawn face, and the relief that light falls on."""

from __future__ import annotations

import numpy as np

from workers.training.layers import Layers, ellipse, soft
from workers.training.look import Look
from workers.training.noise import Picture
from workers.training.shape import FaceShape

_SIDES = (-1.0, 1.0)
_SCLERA = np.array([0.62, 0.58, 0.56], np.float32)
_PUPIL = np.array([0.008, 0.008, 0.008], np.float32)
_TEETH = np.array([0.6, 0.55, 0.48], np.float32)
_FAR = 9.0  # face widths: outside of any crop
_GLINT = np.array([1.6, 1.6, 1.6], np.float32)  # brighter than white: a light's own reflection


def paint_features(layers: Layers, shape: FaceShape, look: Look) -> Layers:
    """Return `layers` with the face's features painted."""
    painted = layers.painted(look.skin, np.zeros_like(layers.u))
    _paint_beard(painted, shape, look)
    for side in _SIDES:
        _paint_eye(painted, shape, look, side)
        _paint_brow(painted, shape, look, side)
    _paint_nostrils(painted, shape, look)
    _paint_mouth(painted, shape, look)
    _paint_glasses(painted, shape)
    return painted


def relief(layers: Layers, shape: FaceShape) -> Picture:
    """Return the height of the face towards the camera, (S, S) in face widths."""
    u, v, turn = layers.u, layers.v, shape.pose.turn
    inside = np.clip(1.0 - u * u - (v / shape.aspect) ** 2, 0.04, None)
    z = np.sqrt(inside) * 0.95
    z = z + _bump(u - turn, v - 0.1, shape.nose_width * 0.55, shape.nose_length * 0.55) * 0.16
    z = z + _bump(u - turn, v - _nose_tip(shape), shape.nose_width * 0.7, 0.09) * 0.1
    z = z + _bump(u - turn, v - shape.mouth_y, shape.mouth_width * 0.8, 0.1) * 0.05
    for side in _SIDES:
        z = z - _bump(u - turn - side * shape.eye_x, v - shape.eye_y, 0.22, 0.13) * 0.08
        z = z + _bump(u - turn - side * 0.5, v - 0.2, 0.25, 0.2) * 0.05
    return np.asarray(z, np.float32)


def _bump(u: Picture, v: Picture, width: float, height: float) -> Picture:
    return np.asarray(np.exp(-((u / width) ** 2) - (v / height) ** 2), np.float32)


def _nose_tip(shape: FaceShape) -> float:
    return shape.eye_y + shape.nose_length + 0.08


def _paint_eye(layers: Layers, shape: FaceShape, look: Look, side: float) -> None:
    u, v = layers.u - shape.pose.turn - side * shape.eye_x, layers.v - shape.eye_y
    socket = ellipse(u, v, (0.0, -0.01), (shape.eye_width * 1.5, shape.eye_open + 0.13))
    layers.paint(look.skin * 0.75, soft(socket, 0.2) * 0.5)
    eye = ellipse(u, v, (0.0, 0.0), (shape.eye_width, shape.eye_open))
    layers.paint(look.skin * 0.25, soft(np.abs(eye + 0.01) - 0.012, layers.edge + 0.02))
    inside = soft(eye, layers.edge)
    layers.paint(_SCLERA, inside)
    iris = shape.eye_width * 0.45
    layers.paint(shape.iris, inside * soft(ellipse(u, v, (0.0, 0.0), (iris, iris)), layers.edge))
    layers.paint(_PUPIL, inside * soft(ellipse(u, v, (0.0, 0.0), (iris * 0.45,) * 2), layers.edge))
    lean = 0.3 * iris * float(np.sign(look.direction[0]))
    layers.paint(_GLINT, inside * soft(ellipse(u, v, (lean, -iris * 0.3), (iris * 0.22,) * 2), layers.edge))


def _paint_brow(layers: Layers, shape: FaceShape, look: Look, side: float) -> None:
    u, v = layers.u - shape.pose.turn - side * shape.eye_x, layers.v - shape.eye_y + shape.brow_rise
    arch = v + 0.6 * u * u + shape.brow_tilt * side * u
    brow = np.maximum(np.abs(arch) - shape.brow_thick, np.abs(u) - shape.eye_width * 1.25)
    layers.paint(look.hair * 0.8, soft(brow, layers.edge + 0.03) * 0.85)


def _paint_nostrils(layers: Layers, shape: FaceShape, look: Look) -> None:
    for side in _SIDES:
        centre = (shape.pose.turn + side * shape.nose_width * 0.45, _nose_tip(shape) + 0.04)
        hole = ellipse(layers.u, layers.v, centre, (0.045, 0.025))
        layers.paint(look.skin * 0.2, soft(hole, layers.edge + 0.03) * 0.8)


def _paint_mouth(layers: Layers, shape: FaceShape, look: Look) -> None:
    u, v = layers.u - shape.pose.turn, layers.v - shape.mouth_y
    lips = ellipse(u, v, (0.0, 0.0), (shape.mouth_width, shape.lip_thick + shape.mouth_open))
    red = look.skin * (1.0 - shape.lip_red * np.array([0.15, 0.5, 0.4], np.float32))
    layers.paint(red, soft(lips, layers.edge + 0.03) * 0.85)
    parted = shape.mouth_open * np.sqrt(np.clip(1.0 - (u / shape.mouth_width) ** 2, 0.0, 1.0))
    gap = np.maximum(np.abs(v) - 0.01 - parted, np.abs(u) - shape.mouth_width * 0.85)
    layers.paint(look.skin * 0.12, soft(gap, layers.edge + 0.01))
    teeth = ellipse(
        u, v, (0.0, -shape.mouth_open * 0.3), (shape.mouth_width * 0.6, shape.mouth_open * 0.55 + 1e-3)
    )
    layers.paint(_TEETH, soft(teeth, layers.edge) * min(1.0, shape.mouth_open * 25.0))


def _paint_beard(layers: Layers, shape: FaceShape, look: Look) -> None:
    jaw = 0.25 - layers.v + 0.35 * np.exp(-((layers.u / 0.35) ** 2)) * (layers.v < shape.mouth_y - 0.2)
    on_head = ellipse(layers.u, layers.v, (0.0, 0.0), (1.0, shape.aspect))
    layers.paint(look.hair, soft(np.maximum(jaw, on_head), 0.25) * shape.beard)


def _paint_glasses(layers: Layers, shape: FaceShape) -> None:
    if not shape.glasses:
        return
    u, v = layers.u - shape.pose.turn, layers.v - shape.eye_y
    rims = [np.abs(ellipse(u, v, (side * shape.eye_x, 0.03), (0.31, 0.24))) for side in _SIDES]
    bridge = np.where(np.abs(u) < shape.eye_x - 0.3, np.abs(v), np.float32(_FAR))
    frame = np.asarray(np.minimum(np.minimum(*rims), bridge), np.float32)
    layers.paint((0.02, 0.02, 0.02), soft(frame - shape.glasses, layers.edge))
