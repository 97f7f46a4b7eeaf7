"""Says where the logs of a private farm that failed are kept: the farm itself is gone with its home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farm.cli.exits import FAILED, exit_code_of
from farm.errors import FarmUnreachable
from farm.launching.kept_logs import keep_logs
from farm.schemas import JobView
from farm.states import JobState

RETRY_HINT = "a farm that stays (`farm up`) keeps what was rendered, for `farm retry`"


def logs_named(view: JobView, farm_home: Path, user_home: Path) -> JobView:
    """Return a job whose error says where the logs are, if it failed and not for its input.

    Whatever could have been retried is gone with the farm.
    """
    if view.state != JobState.FAILED or view.error is None or exit_code_of(view.error.code) != FAILED:
        return view
    hint = RETRY_HINT if view.can_retry else view.error.hint
    error = view.error.model_copy(update={"hint": _hint(hint, keep_logs(farm_home, user_home, view.job))})
    return view.model_copy(update={"error": error, "can_retry": False})


@contextmanager
def logs_kept_if_it_dies(farm_home: Path, user_home: Path) -> Iterator[None]:
    """Keep the logs of a farm that could not go on, and say where they are.

    Raises:
        FarmUnreachable: as the block raised it.
    """
    try:
        yield
    except FarmUnreachable as error:
        kept = keep_logs(farm_home, user_home, farm_home.name.rpartition("-")[2])
        raise FarmUnreachable(error.message, hint=_hint(error.hint, kept), code=error.code) from error


def _hint(hint: str, kept: Path | None) -> str:
    return hint if kept is None else f"{hint}{'; ' if hint else ''}the farm's logs are kept in {kept}"
