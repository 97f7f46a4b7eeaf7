"""Where Redis ends and the farm's own words begin: its errors are renamed, its scripts have names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from broker.errors import BrokerError, BrokerUnreachable, LogUnwritable, StoreFull

if TYPE_CHECKING:
    from redis import Redis

#: What Redis says when it may not grow. Before version 7 a script wraps it in an error of its own, which the
#: client does not recognise as `OutOfMemoryError`.
_OUT_OF_MEMORY = "OOM command not allowed"

#: What it says when the disk with its log of changes is full, in a script or outside.
_LOG_UNWRITABLE = "MISCONF"


@contextmanager
def renamed_errors() -> Iterator[None]:
    """Run the block; what Redis raises in it comes out as the farm's own.

    Raises:
        BrokerUnreachable: no answer, or the connection broke.
        StoreFull: Redis is at its memory limit; `LogUnwritable` if its disk is full.
        BrokerError: anything else that Redis refuses.
    """
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError) as error:
        raise BrokerUnreachable(f"Redis does not answer: {error}") from error
    except RedisError as error:
        if isinstance(error, OutOfMemoryError) or _OUT_OF_MEMORY in str(error):
            raise StoreFull("Redis is at its memory limit") from error
        if _LOG_UNWRITABLE in str(error):
            raise LogUnwritable(f"Redis cannot write its log of changes: {error}") from error
        raise BrokerError(f"Redis refuses: {error}") from error


class AtomicStep:
    """One script of broker/lua: everything in it happens at once, or nothing does."""

    def __init__(self, redis: Redis, name: str) -> None:
        text = files("broker").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
        self._script = redis.register_script(text)

    def __call__(self, keys: Sequence[str], *values: str | int | bytes) -> Any:
        """Run the step; the script's head says what its keys, values and answer are.

        Raises:
            BrokerUnreachable: no answer, or the connection broke.
            StoreFull: Redis is at its memory limit.
        """
        with renamed_errors():
            return self._script(keys=list(keys), args=list(values))
