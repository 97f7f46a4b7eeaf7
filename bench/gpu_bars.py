"""What was asked of an H200-class GPU, beside what `python -m bench.gpu` found."""

from __future__ import annotations

from typing import Any

from bench.engine_measure import MIB, Table

MOST_MS_AT_1024 = 10.0
LEAST_ROOFLINE = 0.5
MOST_MIB_AT_1024 = 2 * 10**9 / MIB
MOST_MIB_AT_4096 = 6 * 10**9 / MIB


def bars(found: dict[str, Table]) -> Table:
    """Return what was asked for, beside what was found; "-" where this machine did not measure it."""
    at = {(row["network"], row["side"]): row for row in found["latency"]}
    best = max((row["of roofline"] for row in found["batches"] if row["network"] == "standard"), default=None)
    flat = all(row["least MiB"] == row["most MiB"] for row in found["steady"])
    same = all(row["same bits"] for row in found["graphs"])
    return [
        _bar("1024 px, median ms, at most", MOST_MS_AT_1024, _of(at, 1024, "median ms"), is_most=True),
        _bar("share of the roofline, at least", LEAST_ROOFLINE, best, is_most=False),
        _bar("1024 px, peak MiB, at most", MOST_MIB_AT_1024, _of(at, 1024, "peak MiB"), is_most=True),
        _bar("4096 px, peak MiB, at most", MOST_MIB_AT_4096, _of(at, 4096, "peak MiB"), is_most=True),
        {"bar": "memory flat over many runs", "asked": "yes", "found": flat, "held": "yes" if flat else "no"},
        {"bar": "replay equals eager", "asked": "yes", "found": same, "held": "yes" if same else "no"},
    ]


def _of(at: dict[tuple[str, int], dict[str, Any]], side_px: int, key: str) -> float | None:
    row = at.get(("standard", side_px))
    return None if row is None else float(row[key])


def _bar(name: str, asked: float, found: float | None, *, is_most: bool) -> dict[str, Any]:
    if found is None:
        return {"bar": name, "asked": asked, "found": "-", "held": "-"}
    return {
        "bar": name,
        "asked": asked,
        "found": found,
        "held": "yes" if (found <= asked) == is_most else "no",
    }
