"""From the tables to flags: a command's signature is made, not written.

Typer reads options from a function's signature.  Each option is declared once, as an ``Argument``;
here it becomes a parameter.  Every valued option arrives as text and is checked by its own kind, so
that ``--units 2.5`` and ``units: 2.5`` get the same answer, and all errors come at once.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from rnnshape.layers.arguments import REQUIRED, Argument, Flag, OneOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# More values than this would make a paragraph of a help line.
_FEW = 8


def _as_text(parameters: list[Any]) -> list[Any]:
    """Let values reach a command as the text that they are.

    Typer would build a pydantic adapter for each option, given or not, which takes longer than
    theory's whole answer; what a value means and whether it may stand there is said by its
    ``Argument``.  An option with a callback (``--version``, completion) is left to Typer once it is given.
    """

    def taken(parameter: Any, coerced: Callable[..., Any]) -> Callable[..., Any]:
        def process_value(ctx: Any, value: Any) -> Any:
            return value if value is None or parameter.callback is None else coerced(ctx, value)

        return process_value

    for parameter in parameters:
        if "process_value" not in vars(parameter):
            parameter.process_value = taken(parameter, parameter.process_value)
    return parameters


class Group(TyperGroup):
    """The application itself."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_text(super().get_params(ctx))


class Sectioned(TyperCommand):
    """A command whose plain help has its options under headings.

    Typer draws headings only in its Rich panels, which cut long option names at 80 columns and cost
    a third of the time that ``--help`` takes.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_text(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                sections.setdefault(getattr(parameter, "rich_help_panel", None) or "Help", []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def with_flags(function: Callable[..., Any], panels: Mapping[str, Iterable[Argument]]) -> Callable[..., Any]:
    """The function with one keyword parameter for each argument, under the panel's heading in help."""
    parameters = [_parameter(argument, panel) for panel, arguments in panels.items() for argument in arguments]
    own = [
        value
        for value in Signature.from_callable(function, eval_str=True).parameters.values()
        if value.kind != Parameter.VAR_KEYWORD
    ]

    def flagged(*args: Any, **flags: Any) -> None:
        function(*args, **flags)

    flagged.__doc__ = function.__doc__
    flagged.__signature__ = Signature([*own, *parameters])  # type: ignore[attr-defined]
    flagged.__annotations__ = {value.name: value.annotation for value in (*own, *parameters)}
    return flagged


def given(values: Mapping[str, Any], arguments: Mapping[str, Argument]) -> dict[str, Any]:
    """The options that were really given, each as the value that its text means."""
    return {
        name: arguments[name].kind.from_text(value) if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }


def _parameter(argument: Argument, panel: str) -> Parameter:
    declared: dict[str, Any] = {"help": _help(argument), "rich_help_panel": panel, "show_default": False}
    names = [argument.option]
    if argument.short:
        names.append(f"-{argument.short}")
    if isinstance(argument.kind, Flag):
        kind: Any = bool | None
        if argument.default is True:
            names[0] += f"/--no-{argument.name.replace('_', '-')}"
    else:
        kind = str | None
        declared["metavar"] = argument.kind.metavar
        if isinstance(argument.kind, OneOf):
            declared["autocompletion"] = _completion(argument.kind.texts)
    option = typer.Option(*names, **declared)
    return Parameter(argument.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _help(argument: Argument) -> str:
    """The help line, with the few values that there are and the default."""
    kind, default = argument.kind, argument.default if argument.cli_default is REQUIRED else argument.cli_default
    text = argument.help
    if isinstance(kind, OneOf) and len(kind.values) <= _FEW:
        text += f" {', '.join(kind.texts)}."
    return text if default is None or isinstance(kind, Flag) else f"{text} Default: {str(default).lower()}."


def _completion(words: tuple[str, ...]) -> Callable[[str], list[str]]:
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]
