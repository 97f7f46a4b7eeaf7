"""What `farm presets` does."""

from __future__ import annotations

import sys

from farm.cli.exits import DONE
from farm.cli.wording import columns, json_line
from farm.media.presets import PRESETS


def show_presets(*, as_json: bool) -> int:
    """Print the named kinds of output."""
    if as_json:
        rows = [
            {"name": name, "about": preset.about, "suffixes": list(preset.suffixes)}
            for name, preset in PRESETS.items()
        ]
        sys.stdout.write(json_line({"presets": rows}))
        return DONE
    lines = [(name, " ".join(preset.suffixes), preset.about) for name, preset in PRESETS.items()]
    sys.stdout.write(columns(("PRESET", "GOES INTO", "WHAT IT IS"), lines) + "\n")
    return DONE
