"""What this worker's pixels depend on: program, libraries, the encoder's build, the engine's networks.

Two workers that render chunks of one video must agree in all of it, or the seam between their chunks shows.
Left out is what changes no pixel that can be seen: the number of the encoder's threads, the model of the CPU.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext

from broker.fingerprint import SHOWN_DIGITS, Fingerprint, code_digest
from broker.framing import MAGIC
from broker.messages import GREY_JPEG, EncodeSpec, FuseSpec
from workers.media.trial import is_in_hardware, trouble_with
from workers.stages.running import Stages
from workers.swappers.contract import OnRuntime, Swapper

#: Encoders that write their build into the stream: "x264 - core 165", "x265 (build 216) - 4.2".
_BUILD = re.compile(rb"x264 - core \d+(?: r\d+ \w+)?|x265 \(build \d+\) - [\w.+-]+")

#: What is encoded to know an encoder that does not tell: three frames of a size that every encoder takes.
_TRIAL_PX, _TRIAL_FRAMES = (256, 144), 3

#: Libraries of FFmpeg that touch samples.
_LIBRARIES = ("libavcodec", "libavutil", "libswscale")


def fingerprint(
    swapper: Swapper,
    fuse: FuseSpec,
    encode: EncodeSpec | None,
    stages: Stages | None = None,
    looks: Mapping[str, str] | None = None,
) -> Fingerprint:
    """Return what the chunks of a job depend on here, that is rendered by `swapper` and encoded so.

    `stages` do what the job asks for after the swapper; `looks` are the digests, by name, of the weights that
    it looks for people with, if it does.
    """
    more = {} if stages is None else stages.parts(fuse)
    after = {} if stages is None else stages.models(fuse)
    models = {**swapper.models(fuse), **after, **(looks or {})}
    found = {
        "program": importlib.metadata.version("face-fusion-farm"),
        "code": code_digest("broker", "workers"),
        "segments": MAGIC.decode(),
        "PyAV": av.__version__,
        **{name: ".".join(map(str, av.library_versions[name])) for name in _LIBRARIES},
        **{f"model {name}": digest[:SHOWN_DIGITS] for name, digest in models.items()},
        **_own_code(swapper),
        **more,
    }
    if encode is not None and encode.codec:  # without one, nothing is encoded
        found[f"encoder {encode.codec}"] = _encoder(encode.codec, encode.pix_fmt)
    return found | dict(_networks()) | _onnx(swapper, fuse, looks or {}) if models else found


def _encoder(codec: str, pix_fmt: str) -> str:
    """Return an encoder's build; of one in hardware, only whether it works.

    Drivers and generations of GPUs encode differently, and farms mix them: as with the models of GPUs that
    fuse, nobody sees it. A worker without such a device is another matter.
    """
    if codec == GREY_JPEG:
        import cv2  # noqa: PLC0415 - only for those who write such

        return f"OpenCV {cv2.__version__}"
    if not is_in_hardware(codec):
        return encoder_build(codec, pix_fmt)
    trouble = trouble_with(codec, pix_fmt)
    return "works" if trouble is None else f"does not work ({trouble})"


@functools.cache
def encoder_build(codec: str, pix_fmt: str) -> str:
    """Return the build of an encoder: as it names itself, else a digest of what it makes of a few frames."""
    try:
        stream = b"".join(_trial(codec, pix_fmt))
    except (av.FFmpegError, ValueError) as error:
        return f"does not open ({type(error).__name__})"
    named = _BUILD.search(stream)
    return named[0].decode() if named else f"digest {hashlib.sha256(stream).hexdigest()[:SHOWN_DIGITS]}"


def _trial(codec: str, pix_fmt: str) -> Iterator[bytes]:
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = _TRIAL_PX
    context.pix_fmt, context.thread_count = pix_fmt, 1
    if codec == "libx265":
        context.options = {"x265-params": "log-level=none"}  # it would tell the log of every trial
    context.framerate, context.time_base = Fraction(25), Fraction(1, 25)
    for number in range(_TRIAL_FRAMES):
        frame = av.VideoFrame(*_TRIAL_PX, pix_fmt)
        for plane in frame.planes:
            plane.update(bytes((place + number) % 64 for place in range(plane.buffer_size)))
        frame.pts = number
        yield from map(bytes, context.encode(frame))
    yield from map(bytes, context.encode(None))
    yield context.extradata or b""


def _networks() -> Iterator[tuple[str, str]]:
    """Yield what networks run on. Only for engines that have some: others must not load torch."""
    import cv2  # noqa: PLC0415
    import torch  # noqa: PLC0415

    from workers.models.device import best_device  # noqa: PLC0415

    device = best_device().type
    yield "device", device
    yield "torch", torch.__version__
    yield "OpenCV", cv2.__version__
    if device == "cpu":
        # Sums are split among the threads, and floats add up differently.
        yield "torch threads", str(torch.get_num_threads())


def _onnx(swapper: Swapper, fuse: FuseSpec, looks: Mapping[str, str]) -> Fingerprint:
    """Return the runtime of installed networks, for jobs that use one: others run where it is missing."""
    provider = swapper.provider(fuse) if isinstance(swapper, OnRuntime) else ""
    if provider:
        return {"onnxruntime": f"{importlib.metadata.version('onnxruntime')} on {provider}"}
    if all(name.startswith("mtcnn-") for name in looks):  # the farm's own run on torch
        return {}
    return {"onnxruntime": importlib.metadata.version("onnxruntime")}


def _own_code(swapper: Swapper) -> Fingerprint:
    """Return the digest of an operator's own engine; this program's are part of `code`."""
    kind = type(swapper)
    place = inspect.getsourcefile(kind)
    if kind.__module__.startswith("workers.") or place is None:
        return {}
    digest = hashlib.sha256(Path(place).read_bytes()).hexdigest()
    return {f"engine {swapper.name}": digest[:SHOWN_DIGITS]}
