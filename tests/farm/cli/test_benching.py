"""Benchmarks run where the source code is, and nowhere else."""

from __future__ import annotations

import json
import os

import pytest

from farm.cli.benching import run_bench
from farm.errors import BadInput
from tests.farm.cli.test_usage import refused

BENCH = """
import json, pathlib, sys
NAMES = ("quick", "broken")
print("measuring", sys.argv[1])
results = pathlib.Path("bench/results")
results.mkdir(exist_ok=True)
if sys.argv[1] == "broken":
    raise SystemExit("it broke")
(results / "quick.json").write_text(json.dumps({"name": "quick", "rows": [1]}))
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with a benchmark that takes no time, and results from before."""
    (tmp_path / "bench" / "results").mkdir(parents=True)
    (tmp_path / "bench" / "__main__.py").write_text(BENCH)
    return tmp_path


def test_a_benchmark_prints_what_it_says(checkout, capfd):
    assert run_bench("quick", as_json=False, root=checkout) == 0
    assert capfd.readouterr().out == "measuring quick\n"


def test_json_is_one_object_with_what_was_written_now(checkout, capfd):
    old = checkout / "bench" / "results" / "old.json"
    old.write_text("{}")
    os.utime(old, (0, 0))
    assert run_bench("quick", as_json=True, root=checkout) == 0
    body = json.loads(capfd.readouterr().out)
    assert body == {"benchmark": "quick", "state": "done", "results": [{"name": "quick", "rows": [1]}]}


def test_a_benchmark_that_breaks_is_a_failure(checkout, capfd):
    assert run_bench("broken", as_json=True, root=checkout) == 1
    out, err = capfd.readouterr()
    assert json.loads(out)["state"] == "failed"
    assert "it broke" in err


def test_without_the_source_code_the_remedy_is_named(tmp_path):
    with pytest.raises(BadInput) as caught:
        run_bench("quick", as_json=False, root=tmp_path)
    assert "clone the repository" in caught.value.hint


def test_an_unknown_benchmark_is_refused_and_the_others_are_named(farm):
    result = farm("bench", "nonesuch")
    assert "nonesuch" in refused(result)
    assert "exactness" in result.stderr
