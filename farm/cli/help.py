"""Help in sections: options and commands under the headings of their panels, without the weight of rich."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from typer import Context
from typer.core import TyperCommand, TyperGroup

#: Where options go that name no panel.
_OPTIONS, _COMMANDS = "Options", "Commands"

#: What a line of help spends beside the name and the text: two margins of spaces.
_MARGINS_COLUMNS = 6


class SectionedCommand(TyperCommand):
    """A command whose options stand under their panels' headings; those without a panel come last."""

    def format_options(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]
        """Write the arguments, then the options, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], _OPTIONS: []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                is_argument = param.param_type_name == "argument"
                heading = "Arguments" if is_argument else getattr(param, "rich_help_panel", None) or _OPTIONS
                sections.setdefault(heading, []).append(record)
        general = sections.pop(_OPTIONS)
        _write(formatter, [*sections.items(), ("Other options" if len(sections) > 1 else _OPTIONS, general)])


class SectionedGroup(TyperGroup):
    """Commands under their panels' headings."""

    def format_commands(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]
        """Write a line for each command, section by section."""
        commands = [self.commands[name] for name in self.list_commands(ctx)]
        limit = formatter.width - _MARGINS_COLUMNS - max(len(each.name or "") for each in commands)
        sections: dict[str, list[tuple[str, str]]] = {}
        for each in commands:
            heading = getattr(each, "rich_help_panel", None) or _COMMANDS
            sections.setdefault(heading, []).append((each.name or "", each.get_short_help_str(limit)))
        _write(formatter, sections.items())


def _write(formatter: Any, sections: Iterable[tuple[str, list[tuple[str, str]]]]) -> None:
    for heading, records in sections:
        if records:
            with formatter.section(heading):
                formatter.write_dl(records)
