"""Options that are declared once, as a dataclass, and taken by several commands."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, TypeGuard, get_type_hints


def spread(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` as typer must see it: a parameter that is a dataclass is spread into its fields.

    A field's annotation holds its `typer.Option`, as a parameter's would.
    """
    given = inspect.signature(command, eval_str=True).parameters.values()
    groups = {each.name: each.annotation for each in given if _is_group(each.annotation)}

    def spread_command(**said: Any) -> int:
        made = {name: _taken_from(said, group) for name, group in groups.items()}
        return command(**made, **said)

    parameters = [each for one in given for each in _fields_of(one)]
    spread_command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    spread_command.__annotations__ = {each.name: each.annotation for each in parameters}
    spread_command.__doc__, spread_command.__name__ = command.__doc__, command.__name__
    return spread_command


def _taken_from(said: dict[str, Any], group: type[Any]) -> object:
    return group(**{field.name: said.pop(field.name) for field in dataclasses.fields(group)})


def _is_group(annotation: object) -> TypeGuard[type[Any]]:
    return isinstance(annotation, type) and dataclasses.is_dataclass(annotation)


def _fields_of(parameter: Parameter) -> list[Parameter]:
    group = parameter.annotation
    if not _is_group(group):
        return [parameter.replace(kind=Parameter.KEYWORD_ONLY)]
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is dataclasses.MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(group)
    ]
