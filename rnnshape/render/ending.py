"""The end of the table view: what else is to be said, the line to paste, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rnnshape.layers.quirks import HELP
from rnnshape.render import verdict as cudnn
from rnnshape.render.grid import grid
from rnnshape.render.seconds import line as timing_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from rnnshape.render.marks import Marks
    from rnnshape.report import Report
    from rnnshape.report.state import Calls


def footer(report: Report) -> Table:
    """What to know and what to paste, a line each."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for note in report.notes:
        table.add_row(Text("Note", "head"), Text(note))
    table.add_row(Text("cuDNN", "head"), cudnn.line(report))
    if report.calls is not None:
        table.add_row(Text("Calls", "head"), Text(_calls(report.calls)))
    for heading in report.quirks:
        table.add_row(Text("Keras", "head"), Text(f"a bug: {heading} ({HELP})", "teach"))
    for warning in report.warnings:
        table.add_row(Text("Keras", "head"), Text(f"warns: {warning}", "teach"))
    if report.timing is not None:
        table.add_row(Text("Time", "head"), Text(timing_line(report.timing)))
    table.add_row(Text("Paste", "head"), Text(report.unpacking, "code"))
    if report.wiring is not None:
        table.add_row(Text("Wire", "head"), Text(report.wiring.unpacking, "code"))
    return table


def _calls(calls: Calls) -> str:
    """How often it was called, and what it keeps between the calls."""
    if calls.other_batch is None:
        return f"{calls.count}; nothing is kept between them"
    refused = f": {calls.other_batch_seen}" if calls.other_batch_seen else ""
    kept = ", ".join(calls.carried) or "its states"
    return f"{calls.count}; {kept} kept between them; a batch of {calls.other_batch} is refused{refused}"


def verdict(report: Report, marks: Marks) -> Iterator[RenderableType]:
    """The verdict in words, and where theory and the real layer part."""
    if report.error is not None and report.ok:
        yield Text(f"{marks.yes} Refused, as expected: {report.error.message}", "good")
        return
    if report.error is not None:
        yield Text()
        what = "Keras refuses it" if report.error.kind == "keras" else "Not verified"
        yield Text(f"{marks.no} {what}: {report.error.message}", "bad")
        return
    unmet = sum(line.met is False for line in report.expectations)
    if unmet:
        yield Text(f"{marks.no} {unmet} of {len(report.expectations)} expectations not met.", "bad")
    if report.observed is None:
        yield Text("Theory only: nothing was run.", "faint")
        return
    if not report.agrees:
        yield Text()
        yield Text(f"{marks.no} Theory and the real layer disagree.", "bad")
        yield _disagreement(report, marks)
    broken = sum(check.guaranteed and check.holds is False for check in report.checks)
    if broken:
        yield Text(f"{marks.no} {broken} guaranteed {'check does' if broken == 1 else 'checks do'} not hold.", "bad")
    if report.ok:
        yield Text(f"{marks.yes} Theory and the real layer agree.", "good")


def _disagreement(report: Report, marks: Marks) -> Table:
    table = grid(marks, "", "", "theory", "the real layer")
    table.title = None
    for one in report.disagreements:
        table.add_row(one.of, one.predicted, one.observed)
    return table
