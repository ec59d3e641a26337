"""The end of the table view: notes, the lines to paste, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from rnnshape.layers import release
from rnnshape.layers.quirks import HELP
from rnnshape.render import verdict as cudnn
from rnnshape.render.grid import grid, pairs
from rnnshape.render.seconds import line as timing_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from rnnshape.render.marks import Marks
    from rnnshape.report import Report
    from rnnshape.report.state import Calls


NOT_VERIFIED = "Predicted from rules; not verified on a real layer"


def footer(report: Report) -> Table:
    """Notes, cuDNN, calls, warnings, time and lines to paste, one line each."""
    table = pairs()
    for note in report.notes:
        table.add_row(Text("Note", "head"), Text(note))
    if kernel := cudnn.line(report):
        table.add_row(Text("cuDNN", "head"), kernel)
    if report.calls is not None:
        table.add_row(Text("Calls", "head"), Text(_calls(report.calls)))
    for heading in report.quirks:
        table.add_row(Text("Keras bug", "head"), Text(f"{heading} ({HELP})", "teach"))
    for warning in report.warnings:
        table.add_row(Text("Keras warns", "head"), Text(warning, "teach"))
    if report.timing is not None:
        table.add_row(Text("Time", "head"), Text(timing_line(report.timing)))
    for word, code in to_paste(report):
        table.add_row(Text(word, "head"), Text(code, "code"))
    if names := ", ".join(_undefined(report)):
        table.add_row(Text("Program", "head"), Text(f"--code prints the whole program, which defines {names}"))
    return table


def to_paste(report: Report) -> Iterator[tuple[str, str]]:
    """The lines of code to paste, each with its label."""
    layer = report.spec.layer
    if layer.cls.kind == "graph":
        return  # the heading already shows the code
    if layer.cls.kind != "stack":
        yield CREATE, f"{'cell' if layer.cls.kind == 'cell' else 'layer'} = {report.expression}"
    yield UNPACK, report.unpacking
    if report.wiring is not None:
        yield CREATE, f"decoder = {report.wiring.layer.text}"
        yield CALL, report.wiring.unpacking


COPIED = CREATE, UNPACK, CALL = ("Create with", "Unpack with", "Call with")
"""The labels of lines to paste."""


def _undefined(report: Report) -> Iterator[str]:
    """The names that the lines to paste use but do not define; except x, the user's input."""
    if report.spec.layer.cls.kind == "stack":
        yield "layer"
    if "mask=mask" in report.unpacking:
        yield "mask"
    yield from (f"{state.role}_0" for state in report.states_handed_in)


def _calls(calls: Calls) -> str:
    """The number of calls, and the states kept between them."""
    if calls.other_batch is None:
        return f"{calls.count}; no state is kept between them"
    raised = calls.other_batch_seen or "an error"
    kept = ", ".join(calls.carried) or "its states"
    return f"{calls.count}; {kept} kept between them; another batch size ({calls.other_batch}) raises {raised}"


def verdict(report: Report, marks: Marks) -> Iterator[RenderableType]:
    """The verdict in words, and the disagreements of theory and the real layer."""
    if report.error is not None and report.ok:
        yield Text(f"{marks.yes} Fails as expected: {report.error.message}", "good")
        return
    if report.error is not None:
        yield Text()
        what = "Keras rejects it" if report.error.kind == "keras" else "Not verified"
        yield Text(f"{marks.no} {what}: {report.error.message}", "bad")
        yield from _misfits(report, marks)
        return
    unmet = sum(line.met is False for line in report.expectations)
    if unmet:
        yield Text(f"{marks.no} {unmet} of {len(report.expectations)} expectations not met.", "bad")
    if report.observed is None:
        way = " (drop --predict)" if release.uninstalled() is None else ""  # otherwise a note says why
        yield Text(f"{NOT_VERIFIED}{way}.", "faint")
        yield from _misfits(report, marks)
        return
    if report.agrees is None:
        yield Text(f"Theory has no rule for {' and '.join(report.unruled)}: nothing to compare.", "faint")
        return
    if report.file is not None and report.disagreements == (*report.file.disagreements(),):
        yield from _misfits(report, marks)
    elif not report.agrees:
        yield Text()
        yield Text(f"{marks.no} Theory and the real layer disagree.", "bad")
        yield _disagreement(report, marks, "the real layer")
    broken = sum(check.guaranteed and check.holds is False for check in report.checks)
    if broken:
        said = "equality by rule fails" if broken == 1 else "equalities by rule fail"
        yield Text(f"{marks.no} {broken} {said}.", "bad")
    if report.ok:
        yield Text(f"{marks.yes} Theory and the real layer agree.", "good")


def _misfits(report: Report, marks: Marks) -> Iterator[RenderableType]:
    """A table of the weights of a saved model that do not fit; only for reports without other disagreements."""
    if report.disagreements:
        yield Text()
        yield Text(f"{marks.no} The weights in the file do not fit.", "bad")
        yield _disagreement(report, marks, "the file")


def _disagreement(report: Report, marks: Marks, other: str) -> Table:
    table = grid(marks, "", "", "theory", other)
    for one in report.disagreements:
        table.add_row(one.of, one.predicted, one.observed)
    return table
