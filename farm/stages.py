"""What stages beside the engine mean for a job: whether it can have them, and how large its frames become."""

from __future__ import annotations

from dataclasses import replace

from broker.framing import first_field
from broker.installed import UPSCALING, Kind, ModelStore
from farm.errors import BadInput, ModelRefused
from farm.media.info import MediaInfo
from farm.modelstore.catalogue import known_models
from farm.modelstore.registry import read
from farm.requests import JobRequest

#: The longest side that encoders here write, in pixels: x264's and x265's.
MOST_SIDE_PX = 16384


def stage_names(request: JobRequest) -> tuple[str, ...]:
    """Return the models that a request asks for beside its engine and analyser."""
    return tuple(name for name in (request.restore, request.upscale) if name is not None)


def check_stages(request: JobRequest, info: MediaInfo, store: ModelStore) -> None:
    """Look at what is asked for after the engine.

    Raises:
        BadInput: it cannot be done to this input, or with this engine.
        ModelRefused: a model is of another kind, or nothing is known of it here.
    """
    if request.restore is None and (request.restore_weight, request.restore_fidelity) != (None, None):
        raise BadInput(
            "--restore-weight and --restore-fidelity are for --restore", hint="give --restore NAME"
        )
    if request.restore is not None:
        _check_kind(store, request.restore, "--restore", "restorer")
        if request.engine == "passthrough":
            raise BadInput(
                "--restore restores faces that were changed, and passthrough changes none",
                hint="choose another --engine; with --ratio 0 nothing of the source shows",
            )
    if request.upscale is not None:
        _check_kind(store, request.upscale, "--upscale", "upscaler")
        if first_field(info.video.field_order):
            raise BadInput(
                "--upscale enlarges whole pictures, and the input is interlaced",
                hint="give --deinterlace, too",
            )


def as_rendered(request: JobRequest, info: MediaInfo, store: ModelStore) -> MediaInfo:
    """Return an input's description with the size that its frames have when they are encoded.

    Its bytes grow with its pixels: what an output needs is guessed from them.

    Raises:
        ModelRefused: nothing is known here of the network that is to enlarge them.
        BadInput: they become larger than encoders take.
    """
    if request.upscale is None:
        return info
    factor, video = factor_of(store, request.upscale), info.video
    longest_px = factor * max(video.upright_size)
    if longest_px > MOST_SIDE_PX:
        raise BadInput(
            f"--upscale {request.upscale} makes frames of {longest_px} pixels; encoders take {MOST_SIDE_PX}",
            hint="choose a network that enlarges less",
        )
    size = None if video.size is None else (video.size[0] * factor, video.size[1] * factor)
    large = replace(video, width=video.width * factor, height=video.height * factor, size=size)
    return replace(info, video=large, size_bytes=info.size_bytes * factor * factor)


def factor_of(store: ModelStore, name: str) -> int:
    """Return how many times as large a side frames become by an enlarging network.

    Raises:
        ModelRefused: nothing is known here of a model of that name, or it enlarges nothing.
    """
    contract = _kind_and_contract(store, name)[1]
    if contract is None:
        raise ModelRefused(
            f"the model {name} is not known here, and outputs are planned by what it makes of a picture",
            hint=f"install it on the farm's machine, too: `farm models add PATH --name {name}`",
            code="model-missing",
        )
    if contract not in UPSCALING:
        raise ModelRefused(f"{name} enlarges nothing", hint="`farm models list` says what kind models are of")
    return UPSCALING[contract]


def _check_kind(store: ModelStore, name: str, option: str, wanted: Kind) -> None:
    kind, _ = _kind_and_contract(store, name)
    if kind not in {None, wanted}:
        raise ModelRefused(
            f"{option} wants a model of the kind {wanted}, and {name} is one of the kind {kind}",
            hint="`farm models list` says what kind models are of",
        )


def _kind_and_contract(store: ModelStore, name: str) -> tuple[Kind | None, str | None]:
    """Return what is known of a model: as it is installed, else as the catalogue has it."""
    model = read(store).get(name) or known_models().get(name)
    return (None, None) if model is None else (model.kind, model.contract)
