"""A detector of SCRFD's outputs that sees one face wherever a picture is brightest: small, and really run."""

from __future__ import annotations

import numpy as np
from onnx import helper

from tests.workers.identity.tiny import saved

SIDE_PX = 640
STRIDES = (8, 16, 32)


def bright_spot_detector(path):
    """Write a network of nine outputs for pictures of 640 x 640.

    Scores at stride 32 are the cells' mean brightness; the others are 0. Boxes reach two cells each way, and
    the landmarks lie about the cell's corner as in an upright face.
    """
    cells = {stride: (SIDE_PX // stride) ** 2 * 2 for stride in STRIDES}
    weights = {
        "pool": np.full((1, 3, 32, 32), 1 / 3 / 1024, np.float32),
        "to_score": np.array([0.5], np.float32),
        "both": np.array([2], np.int64),
        "shape": np.array([1, cells[32], 1], np.int64),
        "far": np.full((1, cells[32], 4), 2, np.float32),
        "marks": np.tile(
            np.array([-0.6, -0.5, 0.6, -0.5, 0, 0.1, -0.5, 0.7, 0.5, 0.7], np.float32), (1, cells[32], 1)
        ),
        "twice": np.array([1, 1, 1, 1, 2], np.int64),
        "cellwise": np.array([1, 1, SIDE_PX // 32, SIDE_PX // 32, 1], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["input.1", "pool"], ["bright"], strides=[32, 32]),
        helper.make_node("Reshape", ["bright", "cellwise"], ["grid"]),
        helper.make_node("Tile", ["grid", "twice"], ["anchors"]),
        helper.make_node("Reshape", ["anchors", "shape"], ["flat"]),
        helper.make_node("Mul", ["flat", "to_score"], ["half"]),
        helper.make_node("Add", ["half", "to_score"], ["s32"]),
        helper.make_node("Identity", ["far"], ["b32"]),
        helper.make_node("Identity", ["marks"], ["k32"]),
    ]
    outputs = {}
    for letter, size in (("s", 1), ("b", 4), ("k", 10)):
        for stride in STRIDES:
            name = f"{letter}{stride}"
            outputs[name] = [1, cells[stride], size]
            if stride != 32:
                weights[f"none-{name}"] = np.zeros((1, cells[stride], size), np.float32)
                nodes.append(helper.make_node("Identity", [f"none-{name}"], [name]))
    return saved(path, nodes, {"input.1": [1, 3, SIDE_PX, SIDE_PX]}, outputs, weights)
