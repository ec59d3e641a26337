"""The commands: their positional arguments and the function that each runs, imported only when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnnshape.cli import completion
from rnnshape.cli.flags import given
from rnnshape.cli.options import (
    AUDIT,
    BATCH,
    COMPARE,
    EXPLORE,
    OUTPUT,
    OUTPUT_FILE,
    SCAN,
    VERBOSE,
    accept,
    by_name,
    form,
)
from rnnshape.cli.output import destination
from rnnshape.errors import Invalid, Problem
from rnnshape.layers.arguments import Argument, OneOf
from rnnshape.spec.comparison import AXIS
from rnnshape.spec.options import INTO, RUN, RUN_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rnnshape.spec.commands import Command


def layer(command: Command) -> Callable[..., int]:
    """The function of a layer's command."""

    def run(**flags: Any) -> int:
        return _answer(command.name, flags, {**_SHOW, **command.options})

    run.__doc__ = command.help
    return run


def _answer(layer: str, flags: Mapping[str, Any], known: Mapping[str, Argument]) -> int:
    from rnnshape.cli.answer import answer

    return answer(layer, given(flags, known))


def argument(metavar: str, help_: str, completed: Callable[[str], list[str]] | None = None) -> Any:
    """A positional argument; ``metavar`` is its name in the usage line."""
    return typer.Argument(metavar=metavar, help=help_, show_default=False, autocompletion=completed)


_EXPR = 'A layer as written in Keras, in quotes: "LSTM(8)", "LSTM(8) | Dense(1)"'
_CODE = (
    ", one or several lines of code, a file of code (model.py, notes.ipynb), or - for code from standard input; "
    "or a saved model: model.keras, model.h5, model.json, the folder of a SavedModel."
)
_OR_A_FILE = ", a file of code (model.py, notes.ipynb), a saved model, or the name of a command, such as lstm."
_LAYER = "After a weights file (model.weights.h5): the layer that it is for. Without it, the weights are listed."
_WEIGHTS, _HDF5 = ".weights.h5", (".h5", ".hdf5")
_SHOW = {**RUN, **OUTPUT}


def show(
    expression: Annotated[str | None, argument("EXPR", _EXPR + _CODE, completion.layers)] = None,
    layer: Annotated[str | None, argument("[LAYER]", _LAYER, completion.layers)] = None,
    **flags: Any,
) -> int:
    """Show what pasted Keras code or a saved model returns."""
    # Checking only the extension avoids an import for an expression.
    if expression is not None and expression.lower().endswith(_WEIGHTS if layer is None else _HDF5):
        from rnnshape.cli.answer import fitting

        return fitting(expression, layer, given(flags, _SHOW))
    if layer is not None:
        what = "unexpected argument: a second one is allowed only after a weights file, such as model.weights.h5"
        raise Invalid([Problem(layer, what)])
    if expression is None:
        raise Invalid([Problem("EXPR", 'is missing: give a layer as written in Keras, such as "LSTM(8)"')])
    return _answer(expression, flags, _SHOW)


def explore(
    expression: Annotated[str | None, argument("[EXPR]", _EXPR + _OR_A_FILE, completion.layers)] = None,
    **flags: Any,
) -> int:
    """Change a layer in the terminal, and see its answer change."""
    from rnnshape.cli.explore import explore as run

    return run(expression, given(flags, EXPLORE))


COMPARE_RUN = by_name(AXIS, *(option for option in RUN_OPTIONS if option is not INTO))


def compare(
    expressions: Annotated[
        list[str] | None, argument("EXPR...", _EXPR + ", or the name of a command, such as lstm.", completion.layers)
    ] = None,
    **flags: Any,
) -> int:
    """Compare layers, or one layer along an axis, with the same weights and input."""
    from rnnshape.cli.compare import compare as run

    return run(expressions or (), given(flags, {**COMPARE_RUN, **COMPARE}))


def batch(
    files: Annotated[
        list[str] | None,
        argument("FILE...", "A YAML file, a folder of YAML files, or - for YAML or JSON Lines from standard input."),
    ] = None,
    **flags: Any,
) -> int:
    """Answer many runs from files, folders or standard input."""
    output = given(flags, BATCH)
    missing = "is missing: give a YAML file, a folder of YAML files, or - for standard input"
    accept(output, BATCH, *([] if files else [Problem("FILE", missing)]))
    from rnnshape.cli.batch import batch as run

    return run(files or (), output)


def _audited(incomplete: str) -> list[str]:
    from rnnshape.audit import audited

    return completion.words([cls.name for cls in audited()])(incomplete)


def audit(
    classes: Annotated[
        list[str] | None,
        argument("[CLASS...]", "A recurrent class of Keras, such as LSTM. Default: all of them.", _audited),
    ] = None,
    **flags: Any,
) -> int:
    """Check the rules of rnnshape against the installed Keras, on hundreds of layers."""
    output = given(flags, AUDIT)
    accept(output, AUDIT)
    from rnnshape.cli.audit import audit as run

    return run(classes or (), output)


def scan(
    paths: Annotated[
        list[str] | None,
        argument("PATH...", "Python files, notebooks, folders, or - for code from standard input."),
    ] = None,
    **flags: Any,
) -> int:
    """Find the RNN layers in files and folders and report problems, without running the code."""
    output = {name: value for name, value in given(flags, SCAN).items() if value is not False}
    missing = "is missing: give a Python file, a notebook, a folder, or - for standard input"
    # The extension of the output file is looked up among the formats of scan.
    accept({"format": "text", **output}, SCAN, *([] if paths else [Problem("PATH", missing)]))
    from rnnshape.cli.scan import scan as run

    return run(paths or (), output)


ENV = by_name(Argument("format", OneOf(("table", "json")), "table", "Output format:", True, "f"), OUTPUT_FILE, VERBOSE)


def env(**flags: Any) -> None:
    """Show the versions of Python, TensorFlow and Keras, the devices, and cuDNN."""
    output = given(flags, ENV)
    accept(output, ENV)
    from rnnshape.lab.environment import environment
    from rnnshape.lab.tensorflow import replay
    from rnnshape.render.facts import write

    with destination(output.get("output_file")) as stream:
        write(environment(), stream, as_json=form(output) == "json")
    if output.get(VERBOSE.name):
        replay()


SCHEMA = by_name(OUTPUT_FILE, VERBOSE)
_SCHEMAS = OneOf(("file", "report", "compare"))


def schema(
    what: Annotated[
        str,
        argument("[WHAT]", "Which schema: file, report, compare. Default: file.", completion.words(_SCHEMAS.texts)),
    ] = "file",
    **flags: Any,
) -> None:
    """Print the JSON Schema of a batch file, a report or a comparison."""
    if not _SCHEMAS.accepts(what):
        raise Invalid([Problem(f"WHAT {what}", _SCHEMAS.refusal(what))])
    from rnnshape.cli.schema import write

    write(what, given(flags, SCHEMA))
