"""The application: one command a layer, made from the table, and the few that are not layers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from rnnshape.cli import completion, signals, streams, topics, usage
from rnnshape.cli.flags import Group, Sectioned, given, with_flags
from rnnshape.cli.options import (
    AUDIT,
    AUDIT_OPTIONS,
    BATCH,
    BATCH_OPTIONS,
    COMPARE_OPTIONS,
    EXPLORE,
    EXPLORE_OPTIONS,
    EXPLORE_RUN,
    OUTPUT_FILE,
    OUTPUT_OPTIONS,
    SCAN,
    SCAN_OPTIONS,
    VERBOSE,
    flagged,
    form,
    refused,
)
from rnnshape.cli.output import clean_ending, destination
from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.layers.arguments import Argument, OneOf
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.comparison import AXIS
from rnnshape.spec.options import INTO, RUN_OPTIONS
from rnnshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rnnshape.spec.commands import Command

    Panels = Mapping[str, Iterable[Argument]]

NAME = "rnnshape"


def main() -> None:
    """Run the command line and leave with its exit code."""
    with clean_ending(), signals.unwinding():
        streams.prepare()
        words = [word for word in sys.argv[1:] if not word.startswith("-")]
        completed = completion.asked()
        run = application(words[:1] if completed is None else completed)
        try:
            # The name is the same for ``python -m rnnshape``: shells complete by it.
            code = run(prog_name=NAME, standalone_mode=False)
        except NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except UsageError as error:
            raise usage.worded(error) from None
        sys.stdout.flush()
    raise SystemExit(code or 0)


def application(asked: list[str] | None = None) -> typer.Typer:
    """The application; with ``asked`` only those commands have their options.

    Three hundred options are made slower than theory answers, and one command runs at a time.
    """
    app = typer.Typer(
        name=NAME,
        cls=Group,
        help="Show what a tf.keras RNN layer returns, and verify it on the real layer.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_global)
    for name, run, panels in _commands():
        wanted = asked is None or name in asked
        heading = "Layers" if name in COMMANDS else "Commands"
        app.command(name, cls=Sectioned, rich_help_panel=heading)(with_flags(run, panels if wanted else {}))
    return app


def _commands() -> list[tuple[str, Callable[..., None], Panels]]:
    """Every command with its function and the options of each heading."""
    return [
        *((command.name, _layer(command), _panels(command)) for command in COMMANDS.values()),
        ("show", _show, {"Run": RUN_OPTIONS, "Answer": OUTPUT_OPTIONS}),
        ("explore", _explore, {"Run": EXPLORE_RUN, "Answer": EXPLORE_OPTIONS}),
        ("compare", _compare, {"Run": _COMPARE_RUN, "Answer": COMPARE_OPTIONS}),
        ("batch", _batch, {"Answer": BATCH_OPTIONS}),
        ("audit", _audit, {"Answer": AUDIT_OPTIONS}),
        ("scan", _scan, {"Answer": SCAN_OPTIONS}),
        ("env", _env, {"Answer": _ENV.values()}),
        ("schema", _schema, {"Answer": _SCHEMA.values()}),
        ("help", _help, {"Answer": [VERBOSE]}),
    ]


def _panels(command: Command) -> Panels:
    return {"Layer": command.options.values(), "Run": command.run_options, "Answer": OUTPUT_OPTIONS}


def _layer(command: Command) -> Callable[..., None]:
    """The function behind a layer's command."""

    def run(**flags: Any) -> None:
        _answer(command.name, flags, {**_SHOW, **command.options})

    run.__doc__ = command.help
    return run


def _answer(layer: str, flags: Mapping[str, Any], known: Mapping[str, Argument]) -> None:
    with clean_ending():
        from rnnshape.cli.answer import answer

        raise SystemExit(answer(layer, given(flags, known)))


