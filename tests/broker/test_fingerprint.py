"""What plans rest on: differences are named, and no source file is missed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from broker.fingerprint import code_digest, differences

PROGRAM = "from broker.fingerprint import code_digest; print(code_digest('broker'))"


def test_each_part_that_differs_is_named():
    plan = {"encoder libx264": "163", "torch": "2.13", "model fusion": "ab"}
    here = {"encoder libx264": "164", "torch": "2.13", "device": "cuda"}
    assert differences(plan, here) == (
        "device: cuda here, none in the plan",
        "encoder libx264: 164 here, 163 in the plan",
        "model fusion: none here, ab in the plan",
    )
    assert differences(plan, dict(plan)) == ()


def test_any_changed_source_is_another_build(tmp_path):
    """Python and Lua alike, read where the package lies."""
    shutil.copytree(Path(__file__).parents[2] / "broker", tmp_path / "broker")

    def digest() -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    found = [digest()]
    for changed in ("framing.py", "lua/claim.lua"):
        with (tmp_path / "broker" / changed).open("a") as file:
            file.write("\n")
        found.append(digest())
    assert found[0] == code_digest("broker")
    assert len(set(found)) == 3
