"""Everything that can go wrong while a chunk is rendered. `is_final`: no other attempt can do better.

RenderError
├── DecodeMismatch   the segment does not decode to the frames that its header names
├── EncodeFailed     the encoder refused the frames or its options
├── UnknownEngine    no engine of that name is installed here
├── SourceUnusable   the source portrait cannot be used
│   ├── NotAPicture
│   ├── NoFaceFound
│   └── NoSuchFace
├── WeightsRejected  a weight file is not the one that was shipped
├── ModelMissing     an engine's model, or one that it needs, is not installed here
├── ModelUnusable    a model's file is spoiled, or not of the contract that it is installed under
├── PackageMissing   a Python package that an engine needs is not installed here
├── BadSettings      farm.yaml, or an option, has a key or a value that it cannot have
├── BudgetTooSmall   the memory budget does not hold what must fit into it
├── OutOfMemory      the device's memory ran out at the foot of the ladder
├── UnsuitablePrecision   a device cannot compute in that precision, or only far too slowly
├── OtherBuild       this worker has other code, libraries or weights than the plan's
└── Stopped          the chunk was taken away: canceled, or its lease was lost
"""

from broker.messages import OTHER_BUILD


class RenderError(Exception):
    """The root of this package's errors. `code` is stable; people and scripts key on it."""

    code = "render-failed"
    is_final = False


class DecodeMismatch(RenderError):
    """Raised when a segment does not decode to exactly the frames that its header names."""

    code = "decode-mismatch"


class EncodeFailed(RenderError):
    """Raised when the encoder refuses the frames or its options."""

    code = "encode-failed"


class UnknownEngine(RenderError):
    """Raised when a job asks for an engine that is not installed here."""

    code = "unknown-engine"
    is_final = True


class SourceUnusable(RenderError):
    """Raised when the source portrait cannot be used."""

    code = "source-unusable"
    is_final = True


class NotAPicture(SourceUnusable):
    """Raised when the source portrait cannot be read as a picture."""

    code = "not-a-picture"


class NoFaceFound(SourceUnusable):
    """Raised when no face is found in the source portrait."""

    code = "no-face"


class NoSuchFace(SourceUnusable):
    """Raised when the source portrait has fewer faces than the one asked for."""

    code = "no-such-face"


class WeightsRejected(RenderError):
    """Raised when a weight file's hash or keys are not the expected ones."""

    code = "weights-rejected"
    is_final = True


class ModelMissing(RenderError):
    """Raised when an engine's model, or one that it needs, is not installed here; the message says how to."""

    code = "model-missing"
    is_final = True


class ModelUnusable(RenderError):
    """Raised when a model's file is spoiled, or not of the contract that it is installed under."""

    code = "model-unusable"
    is_final = True


class PackageMissing(RenderError):
    """Raised when a Python package that an engine needs is not installed here."""

    code = "package-missing"
    is_final = True


class BadSettings(RenderError):
    """Raised when farm.yaml, or an option, has a key or a value that it cannot have."""

    code = "bad-settings"
    is_final = True


class BudgetTooSmall(RenderError):
    """Raised when a memory budget does not hold what must fit into it, even at the foot of the ladder."""

    code = "memory-budget-too-small"

    def __init__(self, limit_bytes: int, needed_bytes: int | None) -> None:
        """Take the budget, and the least that would do; None where even that is unknown."""
        would_do = "more than the device has" if needed_bytes is None else f"{needed_bytes / 1e9:.4f} GB"
        super().__init__(f"a budget of {limit_bytes / 1e9:.4f} GB is too small; what would do: {would_do}")
        self.needed_bytes = needed_bytes


class OutOfMemory(RenderError):
    """Raised when the device's memory runs out though nothing is left to give up: another may have more."""

    code = "out-of-memory"


class UnsuitablePrecision(RenderError):
    """Raised when a device cannot compute in a precision, or only far too slowly to be meant."""

    code = "unsuitable-precision"
    is_final = True


class NoSuchGpu(RenderError):
    """Raised when a worker is asked for on a GPU that this machine does not have."""

    code = "no-such-gpu"
    is_final = True


class OtherBuild(RenderError):
    """Raised when this worker would not render what the plan's worker would."""

    code = OTHER_BUILD


class Stopped(RenderError):
    """Raised inside a render when its chunk was taken away: canceled, or the lease was lost."""

    code = "stopped"
