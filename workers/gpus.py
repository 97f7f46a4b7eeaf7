"""Which GPUs this machine has, asked without touching them: the process that owns a device opens it first."""

from __future__ import annotations

import shutil
import subprocess

from workers.errors import NoSuchGpu


def choose_gpus(wish: str) -> list[str | None]:
    """Return a GPU index per worker to start, or `[None]` for one worker on the CPU.

    Args:
        wish: "all", "none", or indexes such as "0,2".

    Raises:
        NoSuchGpu: an index that this machine does not have.
    """
    if wish == "none":
        return [None]
    present = list_gpus()
    if wish == "all":
        return [*present] or [None]
    chosen = [index.strip() for index in wish.split(",")]
    missing = [index for index in chosen if index not in present]
    if missing:
        raise NoSuchGpu(f"no GPU {', '.join(missing)} here; there are: {', '.join(present) or 'none'}")
    return [*chosen]


def list_gpus() -> list[str]:
    """Return the indexes that the NVIDIA driver's own tool names; empty where there is no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    answer = subprocess.run(
        [program, "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return answer.stdout.split() if answer.returncode == 0 else []
