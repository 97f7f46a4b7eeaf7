"""`python -m bench.gpu`: it runs anywhere, with torch, NumPy and safetensors alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[3]

#: Hides what a bare machine need not have.
BARE = """
import sys
for name in ("av", "cv2", "yaml", "redis", "celery", "mtcnn", "joblib", "lz4", "onnxruntime", "insightface"):
    sys.modules[name] = None
from bench.gpu import main
sys.exit(main(sys.argv[1:]))
"""


def run(*options):
    return subprocess.run(
        [sys.executable, "-c", BARE, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def test_the_rehearsal_measures_every_part_on_a_bare_machine(tmp_path):
    path = tmp_path / "gpu.json"
    done = run("--cpu-rehearsal", "--json", str(path))
    assert done.returncode == 0, done.stderr
    rows = json.loads(path.read_text())["rows"]
    parts = [
        "roofline",
        "latency",
        "graphs",
        "batches",
        "precisions",
        "tiles",
        "steady",
        "residency",
        "compile",
        "bars",
    ]
    assert list(dict.fromkeys(row["part"] for row in rows)) == parts
    assert all(row["SSIM"] > 0.99 for row in rows if row["part"] == "precisions")
    assert all(row["max difference, of 255"] < 1 for row in rows if row["part"] == "tiles")
    (cost,) = (row for row in rows if row["part"] == "residency")
    assert cost["resident MiB"] <= cost["budget MiB"] < cost["all MiB"]
    held = {row["bar"]: row["held"] for row in rows if row["part"] == "bars"}
    assert held["memory flat over many runs"] == held["replay equals eager"] == "yes"
    assert done.stdout.rstrip().splitlines()[-1].startswith("| replay equals eager")  # the table is last


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so():
    done = run()
    assert done.returncode == 2
    assert "hint: --cpu-rehearsal" in done.stderr
