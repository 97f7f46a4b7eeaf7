"""What is done to a job's frames, as workers are told: its request, the preset it names, and the defaults."""

from __future__ import annotations

from typing import Any

from broker.messages import CAST, SHOWN, FuseSpec
from farm.requests import FusionPreset, JobRequest

#: A quick look, a delivery, and an artful one: what each says of the fields of `FusionRequest`.
PRESETS: dict[FusionPreset, dict[str, Any]] = {
    "quick": {"ratio": 0.5, "resolution": "512"},
    "delivery": {"ratio": 0.65, "resolution": "1024", "skin_smoothing": 0.4},
    "art": {"ratio": 0.7, "resolution": "2048", "skin_smoothing": 0.6, "brightness": 0.05},
}

#: A resolution that changes nothing.
ORIGINAL = "original"

#: What requests call otherwise than workers do, or only they know.
_NAMES = {
    "engine": "engine",
    "source_face": "source_face",
    "faces": "faces",
    "ratio": "ratio",
    "skin_smoothing": "smoothing",
    "brightness": "brightness",
    "mode": "mode",
    "detection_threshold": "threshold",
    "smallest_face": "smallest",
    "pixel_boost": "boost",
    "analyser": "analyser",
    "restore": "restore",
    "restore_weight": "restore_weight",
    "restore_fidelity": "restore_fidelity",
    "upscale": "upscale",
    "mask_blur": "mask_blur",
    "mask_padding": "mask_padding",
}


def fuse_spec(request: JobRequest) -> FuseSpec:
    """Return what is done to the frames of a job that was asked for like this.

    What the request says counts most, then what its preset says, then `FuseSpec`'s own defaults.
    """
    preset = {name: value for name, value in _preset(request).items() if name in _NAMES}
    said = {name: value for name in _NAMES if (value := getattr(request, name)) is not None}
    fields = {_NAMES[name]: value for name, value in (preset | said).items()}
    people = {"faces": CAST, "num_sources": len(request.sources)} if request.needs_people else {}
    shown = {"mode": SHOWN} if request.show_mask else {}
    masks = {"mask": tuple(request.mask or ())} | shown
    nothing = {"engine": "passthrough"} if request.work == "faces" else {}
    return FuseSpec(**(fields | people | masks | nothing))


def resolution(request: JobRequest) -> int | None:
    """Return how long, in pixels, the longer side of what comes out may be; None: as long as the input's.

    A preset's counts only where the request says nothing of the output's size.
    """
    said = request.resolution
    if said is None and request.resize is None and request.upscale is None:
        said = _preset(request).get("resolution")
    return None if said in {None, ORIGINAL} else int(said)


def _preset(request: JobRequest) -> dict[str, Any]:
    return {} if request.preset is None else PRESETS[request.preset]
