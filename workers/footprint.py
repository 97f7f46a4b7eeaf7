"""What a worker's process takes of memory: of its GPU's, or on a CPU of the machine's."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_KIB = 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes that others cannot have: now, and at the most since the process began."""

    used_bytes: int = 0
    peak_bytes: int = 0


def footprint() -> Footprint:
    """Return what torch's allocator has reserved of the GPU, or else what lies in memory; 0: nobody says.

    Any thread may ask: nothing waits for the device. A GPU's context and its libraries' memory are not in it.
    """
    torch = sys.modules.get("torch")  # not loaded for this: a worker without networks has no torch
    # Another thread may be in the middle of loading it; then no device is open.
    is_open = getattr(getattr(torch, "cuda", None), "is_initialized", None)
    if torch is not None and is_open is not None and is_open():
        return Footprint(used_bytes=torch.cuda.memory_reserved(), peak_bytes=torch.cuda.max_memory_reserved())
    try:
        lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
        used, peak = (int(lines[key].split()[0]) * _KIB for key in ("VmRSS", "VmHWM"))
    except (OSError, KeyError, ValueError):
        return Footprint()
    return Footprint(used_bytes=used, peak_bytes=peak)
