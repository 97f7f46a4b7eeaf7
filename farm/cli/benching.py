"""What `farm bench` does: runs one of the repository's benchmarks, which are no part of an installation."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

from farm.cli.exits import DONE, FAILED
from farm.cli.wording import json_line
from farm.errors import BadInput

#: Where the checkout is, if this package lies in one.
ROOT = Path(__file__).resolve().parents[2]


def run_bench(name: str, *, as_json: bool, root: Path = ROOT) -> int:
    """Run a benchmark and print its table, or with `as_json` what it wrote to bench/results.

    Raises:
        BadInput: there is no benchmark of that name, or there are none here at all.
    """
    _check(name, root)
    began = time.time()
    # With --json, what it says on the way goes where progress belongs.
    out = sys.stderr if as_json else None
    command = [sys.executable, "-m", "bench", name]
    status = subprocess.run(command, cwd=root, stdout=out, check=False).returncode
    if as_json:
        body = {"benchmark": name, "state": "failed" if status else "done", "results": _written(root, began)}
        sys.stdout.write(json_line(body))
    return FAILED if status else DONE


def _check(name: str, root: Path) -> None:
    program = root / "bench" / "__main__.py"
    if not program.is_file():
        raise BadInput(
            f"the benchmarks come with the source code, and there is none at {root}",
            hint="clone the repository, run `make setup` there, then `.venv/bin/farm bench NAME`",
            code="no-benchmarks",
        )
    names = _names(program)
    if name not in names:
        raise BadInput(
            f"no benchmark {name!r}", hint=f"there are: {', '.join(names)}", code="no-such-benchmark"
        )


def _names(program: Path) -> tuple[str, ...]:
    """Return what the program offers: read, not imported, since the farm must not depend on it."""
    for node in ast.parse(program.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NAMES":
            return tuple(ast.literal_eval(node.value))
    return ()


def _written(root: Path, began: float) -> list[object]:
    # A file's time comes from a coarser clock than ours, a few milliseconds behind.
    files = (root / "bench" / "results").glob("*.json")
    return [json.loads(file.read_text()) for file in sorted(files) if file.stat().st_mtime >= began - 0.1]
