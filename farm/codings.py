"""What outputs may be encoded as, and how fast: names that the command line, the API and the encoders share.

A module without pydantic, so that `farm --help` answers at once.
"""

from __future__ import annotations

from typing import Literal

#: x264's presets, fastest first (x264_preset_names in its x264.h).
X264Preset = Literal[
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
]

#: FFmpeg's names of the coding formats that outputs may have.
Codec = Literal["h264", "hevc", "av1", "vp9", "prores", "ffv1"]
