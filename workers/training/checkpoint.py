"""A training that can be stopped and taken up again."""

from __future__ import annotations

from pathlib import Path

import torch

from workers.training.trainer import Trainer


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write the training's state to `path`, in one move: a stop leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".part")
    state = {
        "network": trainer.network.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "step": trainer.step,
        "spent_s": trainer.spent_s,
        "seed": trainer.settings.seed,
    }
    torch.save(state, written)
    written.replace(path)


def load_checkpoint(trainer: Trainer, path: Path) -> None:
    """Continue from `path`.

    Raises:
        ValueError: that training had another seed, so its exercises were others.
    """
    state = torch.load(path, weights_only=True)
    if state["seed"] != trainer.settings.seed:
        raise ValueError(f"{path} was trained with seed {state['seed']}, not {trainer.settings.seed}")
    trainer.network.load_state_dict(state["network"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    trainer.step, trainer.spent_s = state["step"], state["spent_s"]
