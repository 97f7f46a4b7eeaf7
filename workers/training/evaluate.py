"""Compares the fusion network with classical ways, on people and photographs it was not trained on."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workers.models.unet import FusionUNet
from workers.models.weights import SHIPPED, load_fusion, read_facts
from workers.training.exam import Settle, by_network, drawn_exams, examine, photo_exam
from workers.training.pairs import Pair
from workers.training.publish import write_facts
from workers.training.rivals import leave, match_inner, match_ring, poisson
from workers.training.scores import Score
from workers.training.sheet import write_sheet

_ROOT = Path(__file__).parents[2]
_RESULT = _ROOT / "workers" / "weights" / "fusion-lite-scores.json"
_PHOTOS = (_ROOT / "farm" / "assets" / "eileen_collins.jpg", _ROOT / "farm" / "assets" / "grace_hopper.jpg")
_SIZE_PX = 128
_SHEET_ROWS = 6
_TIMED_SIZES_PX = (128, 256, 512)
_TIMED_ROUNDS = 20

_log = logging.getLogger("workers.training.evaluate")
Table = dict[str, dict[str, Score]]  # exam, then way


def main(arguments: list[str] | None = None) -> None:
    """Print the table, write it as JSON, and note it in the weight file's own JSON."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    network = load_fusion(options.weights)
    ways: dict[str, Settle] = {
        "plain composite": leave,
        "match to the ring": match_ring,
        "match to the sharp face": match_inner,
        "Poisson": poisson,
        "fusion network": by_network(network),
    }
    exams = drawn_exams(options.count, _SIZE_PX)
    exams |= {f"photo, {path.stem}": photo_exam(path, options.count, _SIZE_PX) for path in _PHOTOS}
    table = {
        exam: {way: examine(settle, pairs) for way, settle in ways.items()} for exam, pairs in exams.items()
    }
    _log.info("%s", _as_text(table))
    _write(table, network, exams, options)
    if options.sheet:
        shown = [leave, poisson, ways["fusion network"]]
        write_sheet(options.sheet, list(exams.values()), shown, _SHEET_ROWS)


def _write(
    table: Table, network: FusionUNet, exams: dict[str, list[Pair]], options: argparse.Namespace
) -> None:
    scores = {exam: {way: dataclasses.asdict(s) for way, s in row.items()} for exam, row in table.items()}
    facts = read_facts(options.weights)
    won = {exam: _wins(network, pairs) for exam, pairs in exams.items()}
    result: dict[str, Any] = {
        "sha256": facts["sha256"],
        "pairs_per_exam": options.count,
        "size_px": _SIZE_PX,
        "scores": scores,
        "share_of_pairs_better_than_poisson": won,
        "cpu_ms_per_crop_one_thread": _times_ms(network),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    write_facts(options.weights, facts | {"scores": scores})


def _wins(network: FusionUNet, pairs: list[Pair]) -> float:
    settle = by_network(network)
    return float(np.mean([examine(settle, [pair]).mse < examine(poisson, [pair]).mse for pair in pairs]))


def _times_ms(network: FusionUNet) -> dict[str, float]:
    """Return the median milliseconds that one crop takes, for each size."""
    found = {}
    for size_px in _TIMED_SIZES_PX:
        x, mask, target = (torch.rand(1, channels, size_px, size_px) for channels in (6, 1, 3))
        rounds = []
        with torch.inference_mode():
            for _ in range(_TIMED_ROUNDS):
                started_s = time.perf_counter()
                network(x, mask, target)
                rounds.append(time.perf_counter() - started_s)
        found[str(size_px)] = round(float(np.median(rounds)) * 1000, 2)
    return found


def _as_text(table: Table) -> str:
    lines = [f"{'exam':22} {'way':30} {'fMSE':>8} {'fPSNR dB':>8} {'dE':>6} {'cast':>6}"]
    for exam, row in table.items():
        for way, one in row.items():
            psnr = 10 * np.log10(255.0**2 / one.mse)
            lines.append(f"{exam:22} {way:30} {one.mse:8.1f} {psnr:8.2f} {one.delta_e:6.2f} {one.cast:6.2f}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.training.evaluate", description=__doc__)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--count", type=int, default=200, help="pairs of each kind (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=_RESULT, help="the JSON file to write")
    parser.add_argument("--sheet", type=Path, help="a PNG with the first pairs of each kind")
    return parser


if __name__ == "__main__":
    main()
