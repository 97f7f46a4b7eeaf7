"""What is sensible on hardware of a class. A setting that is given goes before its profile's."""

from __future__ import annotations

from dataclasses import dataclass

import torch

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The choices that follow from the hardware."""

    name: str
    amp: bool  # 16-bit convolutions
    graphs: bool  # CUDA graphs
    resolution_px: int  # of the largest picture that is made ready
    tile_px: int
    batch: int = 1  # crops in one pass; on GPUs one, until somebody has measured more


#: Without a GPU. In float32: bf16 is faster only on CPUs that have it, and two workers' pixels would differ.
#: By four crops: 8 % faster for one small face, 4 % for four, 3 % for a large one (bench/passes).
CPU = Profile(name="cpu", amp=False, graphs=False, resolution_px=512, tile_px=1024, batch=4)

PROFILES = {
    # 6 to 8 GB: graphs keep memory that such a card needs for the picture.
    "entry": Profile(name="entry", amp=True, graphs=False, resolution_px=512, tile_px=1024),
    "mainstream": Profile(name="mainstream", amp=True, graphs=True, resolution_px=1024, tile_px=1024),
    # A100, H100 and up: pictures up to 4096 px.
    "professional": Profile(name="professional", amp=True, graphs=True, resolution_px=4096, tile_px=2048),
}

#: What each class of cards has at least. Names on boxes are rounded up, hence a little less.
_LEAST_BYTES = (("professional", 38 * GIB), ("mainstream", 9 * GIB), ("entry", 0))


def profile_for(name: str, device: torch.device) -> Profile:
    """Return a profile by name; "auto": the one for the device's memory.

    A CPU has its own, whatever is asked for: there are no graphs there, and 16 bits must be asked for.
    """
    if device.type != "cuda":
        return CPU
    if name != "auto":
        return PROFILES[name]
    total = torch.cuda.get_device_properties(device).total_memory
    return PROFILES[class_of(total)]


def class_of(total_bytes: int) -> str:
    """Return the name of the profile for a GPU with so much memory."""
    return next(name for name, least in _LEAST_BYTES if total_bytes >= least)
