"""Everything that can go wrong between the farm and the workers.

BrokerError
├── BrokerUnreachable   Redis does not answer
├── StoreFull           the window, or Redis itself, has no room (wait, then try again)
│   └── LogUnwritable   Redis cannot write its log of changes, and takes no more until it can
├── SegmentMissing      a segment, or one of its parts, is not there
├── SegmentCorrupt      a segment's bytes are not those that were stored
├── LeaseLost           the chunk now belongs to somebody else, or to nobody
├── BadMessage          a message that this version cannot read
├── ModelMissing        a model is not installed on this machine
└── ModelSpoiled        a model's file, or the registry, is not what was installed
"""


class BrokerError(Exception):
    """The root of this package's errors."""


class BrokerUnreachable(BrokerError):
    """Raised when Redis does not answer, or hangs up."""


class StoreFull(BrokerError):
    """Raised when a part does not fit: back-pressure, not a failure. Wait and try again."""


class LogUnwritable(StoreFull):
    """Raised when Redis takes no changes, because it cannot write them to its log: its disk is full."""


class SegmentMissing(BrokerError):
    """Raised when a segment, or one of its parts, is gone: never stored, deleted, or lost with Redis."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no segment {name!r}")
        self.name = name


class SegmentCorrupt(BrokerError):
    """Raised when a segment ends early, or its bytes do not match their digest."""


class LeaseLost(BrokerError):
    """Raised when a worker acts on a chunk that it no longer holds: stop, and throw the work away."""

    def __init__(self, job_id: str, index: int, attempt: int) -> None:
        super().__init__(f"attempt {attempt} at chunk {index} of job {job_id} has lost its lease")
        self.job_id = job_id
        self.index = index
        self.attempt = attempt


class BadMessage(BrokerError):
    """Raised when a message has an unknown kind or version, or lacks a field."""


class ModelMissing(BrokerError):
    """Raised when a model is not installed on this machine."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the model {name!r} is not installed here: `farm models pull {name}` gets it, or "
            f"`farm models add PATH --name {name}` takes your own copy"
        )
        self.name = name


class ModelSpoiled(BrokerError):
    """Raised when a model's file, or the registry itself, is not what was installed."""
