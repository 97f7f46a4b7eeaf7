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
└── Stopped          the chunk was taken away: canceled, or its lease was lost
"""


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


class NoSuchGpu(RenderError):
    """Raised when a worker is asked for on a GPU that this machine does not have."""

    code = "no-such-gpu"
    is_final = True


class Stopped(RenderError):
    """Raised inside a render when its chunk was taken away: canceled, or the lease was lost."""

    code = "stopped"
