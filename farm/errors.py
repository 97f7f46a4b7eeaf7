"""Everything that can go wrong in the farm. Each error says what happened, and what would help.

FarmError
├── BadInput                 the user's files or options cannot be used (exit code 2, HTTP 422)
│   ├── NotAVideo, EmptyFile, NoVideoStream, TruncatedVideo, DamagedVideo, UnsupportedMedia
│   ├── SourceRefused        the portrait: missing, not a picture, no face
│   ├── OutputRefused        missing or unwritable directory, output equals input, no space
│   ├── PersonNotFound       nobody in the video is whom the user means
│   ├── GalleryRefused       a directory is no gallery of this video
│   └── ModelRefused         a model: unknown, not installed, not the file it should be, terms not accepted
├── JobNotFound              no such job (404)
├── StaleTransition          the row is no longer in the state that was expected (409)
├── JobFailed                a job ended in failure (exit code 1)
├── StitchMismatch           the finished file is not what the manifest promises
├── DownloadFailed           a model could not be downloaded
├── FfmpegFailed             the ffmpeg program gave up
├── ServiceMissing           a program that the farm starts is not installed
└── FarmUnreachable          no farm answers (exit code 3)
"""


class FarmError(Exception):
    """The root of this package's errors. `code` is stable; `hint` is the remedy, in one sentence."""

    code = "farm-error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code


class BadInput(FarmError):
    """Raised when the user's files or options cannot be used."""

    code = "bad-input"


class NotAVideo(BadInput):
    """Raised when a file cannot be opened as a video."""

    code = "not-a-video"


class EmptyFile(BadInput):
    """Raised when a file has no bytes."""

    code = "empty-file"


class NoVideoStream(BadInput):
    """Raised when a file has streams, but none of video."""

    code = "no-video-stream"


class TruncatedVideo(BadInput):
    """Raised when a file ends before its index says so."""

    code = "truncated-video"


class DamagedVideo(BadInput):
    """Raised when parts of a file cannot be read."""

    code = "damaged-video"


class UnsupportedMedia(BadInput):
    """Raised when a video is of a kind that the farm cannot carry exactly."""

    code = "unsupported-media"


class SourceRefused(BadInput):
    """Raised when the source portrait is missing, not a picture, or has no face."""

    code = "source-refused"


class OutputRefused(BadInput):
    """Raised when the output cannot be written where it was asked for."""

    code = "output-refused"


class ModelRefused(BadInput):
    """Raised when a model is unknown, not installed, not the file it should be, or its terms not accepted."""

    code = "model-refused"


class PersonNotFound(BadInput):
    """Raised when nobody in a video is whom its user means."""

    code = "person-not-found"


class GalleryRefused(BadInput):
    """Raised when a directory is no gallery, or one of another video."""

    code = "gallery-refused"


class DownloadFailed(FarmError):
    """Raised when a model could not be downloaded; what has come is kept, and the next try goes on there."""

    code = "download-failed"


class JobNotFound(FarmError):
    """Raised when there is no such job."""

    code = "job-not-found"


class StaleTransition(FarmError):
    """Raised when a row is no longer in the state that a change expected."""

    code = "stale-transition"


class JobFailed(FarmError):
    """Raised when a job ended in failure."""

    code = "job-failed"


class StitchMismatch(FarmError):
    """Raised when the finished file is not what the manifest promises."""

    code = "stitch-mismatch"


class FfmpegFailed(FarmError):
    """Raised when the ffmpeg program gives up; the message ends with the tail of what it said."""

    code = "ffmpeg-failed"


class ServiceMissing(FarmError):
    """Raised when a program that the farm must start is not installed."""

    code = "service-missing"


class FarmUnreachable(FarmError):
    """Raised when no farm answers."""

    code = "farm-unreachable"


#: What workers say of a source or a request that can never work; to a user it is bad input too.
WORKER_BAD_INPUT = frozenset(
    {
        "model-missing",
        "no-face",
        "not-a-picture",
        "no-such-face",
        "package-missing",
        "source-unusable",
        "unknown-engine",
    }
)


def is_bad_input(code: str) -> bool:
    """Say whether an error code means that the user's files or options cannot be used."""
    return code in WORKER_BAD_INPUT or code in _codes(BadInput)


def _codes(root: type[FarmError]) -> set[str]:
    return {root.code}.union(*(_codes(kind) for kind in root.__subclasses__()))
