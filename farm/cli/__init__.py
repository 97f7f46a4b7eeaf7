"""The `farm` command. Modules here import little, so that `farm --help` answers at once."""

from farm.cli.entry import main

__all__ = ["main"]
