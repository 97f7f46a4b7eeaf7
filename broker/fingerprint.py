"""What a plan's pixels depend on beside its input: named parts, and how two sets of them differ."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

#: Part → version or digest: "encoder libx264" → "x264 core 165".
Fingerprint = dict[str, str]

#: Sources that cannot change a pixel of a render.
_IDLE = ("training", "__pycache__")

#: Hexadecimal digits of a digest that people are shown: enough that no two builds of one farm look alike.
SHOWN_DIGITS = 12


def differences(plan: Mapping[str, str], here: Mapping[str, str]) -> tuple[str, ...]:
    """Return in words, part by part, what is not here as it was where the plan was made."""
    return tuple(
        f"{part}: {here.get(part, 'none')} here, {plan.get(part, 'none')} in the plan"
        for part in sorted({*plan, *here})
        if plan.get(part) != here.get(part)
    )


@functools.cache
def code_digest(*packages: str) -> str:
    """Return one digest for the sources of these packages: Python and Lua, by path and content."""
    whole = hashlib.sha256()
    for package in packages:
        root = Path(str(files(package)))
        for path in sorted((*root.rglob("*.py"), *root.rglob("*.lua"))):
            if not set(path.relative_to(root).parts) & set(_IDLE):
                whole.update(f"{package}/{path.relative_to(root)}\0".encode())
                whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:SHOWN_DIGITS]
