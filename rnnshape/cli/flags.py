"""Make command-line flags from the tables of arguments.

Typer reads options from a function's signature.  Each option is declared once, as an ``Argument``;
here it becomes a parameter.  Every option with a value arrives as text and is checked by its own kind, so
that ``--units 2.5`` and ``units: 2.5`` get the same error, and all errors are reported together.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from keyword import iskeyword
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from rnnshape.cli import coloured, completion, usage
from rnnshape.cli.output import clean_ending
from rnnshape.layers.arguments import Argument, Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Panels = Mapping[str, Mapping[str, Argument]]


def _as_text(parameters: list[Any]) -> list[Any]:
    """Make Typer pass option values as plain text, and make completion work for ``--option=value``.

    Typer would build a pydantic adapter for every option, given or not, which takes longer than a
    whole prediction.  An ``Argument`` converts and checks its own value instead.  Typer still
    processes a given option that has a callback (``--version``, completion).
    """

    def taken(parameter: Any, coerced: Callable[..., Any]) -> Callable[..., Any]:
        def process_value(ctx: Any, value: Any) -> Any:
            return value if value is None or parameter.callback is None else coerced(ctx, value)

        return process_value

    for parameter in parameters:
        if "process_value" not in vars(parameter):
            parameter.process_value = taken(parameter, parameter.process_value)
            parameter.shell_complete = completion.joined(parameter.shell_complete)
    return parameters


def _coloured(ctx: Any) -> Any:
    """The context, with a coloured help formatter if colour is wanted."""
    if coloured.wanted():
        ctx.formatter_class = coloured.Coloured
    return ctx


class Group(TyperGroup):
    """The application.  Its help lists the commands under headings, with their full descriptions."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_text(super().get_params(ctx))

    def get_help(self, ctx: Any) -> str:
        return super().get_help(_coloured(ctx))

    def make_context(self, *args: Any, **extra: Any) -> Any:
        parameter: Any
        for parameter in self.params:
            if parameter.name in ("install_completion", "show_completion"):
                parameter.callback = completion.needs_a_shell(parameter.callback)
        return super().make_context(*args, **extra)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise usage.no_command(args[0], self.commands)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands, then the options, then examples."""
        self.format_commands(ctx, formatter)
        records = [record for parameter in self.get_params(ctx) if (record := parameter.get_help_record(ctx))]
        _write(formatter, {"Options": records, "Examples": EXAMPLES}, col_max=44)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            heading = getattr(command, "rich_help_panel", None) or "Commands"
            sections.setdefault(heading, []).append((name, command.help or ""))
        _write(formatter, sections, col_max=max(map(len, self.commands)))


EXAMPLES = [
    ("rnnshape lstm -u 8 --return-state", "An LSTM and its states."),
    ('rnnshape show "LSTM(8) | Dense(1)"', "A line of Keras."),
    ("rnnshape batch runs.yaml", "Many runs from a file."),
    ("rnnshape help masks", "A topic; rnnshape help lists them."),
]


class Sectioned(TyperCommand):
    """A command whose plain help has its options under headings.

    Typer has headings only in its Rich panels, which cut long option names at 80 columns and take
    a third of the time of ``--help``.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_text(super().get_params(ctx))

    def get_help(self, ctx: Any) -> str:
        return super().get_help(_coloured(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True  # so that the error below is ours, not Typer's
        left = super().parse_args(ctx, args)
        if ctx.resilient_parsing:
            return left
        known = {word for parameter in self.get_params(ctx) for word in parameter.opts}
        for parameter in self.get_params(ctx):
            value = ctx.params.get(parameter.name)
            values = value if isinstance(value, list | tuple) else [value]
            if not known.isdisjoint(values):  # the next option was taken as the value
                raise usage.without_value(parameter.opts[0])
        if left:
            raise usage.left_over(left[0], ctx.info_name, self.collect_usage_pieces(ctx)[1:])
        return left

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """``[OPTIONS] FILE...``: the metavar unchanged; Typer would add brackets and dots."""
        return [self.options_metavar, *(word.metavar for word in self.get_params(ctx) if _positional(word))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for parameter in self.get_params(ctx):
            if _positional(parameter):
                sections["Arguments"].append((parameter.metavar.strip("[]."), parameter.help or ""))
            elif record := parameter.get_help_record(ctx):
                sections.setdefault(getattr(parameter, "rich_help_panel", None) or _LAST, []).append(record)
        # --help is listed last, after the command's own options.
        sections[_LAST] = sections.pop(_LAST)
        _write(formatter, sections)


_LAST = "Help"


def _write(formatter: Any, sections: Mapping[str, list[tuple[str, str]]], **layout: int) -> None:
    """Write each section that has a row."""
    for heading, rows in sections.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows, **layout)


def _positional(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def with_flags(function: Callable[..., int | None], panels: Panels) -> Callable[..., None]:
    """The function of a command with one keyword parameter for each argument; it ends with the exit code returned.

    ``panels`` maps help headings to arguments.
    """
    parameters = [_parameter(argument, panel) for panel, options in panels.items() for argument in options.values()]
    own = [
        value
        for value in Signature.from_callable(function, eval_str=True).parameters.values()
        if value.kind != Parameter.VAR_KEYWORD
    ]

    def flagged(*args: Any, **flags: Any) -> None:
        with clean_ending():  # before Typer sees an exception, which it would report in its own way
            code = function(*args, **{name.removesuffix("_"): value for name, value in flags.items()})
            if code is not None:
                raise SystemExit(code)

    flagged.__doc__ = function.__doc__
    flagged.__signature__ = Signature([*own, *parameters])  # type: ignore[attr-defined]
    flagged.__annotations__ = {value.name: value.annotation for value in (*own, *parameters)}
    return flagged


def given(values: Mapping[str, Any], arguments: Mapping[str, Argument]) -> dict[str, Any]:
    """The options that were given, with their texts converted to values."""
    return {
        name: _value(arguments[name].kind, value) for name, value in values.items() if value is not None and value != []
    }


def _value(kind: Any, value: Any) -> Any:
    """The value of a flag's text, or of its texts if the flag may be repeated."""
    if kind.many:
        return kind.from_texts(list(value))
    return kind.from_text(value) if isinstance(value, str) else value


def _parameter(argument: Argument, panel: str) -> Parameter:
    declared: dict[str, Any] = {"help": argument.told, "rich_help_panel": panel, "show_default": False}
    names = [argument.option]
    if argument.short:
        names.append(f"-{argument.short}")
    if isinstance(argument.kind, Flag):
        kind: Any = bool | None
        if argument.default is True:
            names[0] += f"/--no-{argument.name.replace('_', '-')}"
    else:
        kind = list[str] | None if argument.kind.many else str | None
        declared["metavar"] = argument.kind.metavar
        declared["autocompletion"] = completion.of(argument.kind)
    option = typer.Option(*names, **declared)
    # A parameter cannot be named after a Python keyword such as import.
    name = f"{argument.name}_" if iskeyword(argument.name) else argument.name
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])
