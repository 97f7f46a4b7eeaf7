"""Our figures beside the published ones, row by row: read from the results of the other benchmarks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.results import RESULTS, write

CLAIM = (
    "What was published of the systems that the farm was founded on, and what is measured here. Theirs: one "
    "RTX 4090 (S1) or 3090 (S2), and figures without code that reproduces them (S3). Ours: the machine that "
    "is named in the row, from the result that is named there; `no GPU yet` where a figure takes one and "
    "bench/results/gpu/ holds none. Where hardware differs only a verdict in spite of it says something. "
    "Memory on a CPU is the whole process's; theirs is the card's."
)
NO_GPU = "no GPU yet"


class Ours(NamedTuple):
    """A figure of ours, and how it stands beside the published one."""

    figure: str
    verdict: str


@dataclass(frozen=True)
class Row:
    """One line of the table. `ours` reads `source` (none: the program); with `needs_gpu`, a GPU's."""

    row: str
    what: str
    published: str
    source: str
    ours: Callable[[Any], Ours]
    needs_gpu: bool = False


class Unmeasured(LookupError):
    """The result is there, and lacks a row."""


class Rows(list[dict[str, Any]]):
    """A result's rows, asked for by what they say."""

    def of(self, **said: object) -> Rows:
        """Return those that say so; names are columns, `_` stands for a blank."""
        wanted = {name.replace("_", " "): value for name, value in said.items()}
        return Rows(row for row in self if all(row.get(name) == value for name, value in wanted.items()))

    def one(self, **said: object) -> dict[str, Any]:
        """Return the only one that says so; `Unmeasured` where there is none."""
        found = self.of(**said)
        if not found:
            raise Unmeasured
        (row,) = found
        return row


def main(clip: Path | None = None) -> None:
    """Put the table together; write bench/results/seeds.json."""
    del clip  # nothing is measured
    from bench import seeds_engine, seeds_pictures

    write("seeds", CLAIM, [line for row in (*seeds_pictures.ROWS, *seeds_engine.ROWS) for line in lines(row)])


def lines(row: Row) -> Iterator[dict[str, str]]:
    """Yield a row's lines: one, or one for each GPU that was measured."""
    head = {"row": row.row, "what": row.what, "published": row.published}
    if not row.source:
        figure, verdict = row.ours(Rows())
        yield {**head, "ours": figure, "from": "the program itself", "verdict": verdict}
        return
    paths = sorted((RESULTS / "gpu").glob("*.json")) if row.needs_gpu else [RESULTS / f"{row.source}.json"]
    found = [path for path in paths if path.exists()]
    for path in found:
        result = json.loads(path.read_text())
        figure, verdict = _read(row, Rows(result["rows"]))
        where = f"{path.relative_to(RESULTS.parent)}, {_machine(result['machine'])}, {result['date']}"
        yield {**head, "ours": figure, "from": where, "verdict": verdict}
    if not found:
        yield {**head, "ours": "-", "from": "-", "verdict": _unmeasured(row)}


def against(ours: float, theirs: float) -> str:
    """Say which is less, and by how much; within a tenth they are level."""
    share = ours / theirs
    if abs(share - 1) <= 0.1:
        return "level"
    return f"{1 / share:.1f}x better" if share < 1 else f"{share:.1f}x worse"


def _unmeasured(row: Row) -> str:
    return NO_GPU if row.needs_gpu else f"not measured: `python -m bench {row.source}`"


def _read(row: Row, rows: Rows) -> Ours:
    try:
        return row.ours(rows)
    except Unmeasured:
        return Ours("-", _unmeasured(row))
    except (KeyError, ValueError, IndexError) as error:
        return Ours("-", f"the result is of an earlier version ({type(error).__name__}: {error})")


def _machine(machine: dict[str, Any]) -> str:
    return str(machine.get("gpu") or f"{machine['cores']} cores of {machine['cpu']}")


if __name__ == "__main__":
    main()
