"""The table of published figures beside ours: every row is there, and what was not measured says so."""

from __future__ import annotations

import json

import pytest

from bench import seeds, seeds_engine, seeds_pictures
from bench.results import RESULTS
from bench.seeds import NO_GPU, Row, Rows, against, lines

ROWS = (*seeds_pictures.ROWS, *seeds_engine.ROWS)


def test_every_row_of_the_founding_descriptions_is_there():
    asked = {f"S1.{number}" for number in range(1, 9)} | {f"S2.{number}" for number in range(1, 8)}
    assert {row.row for row in ROWS} == asked | {"S3.2", "S3.6"}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.source and not row.needs_gpu], ids=lambda row: f"{row.row} {row.what}"
)
def test_every_row_without_a_gpu_reads_its_result(row):
    """The committed results hold what the row asks for, or say that they lack it; none is outdated."""
    assert (RESULTS / f"{row.source}.json").exists()
    (line,) = lines(row)
    assert line["ours"] != "-" or line["verdict"].startswith("not measured: ")
    assert "cores of" in line["from"]


def test_what_was_not_measured_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(seeds, "RESULTS", tmp_path)
    verdicts = {next(lines(row))["verdict"] for row in ROWS}
    assert NO_GPU in verdicts
    assert "not measured: `python -m bench stills`" in verdicts


def test_a_gpus_result_is_a_line_of_its_own(tmp_path, monkeypatch):
    """One for each device, under its name."""
    monkeypatch.setattr(seeds, "RESULTS", tmp_path)
    graph = {
        "part": "graphs",
        "network": "lite",
        "side": 512,
        "eager ms": 2.0,
        "graph ms": 1.0,
        "same bits": True,
    }
    (tmp_path / "gpu").mkdir()
    for name in ("one", "two"):
        body = {"date": "2026-01-01", "machine": {"gpu": f"Card {name}"}, "rows": [graph]}
        (tmp_path / "gpu" / f"{name}.json").write_text(json.dumps(body))
    (row,) = (row for row in ROWS if row.row == "S2.4")
    found = list(lines(row))
    assert [line["ours"] for line in found] == ["lite 512 px: 2.0 to 1.0 ms"] * 2
    assert ["Card one" in found[0]["from"], "Card two" in found[1]["from"]] == [True, True]


def test_a_result_that_lacks_a_column_is_told_from_a_missing_one(tmp_path, monkeypatch):
    monkeypatch.setattr(seeds, "RESULTS", tmp_path)
    body = {"date": "2026-01-01", "machine": {"cpu": "x", "cores": 1}, "rows": [{"side, px": 2048}]}
    body["rows"][0]["way"] = "ratio: region by frame"
    (tmp_path / "roi.json").write_text(json.dumps(body))
    (row,) = (row for row in ROWS if row.row == "S2.1")
    (line,) = lines(row)
    assert "earlier version" in line["verdict"]


@pytest.mark.parametrize(("ours", "verdict"), [(1.0, "2.0x better"), (2.1, "level"), (6.0, "3.0x worse")])
def test_less_is_better(ours, verdict):
    assert against(ours, 2.0) == verdict


def test_rows_are_asked_for_by_what_they_say():
    rows = Rows([{"crops a pass": 4, "faces": 1}, {"crops a pass": 2, "faces": 1}])
    assert rows.one(crops_a_pass=2)["crops a pass"] == 2
    with pytest.raises(ValueError, match="too many"):
        rows.one(faces=1)
    assert isinstance(ROWS[0], Row)
