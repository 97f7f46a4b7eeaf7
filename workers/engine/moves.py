"""How often weights came to the device from host memory: what a budget that is too small costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Moves:
    """Copies so far, of a network or of a layer each, and their bytes."""

    num: int = 0
    num_bytes: int = 0

    def note(self, num_bytes: int) -> None:
        """Count one more copy."""
        self.num += 1
        self.num_bytes += num_bytes


#: This process's.
MOVES = Moves()
