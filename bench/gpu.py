"""What the fusion engine does on this machine's GPU: `make bench-gpu`, one command, a table of bars last.

Needs a Python with torch, NumPy and safetensors: no farm, no codecs. `--cpu-rehearsal` does the same on the
CPU at small sizes with a narrow network, to see that it runs; its numbers mean nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
from pathlib import Path
from typing import Any

import torch

from bench.engine_measure import Machine, Table
from bench.gpu_bars import bars
from bench.gpu_parts import PARTS

RESULTS = Path(__file__).parent / "results" / "gpu"


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; write bench/results/gpu/NAME.json, or what `--json` names; 1 if a bar is missed."""
    options = _parser().parse_args(arguments)
    if not options.cpu_rehearsal and not torch.cuda.is_available():
        sys.stderr.write("error: no GPU that torch can use\nhint: --cpu-rehearsal runs it small on the CPU\n")
        return 2
    machine = Machine.rehearsal() if options.cpu_rehearsal else Machine.gpu()
    print(json.dumps(machine.facts(), indent=1), flush=True)
    found: dict[str, Table] = {}
    for name, part in PARTS.items():
        print(f"\n## {name}\n", flush=True)
        found[name] = part(machine)
        print(table(found[name]), flush=True)
    found["bars"] = bars(found)
    print(f"\n## bars\n\n{table(found['bars'])}", flush=True)
    path = options.json or (None if options.cpu_rehearsal else RESULTS / f"{_slug(machine)}.json")
    if path is not None:
        _write(path, machine, found)
    is_missed = any(row["held"] == "no" for row in found["bars"])
    return 1 if is_missed and not options.cpu_rehearsal else 0


def table(rows: Table) -> str:
    """Return rows as a Markdown table."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write(path: Path, machine: Machine, found: dict[str, Table]) -> None:
    rows = [{"part": name, **row} for name, part in found.items() for row in part]
    body: dict[str, Any] = {
        "name": "gpu",
        "claim": "The fusion engine on one GPU: `make bench-gpu`. Milliseconds; memory in MiB.",
        "date": dt.date.today().isoformat(),
        "machine": machine.facts(),
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, indent=1) + "\n")


def _slug(machine: Machine) -> str:
    """Return the device's name as a file's: "nvidia-h200"."""
    return re.sub(r"[^a-z0-9]+", "-", str(machine.facts().get("gpu", "cpu")).lower()).strip("-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--cpu-rehearsal", action="store_true", help="small, on the CPU: see that it runs")
    parser.add_argument(
        "--json",
        type=Path,
        help="where the result goes [default: results/gpu/, by the device's name; not a rehearsal's]",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