def _argument(metavar: str, help_: str, completed: Callable[[str], list[str]] | None = None) -> Any:
    """What stands beside the options; ``metavar`` is how the usage line says it."""
    return typer.Argument(metavar=metavar, help=help_, show_default=False, autocompletion=completed)


_EXPR = 'A layer as written in Keras, in quotes: "LSTM(8)", "LSTM(8) | Dense(1)"'
_CODE = (
    ", a line or several as they stand in a file, the file itself (model.py, notes.ipynb), or - for code from standard "
    "input; or a saved model: model.keras, model.h5, model.json, the folder of a SavedModel."
)
_OR_A_FILE = ", a file of code (model.py, notes.ipynb), a saved model, or the name of a command, such as lstm."
_LAYER = "Behind a file of weights (model.weights.h5): the layer that it is for. Without it, the weights are listed."
_WEIGHTS, _HDF5 = ".weights.h5", (".h5", ".hdf5")
_SHOW = {option.name: option for option in (*RUN_OPTIONS, *OUTPUT_OPTIONS)}


def _show(
    expression: Annotated[str | None, _argument("EXPR", _EXPR + _CODE, completion.layers)] = None,
    layer: Annotated[str | None, _argument("[LAYER]", _LAYER, completion.layers)] = None,
    **flags: Any,
) -> None:
    """Show what pasted Keras code or a saved model returns."""
    with clean_ending():
        # Asked for by its ending, so that nothing is imported for an expression.
        if expression is not None and expression.lower().endswith(_WEIGHTS if layer is None else _HDF5):
            from rnnshape.cli.answer import fitting

            raise SystemExit(fitting(expression, layer, given(flags, _SHOW)))
        if layer is not None:
            what = "unexpected argument: only a file of weights, such as model.weights.h5, has a layer behind it"
            raise Invalid([Problem(layer, what)])
        if expression is None:
            raise Invalid([Problem("EXPR", 'is missing: give a layer as written in Keras, such as "LSTM(8)"')])
        _answer(expression, flags, _SHOW)


def _explore(
    expression: Annotated[str | None, _argument("[EXPR]", _EXPR + _OR_A_FILE, completion.layers)] = None,
    **flags: Any,
) -> None:
    """Change a layer in the terminal, and see its answer change."""
    with clean_ending():
        from rnnshape.cli.explore import explore

        raise SystemExit(explore(expression, given(flags, EXPLORE)))


_COMPARE_RUN = (AXIS, *(option for option in RUN_OPTIONS if option is not INTO))
_COMPARE = {option.name: option for option in (*_COMPARE_RUN, *COMPARE_OPTIONS)}


def _compare(
    expressions: Annotated[
        list[str] | None, _argument("EXPR...", _EXPR + ", or the name of a command, such as lstm.", completion.layers)
    ] = None,
    **flags: Any,
) -> None:
    """Compare layers, or one layer along an axis, with the same weights and input."""
    with clean_ending():
        from rnnshape.cli.compare import compare

        raise SystemExit(compare(expressions or (), given(flags, _COMPARE)))


def _batch(
    files: Annotated[
        list[str] | None,
        _argument("FILE...", "A YAML file, a folder of YAML files, or - for YAML or JSON Lines from standard input."),
    ] = None,
    **flags: Any,
) -> None:
    """Answer many runs from files, folders or standard input."""
    with clean_ending():
        output = given(flags, BATCH)
        wrong = [flagged(problem, output) for problem in refused(output, BATCH)]
        if not files:
            wrong.append(
                Problem("FILE", "is missing: give a YAML file, a folder of YAML files, or - for standard input")
            )
        if wrong:
            raise Invalid(wrong)
        from rnnshape.cli.batch import batch

        raise SystemExit(batch(files or (), output))


def _audited(incomplete: str) -> list[str]:
    from rnnshape.audit import audited

    return completion.words([cls.name for cls in audited()])(incomplete)


