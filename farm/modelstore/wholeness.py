"""Is a weight file whole, and safe? Told by its own outer structure: nothing of it is loaded."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import BinaryIO

from farm.errors import ModelRefused
from farm.modelstore.pickles import PICKLES, check_pickle

#: ModelProto's numbered fields (onnx.proto): its graph is field 7, and nothing is numbered above this.
_GRAPH_FIELD = 7
_LAST_FIELD = 26

#: Of protobuf's wire types, those that a ModelProto uses: a varint, and bytes with their length before them.
_VARINT, _BYTES = 0, 2

_HINT = "download it again; a browser's or a network's error page may have been saved in its place"


def check_whole(path: Path) -> None:
    """Look at an .onnx, .safetensors, .zip, .pt, .pth or .ckpt file; other kinds pass.

    Raises:
        ModelRefused: it is cut, not of the kind that its name says, or a pickle that is not tensors alone.
    """
    looks = {
        ".onnx": _is_onnx,
        ".safetensors": _is_safetensors,
        ".zip": zipfile.is_zipfile,
    }
    look = looks.get(path.suffix.lower())
    if path.stat().st_size == 0:
        raise ModelRefused(f"{path} is empty", hint=_HINT)
    if path.suffix.lower() in PICKLES:
        check_pickle(path)
    if look is not None and not look(path):
        kind = path.suffix.lower().removeprefix(".")
        raise ModelRefused(f"{path} is no whole {kind} file: it is cut, or something else", hint=_HINT)


def _is_onnx(path: Path) -> bool:
    """Walk the message's own fields, which must end exactly where the file does, and hold a graph."""
    size, has_graph = path.stat().st_size, False
    with path.open("rb") as file:
        while file.tell() < size:
            key = _varint(file)
            if key is None or not 1 <= key >> 3 <= _LAST_FIELD or key & 7 not in {_VARINT, _BYTES}:
                return False
            value = _varint(file)
            if value is None:
                return False
            if key & 7 == _BYTES:
                file.seek(value, 1)
                has_graph = has_graph or key >> 3 == _GRAPH_FIELD
        return has_graph and file.tell() == size


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if not byte[0] & 0x80:
            return value
    return None


def _is_safetensors(path: Path) -> bool:
    """Read the header: a length, a JSON object, and the last tensor's end, which is the file's."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= path.stat().st_size - 8:
            return False
        try:
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
    return path.stat().st_size == 8 + length + max(ends, default=0)
