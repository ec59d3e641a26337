"""Answer one question and write the report; code that makes several layers gets one report for each."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape import api
from rnnshape.cli.options import OUTPUT, checked, flagged, form, refused
from rnnshape.cli.output import destination, not_over, note, show_trace
from rnnshape.cli.streams import code
from rnnshape.errors import OK, Invalid, Problem, not_opened
from rnnshape.layers import release
from rnnshape.reading import make_all
from rnnshape.reading.files import is_code, is_saved, why_not_read
from rnnshape.render import View, renderer, rows_renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rnnshape.reading.saved.weights_file import Group
    from rnnshape.report import Report
    from rnnshape.scan.texts import Text
    from rnnshape.spec import Spec


STDIN = "-"


def answer(layer: str, values: Mapping[str, Any]) -> int:
    """Answer a command about one layer, or about each layer of pasted code; return the worst exit code.

    Raises:
        Invalid: the layer or an option is wrong; all problems are in one error.
    """
    return _answered(lambda asked: specs_of(layer, asked), values, layer)


def specs_of(layer: str, asked: Mapping[str, Any]) -> Sequence[Spec]:
    """The Specs of a layer, of the layers in pasted code or a file of code, or of a saved model.

    Raises:
        Invalid: ``layer`` cannot be read.
    """
    if is_saved(layer):
        from rnnshape.reading.saved.model import make_saved

        return make_saved(layer, asked)
    if not is_code(layer) and layer != STDIN:
        return _layers(layer, asked)
    text = code() if layer == STDIN else _text_of(layer)
    try:
        return _with_places(text, make_all(text.code, asked))
    except Invalid as error:
        placed = [_in_file(text, problem, error.text) for problem in error.problems]
        raise Invalid(placed, error.text, _with_places(text, error.others)) from None


def _layers(layer: str, asked: Mapping[str, Any]) -> Sequence[Spec]:
    """The Specs of the layers in pasted code; the error says so if the text is the name of another kind of file."""
    try:
        return make_all(layer, asked)
    except Invalid:
        if (why := why_not_read(layer)) is not None:
            raise Invalid([Problem("", why)]) from None
        raise


def _in_file(text: Text, problem: Problem, code: str | None) -> Problem:
    """The problem with the name of the file and, if known, the line."""
    if problem.key:
        return problem
    where = text.name
    line = code.count("\n", 0, problem.span[0]) if problem.span is not None and code else None
    if line is not None and code and (number := _line_of(text.code, code, line)) is not None:
        cell, line = text.at(number)
        where += f":{line}" if cell is None else f", cell {cell}, line {line}"
    return Problem("", f"{where}: {problem.message}", problem.span)


_NOTED = re.compile(r"line (\d+): ")


def _with_places(text: Text, specs: Sequence[Spec]) -> list[Spec]:
    """The Specs with notes that name the lines of the file, or of its cells."""
    if not any(_NOTED.match(note) for spec in specs for note in spec.notes):
        return [*specs]
    from rnnshape.reading.code.expression import opened

    code = opened(text.code).text

    def placed(note: str) -> str:
        if (found := _NOTED.match(note)) is None:
            return note
        if (number := _line_of(text.code, code, int(found[1]) - 1)) is None:
            return note[found.end() :]
        cell, line = text.at(number)
        return f"{'' if cell is None else f'cell {cell}, '}line {line}: {note[found.end() :]}"

    return [dataclasses.replace(spec, notes=tuple(map(placed, spec.notes))) for spec in specs]


def _line_of(written: str, code: str, at: int) -> int | None:
    """The line of the file for a line of the code, from 0; None if it is not certain.

    The reader may have changed other lines: it removes prompts and the statements of Python 2.
    """
    if (before := written.find(code)) >= 0:
        return written.count("\n", 0, before) + at + 1
    lines, own = ([line.strip() for line in one.split("\n")] for one in (written, code))
    alike = [number for number, line in enumerate(lines, 1) if line == own[at]]
    return alike[own[:at].count(own[at])] if len(alike) == own.count(own[at]) else None


def _text_of(path: str) -> Text:
    """The code in a file; for a notebook, the code of its cells.

    Raises:
        Invalid: the file cannot be read.
    """
    from rnnshape.scan.texts import NotRead, read

    try:
        return read(path)
    except (NotRead, OSError, ValueError) as error:
        said = not_opened(error) if isinstance(error, OSError) else f"cannot be read: {error}"
        raise Invalid([Problem("", f"{path}: {said}")]) from None


def fitting(path: str, layer: str | None, values: Mapping[str, Any]) -> int:
    """Answer whether a weights file fits a layer; without a layer, list the weights in it.

    Raises:
        Invalid: as for ``answer``, or the file cannot be read.
    """
    from rnnshape.reading.saved.weights_file import contents, make_against

    if layer is not None:
        return _answered(lambda asked: [make_against(path, layer, asked)], values, path)
    if wrong := [
        flagged(Problem(name, "applies only to a layer: give one after the file"), values)
        for name in values
        if name not in ("format", "output_file")
    ]:
        raise Invalid(wrong)
    not_over(values.get("output_file"), [path])
    groups = contents(path)
    with destination(values.get("output_file")) as stream:
        if values.get("format") == "json":
            listed = [
                {
                    "layer": group.name,
                    "could_be": group.could_be,
                    "weights": [{"name": name, "shape": list(shape)} for name, shape in group.weights],
                }
                for group in groups
            ]
            json.dump({"path": path, "layers": listed}, stream, indent=2)
            stream.write("\n")
        else:
            width = max(len(group.name) for group in groups)
            stream.writelines(f"{group.name:<{width}}  {_weighed(group)}\n" for group in groups)
    return OK


def _weighed(group: Group) -> str:
    shapes = ", ".join(str(shape) for _, shape in group.weights)
    return f"{shapes}: {f'could be {group.could_be}' if group.could_be else 'no recurrent layer'}"


def _answered(make: Callable[[dict[str, Any]], Sequence[Spec]], values: Mapping[str, Any], source: str) -> int:
    output = {name: value for name, value in values.items() if name in OUTPUT}
    if source == STDIN or is_code(source) or is_saved(source):
        not_over(output.get("output_file"), [source])
    asked = {name: value for name, value in values.items() if name not in OUTPUT}
    try:
        specs = checked(lambda: make(asked), values, refused(output, OUTPUT))
    except Invalid as error:
        if error.others:
            with release.of(error.others[0].keras):
                _shown(error.others, output)
        raise
    with release.of(specs[0].keras):
        return _shown(specs, output)


def _shown(specs: Sequence[Spec], output: Mapping[str, Any]) -> int:
    if len(specs) > 1:
        return max(_exit_code(report, output) for report in _all(specs, output))
    return _exit_code(_asked(specs[0], output), output)


def _exit_code(report: Report, output: Mapping[str, Any]) -> int:
    """Write the error of a report to standard error; return the exit code."""
    show_error(report, verbose=output.get("verbose", False))
    if not output.get("predict") and (output.get("verbose") or (report.error and report.error.kind == DEVICE)):
        from rnnshape.lab.tensorflow import replay

        replay()  # TensorFlow's messages say why it sees no GPU
    return report.exit_code


def show_error(report: Report, label: str = "", *, verbose: bool) -> None:
    """Write the error of a report; with ``verbose``, also the warnings of Keras, and an internal error's traceback."""
    if report.error is not None:
        note(f"error: {label}{report.error.message}")
        if report.error.hint:
            note(f"hint: {report.error.hint}")
    if verbose:
        for warning in report.warnings:
            note(f"Keras warns: {label}{warning}")
        if report.error is not None:
            show_trace(report.error.trace)


