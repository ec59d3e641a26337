"""The application: one command a layer, made from the table, and the few that are not layers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

import rnnshape
from rnnshape.cli.flags import Group, Sectioned, given, with_flags
from rnnshape.cli.output import clean_ending, destination, note
from rnnshape.errors import Invalid, Problem
from rnnshape.layers.arguments import Argument, Flag, Kind, OneOf
from rnnshape.render import FORMATS, View, renderer
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.options import DTYPE, RUN_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.report import Report
    from rnnshape.spec import Spec
    from rnnshape.spec.commands import Command

app = typer.Typer(
    name="rnnshape",
    cls=Group,
    help="What does this RNN layer return? Asked in the shell, answered on the real tf.keras layer.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


class FileName(Kind):
    """The name of a file, taken as it is."""

    metavar = "FILE"


OUTPUT_OPTIONS = (
    Argument("predict", Flag(), False, "Theory only: no TensorFlow, nothing is verified.", True),
    Argument("values", Flag(), False, "Show the numbers too.", True),
    Argument("weights", Flag(), False, "Show the weights, their gates and the parameter count.", True),
    Argument("code", Flag(), False, "Write the answer as a Python program (--format code).", True),
    Argument("format", OneOf(FORMATS), "table", "How the answer is written:", True, "f"),
    Argument("output_file", FileName(), None, "Write the answer to this file.", True, "o"),
    Argument("verbose", Flag(), False, "Show what TensorFlow says while it runs.", True),
)
_OUTPUT = {option.name: option for option in OUTPUT_OPTIONS}


def main() -> None:
    """Run the command line and leave with its exit code."""
    with clean_ending():
        app()


def _add(command: Command) -> None:
    known = {**command.options, **{option.name: option for option in (*RUN_OPTIONS, *OUTPUT_OPTIONS)}}

    def run(**flags: Any) -> None:
        values = given(flags, known)
        output = {name: values.pop(name) for name in _OUTPUT if name in values}
        with clean_ending():
            answer(command.name, values, output)

    run.__doc__ = command.help
    panels = {"Layer": command.options.values(), "Run": RUN_OPTIONS, "Answer": OUTPUT_OPTIONS}
    app.command(command.name, cls=Sectioned)(with_flags(run, panels))


def answer(layer: str, options: dict[str, Any], output: dict[str, Any]) -> None:
    """Ask and write the answer; raises ``SystemExit`` with the report's exit code.

    Raises:
        Invalid: with the problems of both, the question and how its answer is wanted.
    """
    wrong, text = refused(output, _OUTPUT), None
    from rnnshape.spec import make

    try:
        spec = make(layer, options)
    except Invalid as error:
        wrong, text = [*error.problems, *wrong], error.text
    if wrong:
        raise Invalid([flagged(problem, {**options, **output}) for problem in wrong], text)
    report = _asked(spec, output)
    if output.get("verbose") and report.observed:
        from rnnshape.lab.tensorflow import replay

        replay()
    raise SystemExit(report.exit_code)


def _asked(spec: Spec, output: dict[str, Any]) -> Report:
    """Ask, and write the answer in its format where it belongs."""
    from rnnshape import api

    view = View(values=output.get("values", False), weights=output.get("weights", False))
    form = "code" if output.get("code") else output.get("format", "table")
    if form == "table" and sys.stdout.isatty() and not output.keys() & {"predict", "output_file"}:
        from rnnshape.render.settling import settling

        report = settling(api.predict(spec), lambda: api.explore(spec), sys.stdout, view)
    else:
        report = api.predict(spec) if output.get("predict") else api.explore(spec)
        with destination(output.get("output_file")) as stream:
            renderer(form)(report, stream, view)
    if report.error is not None:
        note(f"error: {report.error.message}")
        if report.error.hint:
            note(f"hint: {report.error.hint}")
    return report


def refused(values: Mapping[str, Any], known: Mapping[str, Argument]) -> list[Problem]:
    """What is wrong with each value by itself."""
    return [
        Problem(name, known[name].kind.refusal(value))
        for name, value in values.items()
        if not known[name].kind.accepts(value)
    ]


def flagged(problem: Problem, values: dict[str, Any]) -> Problem:
    """The problem under the flag that it came from, with what was given there."""
    if not problem.key:
        return problem
    flag = "--" + problem.key.replace("_", "-")
    value = values.get(problem.key)
    if value is False:
        flag = flag.replace("--", "--no-", 1)
    elif value is not None and value is not True:
        flag += f" {','.join(map(str, value)) if isinstance(value, tuple) else value}"
    return Problem(flag, problem.message)


for _command in COMMANDS.values():
    _add(_command)


def _show(
    expression: Annotated[str | None, typer.Argument(metavar="EXPR", show_default=False)] = None,
    **flags: Any,
) -> None:
    """What a pasted Keras expression returns: "LSTM(8)", "LSTM(8, return_sequences=True) | Dense(1)"."""
    with clean_ending():
        if expression is None:
            raise Invalid([Problem("EXPR", 'must be what you wrote in Keras, such as "LSTM(8)"')])
        values = given(flags, _SHOW)
        output = {name: values.pop(name) for name in _OUTPUT if name in values}
        answer(expression, values, output)


_SHOW = {option.name: option for option in (*RUN_OPTIONS, DTYPE, *OUTPUT_OPTIONS)}
app.command("show", cls=Sectioned)(with_flags(_show, {"Run": (*RUN_OPTIONS, DTYPE), "Answer": OUTPUT_OPTIONS}))


def _env(**flags: Any) -> None:
    """Python, TensorFlow, Keras, devices, and whether cuDNN is there."""
    with clean_ending():
        output = given(flags, _ENV)
        if wrong := refused(output, _ENV):
            raise Invalid(flagged(problem, output) for problem in wrong)
        from rnnshape.lab.environment import environment
        from rnnshape.render.facts import write

        facts = environment()
        with destination(output.get("output_file")) as stream:
            write(facts, stream, as_json=output.get("format") == "json")


_ENV = {
    "format": Argument("format", OneOf(("table", "json")), "table", "How the answer is written:", True, "f"),
    "output_file": _OUTPUT["output_file"],
}
app.command("env", cls=Sectioned)(with_flags(_env, {"Answer": _ENV.values()}))


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"rnnshape {rnnshape.__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass
