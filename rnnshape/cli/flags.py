"""From the tables to flags: a command's signature is made, not written.

Typer reads options from a function's signature.  Each option is declared once, as an ``Argument``;
here it becomes a parameter.  Every valued option arrives as text and is checked by its own kind, so
that ``--units 2.5`` and ``units: 2.5`` get the same answer, and all errors come at once.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from keyword import iskeyword
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from rnnshape.cli import coloured, completion, usage
from rnnshape.layers.arguments import Argument, Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def _as_text(parameters: list[Any]) -> list[Any]:
    """Let values reach a command as the text that they are, and completion the word that a shell takes.

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
            parameter.shell_complete = completion.joined(parameter.shell_complete)
    return parameters


def _coloured(ctx: Any) -> Any:
    """The context, whose help is in colour where colour is wanted."""
    if coloured.wanted():
        ctx.formatter_class = coloured.Coloured
    return ctx


class Group(TyperGroup):
    """The application itself.  Its help has the commands under headings, and what each of them says uncut."""

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
        """The commands above the few options, and below them what to type first."""
        self.format_commands(ctx, formatter)
        records = [record for parameter in self.get_params(ctx) if (record := parameter.get_help_record(ctx))]
        for heading, rows in (("Options", records), ("Examples", EXAMPLES)):
            with formatter.section(heading):
                formatter.write_dl(rows, col_max=44)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            sections.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append(
                (name, command.help or "")
            )
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=max(map(len, self.commands)))


EXAMPLES = [
    ("rnnshape lstm -u 8 --return-state", "An LSTM and its states."),
    ('rnnshape show "LSTM(8) | Dense(1)"', "A line of Keras."),
    ("rnnshape batch runs.yaml", "Many runs from a file."),
    ("rnnshape help masks", "A topic; rnnshape help lists them."),
]


class Sectioned(TyperCommand):
    """A command whose plain help has its options under headings.

    Typer draws headings only in its Rich panels, which cut long option names at 80 columns and cost
    a third of the time that ``--help`` takes.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_text(super().get_params(ctx))

    def get_help(self, ctx: Any) -> str:
        return super().get_help(_coloured(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True  # they are told here, in our words
        left = super().parse_args(ctx, args)
        if left and not ctx.resilient_parsing:
            raise usage.left_over(left[0], ctx.info_name, self.collect_usage_pieces(ctx)[1:])
        return left

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """``[OPTIONS] FILE...``: an argument as its metavar says it, which Typer would put into brackets and repeat."""
        return [self.options_metavar, *(word.metavar for word in self.get_params(ctx) if _positional(word))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for parameter in self.get_params(ctx):
            if _positional(parameter):
                sections["Arguments"].append((parameter.metavar.strip("[]."), parameter.help or ""))
            elif record := parameter.get_help_record(ctx):
                sections.setdefault(getattr(parameter, "rich_help_panel", None) or _LAST, []).append(record)
        # "Show this message" stands where people look for it, below what the command has.
        sections[_LAST] = sections.pop(_LAST)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


_LAST = "Help"


def _positional(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def with_flags(function: Callable[..., Any], panels: Mapping[str, Iterable[Argument]]) -> Callable[..., Any]:
    """The function with one keyword parameter for each argument, under the panel's heading in help."""
    parameters = [_parameter(argument, panel) for panel, arguments in panels.items() for argument in arguments]
    own = [
        value
        for value in Signature.from_callable(function, eval_str=True).parameters.values()
        if value.kind != Parameter.VAR_KEYWORD
    ]

    def flagged(*args: Any, **flags: Any) -> None:
        function(*args, **{name.removesuffix("_"): value for name, value in flags.items()})

    flagged.__doc__ = function.__doc__
    flagged.__signature__ = Signature([*own, *parameters])  # type: ignore[attr-defined]
    flagged.__annotations__ = {value.name: value.annotation for value in (*own, *parameters)}
    return flagged


def given(values: Mapping[str, Any], arguments: Mapping[str, Argument]) -> dict[str, Any]:
    """The options that were really given, each as the value that its text means."""
    return {
        name: _meant(arguments[name].kind, value) for name, value in values.items() if value is not None and value != []
    }


def _meant(kind: Any, value: Any) -> Any:
    """What the text of a flag means, or its texts where it may stand several times."""
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
    # No parameter of Python can be called import.
    name = f"{argument.name}_" if iskeyword(argument.name) else argument.name
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])
