"""The entry point: runs a command, and turns whatever it raises into a line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from farm.cli.app import app
from farm.cli.exits import BAD_USAGE, DONE, FAILED, INTERRUPTED, exit_code, say_error, wants_json
from farm.cli.interruption import Interrupted, say_interrupted
from farm.errors import BadInput, FarmError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (by default the process's own) name, and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    has_job = list(arguments[:1]) not in (["probe"], ["models"])
    try:
        result: Any = app(args=list(arguments), prog_name="farm", standalone_mode=False)
    except Interrupted as error:
        return say_interrupted(error, as_json=wants_json(arguments))
    except FarmError as error:
        say_error(error, as_json=wants_json(arguments), has_job=has_job)
        return exit_code(error)
    except typer.TyperException as error:
        usage = BadInput(error.format_message(), hint=_usage_hint(error), code="bad-usage")
        say_error(usage, as_json=wants_json(arguments), has_job=has_job)
        return BAD_USAGE
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`farm list | head`); the last flush may not complain of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if result == INTERRUPTED:  # also what typer makes of a KeyboardInterrupt that nobody caught
        return say_interrupted(Interrupted("interrupted"), as_json=wants_json(arguments))
    return result if isinstance(result, int) else DONE


def _usage_hint(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path if context is not None else 'farm'} --help` explains"