def _audit(
    classes: Annotated[
        list[str] | None,
        _argument("[CLASS...]", "A recurrent class of Keras, such as LSTM. Default: all of them.", _audited),
    ] = None,
    **flags: Any,
) -> None:
    """Check the rules of rnnshape against the installed Keras, on hundreds of layers."""
    with clean_ending():
        output = given(flags, AUDIT)
        if wrong := refused(output, AUDIT):
            raise Invalid(flagged(problem, output) for problem in wrong)
        from rnnshape.cli.audit import audit

        raise SystemExit(audit(classes or (), output))


def _scan(
    paths: Annotated[
        list[str] | None,
        _argument("PATH...", "Python files, notebooks, folders, or - for code from standard input."),
    ] = None,
    **flags: Any,
) -> None:
    """Find the RNN layers in files and folders, and say what will go wrong; nothing is run."""
    with clean_ending():
        output = {name: value for name, value in given(flags, SCAN).items() if value is not False}
        # The extension of the output file is looked up among the formats of scan.
        wrong = [flagged(problem, output) for problem in refused({"format": "text", **output}, SCAN)]
        if not paths:
            wrong.append(
                Problem("PATH", "is missing: give a Python file, a notebook, a folder, or - for standard input")
            )
        if wrong:
            raise Invalid(wrong)
        from rnnshape.cli.scan import scan

        raise SystemExit(scan(paths or (), output))


_ENV = {
    "format": Argument("format", OneOf(("table", "json")), "table", "Output format:", True, "f"),
    OUTPUT_FILE.name: OUTPUT_FILE,
    VERBOSE.name: VERBOSE,
}


def _env(**flags: Any) -> None:
    """Show the versions of Python, TensorFlow and Keras, the devices, and cuDNN."""
    with clean_ending():
        output = given(flags, _ENV)
        if wrong := refused(output, _ENV):
            raise Invalid(flagged(problem, output) for problem in wrong)
        from rnnshape.lab.environment import environment
        from rnnshape.lab.tensorflow import replay
        from rnnshape.render.facts import write

        with destination(output.get("output_file")) as stream:
            write(environment(), stream, as_json=form(output) == "json")
        if output.get(VERBOSE.name):
            replay()


_SCHEMA = {OUTPUT_FILE.name: OUTPUT_FILE, VERBOSE.name: VERBOSE}
_SCHEMAS = OneOf(("file", "report", "compare"))


def _schema(
    what: Annotated[
        str,
        _argument("[WHAT]", "Which schema: file, report, compare. Default: file.", completion.words(_SCHEMAS.texts)),
    ] = "file",
    **flags: Any,
) -> None:
    """Print the JSON Schema of a batch file, a report or a comparison."""
    with clean_ending():
        if not _SCHEMAS.accepts(what):
            raise Invalid([Problem(f"WHAT {what}", _SCHEMAS.refusal(what))])
        from rnnshape.cli.schema import write

        write(what, given(flags, _SCHEMA))


def _topics(incomplete: str) -> list[str]:
    return completion.words([*topics.NAMES, *(name for name, *_ in _commands())])(incomplete)


def _help(
    topic: Annotated[
        str | None,
        _argument("[TOPIC]", "A topic, or the name of a command. Without it, the topics are listed.", _topics),
    ] = None,
    **flags: Any,
) -> None:
    """Explain masks, states, expressions, exit codes and more, with examples."""
    with clean_ending():
        commands = [name for name, *_ in _commands()]
        if topic in commands:
            application([topic])([topic, "--help"], prog_name=NAME)
        if topic is not None and topic not in topics.NAMES:
            near = nearest(topic, (*topics.NAMES, *commands))
            raise Invalid([Problem(f"TOPIC {topic}", f"must be a command or one of {', '.join(topics.NAMES)}{near}")])
        print(topics.text(topic), end="")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"rnnshape {__version__}")
        raise typer.Exit


def _global(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass
