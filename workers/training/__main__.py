"""Trains the fusion network and writes its weight file."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from pathlib import Path
from typing import Any

import torch

from broker.clock import Clock, SystemClock
from workers.models.unet import LITE
from workers.models.weights import SHIPPED
from workers.training.checkpoint import load_checkpoint, save_checkpoint
from workers.training.exam import by_network, drawn_exams, examine
from workers.training.pairs import Pair
from workers.training.pool import draw_pool
from workers.training.portraits import crop_folder
from workers.training.publish import publish
from workers.training.settings import Settings
from workers.training.trainer import Trainer

_CHECKPOINT = Path("build/training/fusion-lite.pt")
_REPORT_EVERY_S = 30.0
_NUM_EXAM_PAIRS = 24  # of each kind: seconds, and enough to see the trend
_LOSS_MEMORY = 0.97  # of the running mean that is reported

_log = logging.getLogger("workers.training")


def main(arguments: list[str] | None = None) -> None:
    """Train, report on the way, and publish."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    options = _parser().parse_args(arguments)
    settings = Settings(
        minutes=options.minutes, seed=options.seed, num_trios=options.trios, portraits=options.portraits
    )
    torch.set_num_threads(options.threads)
    photos = tuple(crop_folder(settings.portraits, settings.size_px)) if settings.portraits else ()
    _log.info("drawing %d trios", settings.num_trios)
    clock = SystemClock()
    trainer = Trainer(
        LITE, draw_pool(settings.seed, settings.num_trios, settings.size_px, photos), settings, clock
    )
    if options.resume and options.checkpoint.exists():
        load_checkpoint(trainer, options.checkpoint)
    exams = drawn_exams(_NUM_EXAM_PAIRS, settings.size_px)
    _train(trainer, exams, options.checkpoint, clock)
    publish(trainer.network, options.out, {"training": _facts(trainer, len(photos))})
    _log.info("wrote %s; now run python -m workers.training.evaluate", options.out)


def _train(trainer: Trainer, exams: dict[str, list[Pair]], checkpoint: Path, clock: Clock) -> None:
    loss, reported_s = None, clock.now_s()
    while not trainer.is_done:
        latest = trainer.advance()
        loss = latest if loss is None else _LOSS_MEMORY * loss + (1.0 - _LOSS_MEMORY) * latest
        if clock.now_s() - reported_s >= _REPORT_EVERY_S or trainer.is_done:
            save_checkpoint(trainer, checkpoint)
            _log.info("%s", _progress(trainer, loss, exams))
            reported_s = clock.now_s()


def _progress(trainer: Trainer, loss: float, exams: dict[str, list[Pair]]) -> str:
    settle = by_network(trainer.network.eval())
    scores = ", ".join(f"{name} {examine(settle, exam).mse:.1f}" for name, exam in exams.items())
    return f"step {trainer.step}, {trainer.spent_s:.0f} s, loss {loss:.4f}, held-out fMSE: {scores}"


def _facts(trainer: Trainer, num_photos: int) -> dict[str, Any]:
    settings = dataclasses.asdict(trainer.settings)
    del settings["portraits"]  # a path on somebody's machine
    data = {"drawn_trios": trainer.settings.num_trios, "photos": num_photos}
    return {"data": data, "steps": trainer.step, "seconds": round(trainer.spent_s), **settings}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.training", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="how long to train (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trios", type=int, default=1000, help="how many to draw (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (default: %(default)s)")
    parser.add_argument("--portraits", type=Path, help="a folder of photographs to train on as well")
    parser.add_argument("--checkpoint", type=Path, default=_CHECKPOINT)
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint, if there is one")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the weight file to write")
    return parser


if __name__ == "__main__":
    main()
