"""One question: ask, and write what comes back where it belongs; code that makes several layers has several answers."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape import api
from rnnshape.cli.options import OUTPUT, checked, flagged, form, refused
from rnnshape.cli.output import destination, not_over, note, show_trace
from rnnshape.cli.streams import code
from rnnshape.errors import OK, Invalid, Problem
from rnnshape.layers import release
from rnnshape.reading import make_all
from rnnshape.reading.files import is_code, is_saved, why_not_read
from rnnshape.render import View, renderer, rows_renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rnnshape.reading.saved.weights_file import Group
    from rnnshape.report import Report
    from rnnshape.scan.texts import Text
    from rnnshape.spec import Spec


STDIN = "-"


def answer(layer: str, values: Mapping[str, Any]) -> int:
    """Answer what a command's flags ask about a layer, or about each layer of pasted code; the worst exit code.

    Raises:
        Invalid: with the problems of both, the question and how its answer is wanted.
    """
    return _answered(lambda asked: specs_of(layer, asked), values, layer)


def specs_of(layer: str, asked: Mapping[str, Any]) -> Sequence[Spec]:
    """What is asked about a layer, the layers of pasted code or of a file of code, or a saved model.

    Raises:
        Invalid: it cannot be read.
    """
    if is_saved(layer):
        from rnnshape.reading.saved.model import make_saved

        return make_saved(layer, asked)
    if not is_code(layer) and layer != STDIN:
        return _layers(layer, asked)
    text = code() if layer == STDIN else _text_of(layer)
    try:
        return make_all(text.code, asked)
    except Invalid as error:
        raise Invalid([_in_file(text, problem, error.text) for problem in error.problems], error.text) from None


def _layers(layer: str, asked: Mapping[str, Any]) -> Sequence[Spec]:
    """What is asked about the layers of pasted code, which is not the name of a file of another kind."""
    try:
        return make_all(layer, asked)
    except Invalid:
        if (why := why_not_read(layer)) is not None:
            raise Invalid([Problem("", why)]) from None
        raise


def _in_file(text: Text, problem: Problem, code: str | None) -> Problem:
    """The problem under the name of the file, with the line where it is known."""
    if problem.key:
        return problem
    where = text.name
    before = text.code.find(code) if code else -1  # what stands around the code is taken away
    if problem.span is not None and before >= 0:
        cell, line = text.at(text.code.count("\n", 0, before + problem.span[0]) + 1)
        where += f":{line}" if cell is None else f", cell {cell}, line {line}"
    return Problem("", f"{where}: {problem.message}", problem.span)


def _text_of(path: str) -> Text:
    """The code in a file, of a notebook that of its cells.

    Raises:
        Invalid: it cannot be read.
    """
    from rnnshape.scan.texts import NotRead, read

    try:
        return read(path)
    except (NotRead, OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise Invalid([Problem("", f"{path} is not read: {said}")]) from None


def fitting(path: str, layer: str | None, values: Mapping[str, Any]) -> int:
    """Answer whether a file of weights fits a layer; without a layer, list what is in it.

    Raises:
        Invalid: as ``answer``; the file cannot be read.
    """
    from rnnshape.reading.saved.weights_file import contents, make_against

    if layer is not None:
        return _answered(lambda asked: [make_against(path, layer, asked)], values, path)
    if wrong := [
        flagged(Problem(name, "asks about a layer: give one behind the file"), values)
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
    specs = checked(lambda: make(asked), values, [*refused(output, OUTPUT), *_untimed(output)])
    with release.of(specs[0].keras):
        return _shown(specs, output)


def _shown(specs: Sequence[Spec], output: Mapping[str, Any]) -> int:
    if len(specs) > 1:
        return max(_told(report, output) for report in _all(specs, output))
    return _told(_asked(specs[0], output), output)


def _told(report: Report, output: Mapping[str, Any]) -> int:
    """Tell beside the answer what went wrong; its exit code."""
    if report.error is not None:
        note(f"error: {report.error.message}")
        if report.error.hint:
            note(f"hint: {report.error.hint}")
    if output.get("verbose"):
        told(report)
    if not output.get("predict") and (output.get("verbose") or (report.error and report.error.kind == DEVICE)):
        from rnnshape.lab.tensorflow import replay

        replay()  # where there is no GPU, TensorFlow's lines say why
    return report.exit_code


def told(report: Report, label: str = "") -> None:
    """What ``--verbose`` shows of an answer: what Keras warns of, and where a bug of ours is."""
    for warning in report.warnings:
        note(f"Keras warns: {label}{warning}")
    if report.error is not None:
        show_trace(report.error.trace)


DEVICE = "device"
"""The kind of the error where a GPU was demanded and there is none."""


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


# What holds several answers in one file of its own form.
_WHOLE = ("json", "html", "svg")


def _all(specs: Sequence[Spec], output: Mapping[str, Any]) -> list[Report]:
    """The answers to several layers, one below the other, or in one file where the format wants that."""
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


def _untimed(output: Mapping[str, Any]) -> Iterator[Problem]:
    """Where a time is asked for that cannot be had."""
    if output.get("timing") and output.get("predict"):
        yield Problem("timing", "needs the real layer, which --predict does not run")


def _explored(spec: Spec, output: Mapping[str, Any]) -> Report:
    report = api.explore(spec, trace=output.get("cudnn", False))
    if output.get("timing") and report.error is None:
        return replace(report, timing=api.timing(spec))
    return report