DEVICE = "device"
"""The error kind when a GPU is required and there is none."""


def _asked(spec: Spec, output: Mapping[str, Any]) -> Report:
    view, wanted = _view(output), form(output)
    with destination(output.get("output_file")) as stream:
        if (
            wanted == "table"
            and stream is sys.stdout
            and stream.isatty()
            and not output.get("predict")
            and not spec.layer.without_rule
        ):
            from rnnshape.render.settling import settling

            return settling(api.predict(spec), lambda: _explored(spec, output), stream, view)
        report = api.predict(spec) if output.get("predict") else _explored(spec, output)
        renderer(wanted)(report, stream, view)
    return report


# Formats that put several reports into one document.
_WHOLE = ("json", "html", "svg")


def _all(specs: Sequence[Spec], output: Mapping[str, Any]) -> list[Report]:
    """The reports of several layers, one after another, or in one document if the format requires it."""
    reports = [api.predict(spec) if output.get("predict") else _explored(spec, output) for spec in specs]
    view, wanted = _view(output), form(output)
    with destination(output.get("output_file")) as stream:
        if wanted in _WHOLE:
            from rnnshape.report.rows import Tally, row_of  # which load the readers of files

            rows_renderer(wanted)(Tally(row_of(report, values=view.values) for report in reports), stream, view)
            return reports
        for number, report in enumerate(reports):
            if number and wanted != "jsonl":
                stream.write("\n")
            renderer(wanted)(report, stream, view)
    return reports


def _view(output: Mapping[str, Any]) -> View:
    return View.of(name for name, wanted in output.items() if wanted)


def _explored(spec: Spec, output: Mapping[str, Any]) -> Report:
    report = api.explore(spec, trace=output.get("cudnn", False))
    if output.get("timing") and report.error is None:
        return replace(report, timing=api.timing(spec))
    return report
