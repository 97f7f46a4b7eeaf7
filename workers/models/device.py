"""Where the networks run."""

from __future__ import annotations

import torch


def best_device() -> torch.device:
    """Return the GPU that this process was pinned to (CUDA_VISIBLE_DEVICES), else the CPU.

    On a GPU, kernels are made to give the same bits whenever they see the same crop: a frame must not
    show which worker rendered it, or in which chunk. TF32 is off for the same reason, and because
    landmarks are wanted to a fraction of a pixel.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device("cuda", 0)
