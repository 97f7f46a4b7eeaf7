"""Where results go: a JSON file a benchmark, and one table for people."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from bench.machine import describe

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def write(name: str, claim: str, rows: list[dict[str, Any]]) -> None:
    """Write one benchmark's rows, with the date and the machine, and renew the table."""
    body = {"name": name, "claim": claim, "date": dt.date.today().isoformat(), "machine": describe()}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({**body, "rows": rows}, indent=1) + "\n")
    table()
    print(_section({**body, "rows": rows}))


def table() -> None:
    """Write bench/README.md from all results."""
    sections = [_section(json.loads(path.read_text())) for path in sorted(RESULTS.glob("*.json"))]
    intro = (
        "# Benchmarks\n\n`make bench` runs them all, `python -m bench NAME` one. Written by a script: do not "
        "edit.\nThe machines are small and shared: read the ratios, which come from within one run.\n"
    )
    (HERE / "README.md").write_text("\n".join([intro, *sections]))


def _section(result: dict[str, Any]) -> str:
    machine = result.get("machine", {})
    rows = [row for row in result.get("rows", []) if isinstance(row, dict)]
    head = f"## {result.get('name', '?')}\n\n{result.get('claim', '')}\n\n"
    where = f"\n{result.get('date', '')}, {machine.get('cores', '?')} cores of {machine.get('cpu', '?')}\n"
    if not rows:
        return head + where
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(row.get(column, "")) for column in columns) + " |" for row in rows]
    return head + "\n".join(lines) + "\n" + where


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
