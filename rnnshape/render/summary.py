"""The table view of a batch: one line for each run, then every failure in full."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from rnnshape.render.columns import returned
from rnnshape.render.grid import Folding, grid
from rnnshape.render.marks import UNICODE, Marks, marks_for
from rnnshape.render.table import draw as draw_report
from rnnshape.render.table import expectations
from rnnshape.render.terminal import console, show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from rich.console import RenderableType

    from rnnshape.render import View
    from rnnshape.report.rows import Row, Tally


def write(rows: Tally, stream: TextIO, view: View) -> None:
    """Write verdict, name, returned shapes and layer of each run, then every failure in full.

    On a terminal, more than 20 runs would hide the failures, so only those are shown unless ``view.every``.
    """
    whole = view.every or not console(stream).is_terminal
    show(draw(rows, view, marks_for(stream), most=None if whole else _MOST), stream)


_MOST = 20


def draw(rows: Tally, view: View, marks: Marks = UNICODE, most: int | None = None) -> RenderableType:
    """The whole view as one renderable; with more than ``most`` runs, only the failures."""
    lines: list[tuple[Text, ...]] = []
    failed_lines: list[tuple[Text, ...]] = []
    failed: list[RenderableType] = []
    for line, more in rows.drawn(partial(_line_and_more, view=view, marks=marks)):
        lines.append(line)
        if more:
            failed_lines.append(line)
            failed += more
    few = most is not None and len(lines) > most
    summary = grid(marks, "", "", "name", "returns", "layer", form=Folding)
    for line in failed_lines if few else lines:
        summary.add_row(*line)
    end = Text(f"{rows}{'; --all shows every run' if few else ''}")
    return Group(*([summary] if summary.row_count else []), *failed, end)


def _line_and_more(row: Row, view: View, marks: Marks) -> tuple[tuple[Text, ...], list[RenderableType]]:
    """The row's line in the table, and for a failure its details."""
    mark, style = verdict(row, marks)
    line = (Text(mark, style), Text(row.run.name or ""), Text(returned(row)), Text(row.run.asked or "", "code"))
    return line, [] if row.ok else [Text(), *_in_full(row, view, marks)]


def verdict(row: Row, marks: Marks) -> tuple[str, str]:
    """The sign of a row, and its style."""
    if not row.ok:
        return marks.no, "bad"
    nothing_ran = row.data["observed"] is None and row.data["error"] is None
    return (marks.equal, "") if nothing_ran else (marks.yes, "good")


def _in_full(row: Row, view: View, marks: Marks) -> Iterator[RenderableType]:
    # A mistake in an input line already has its place in the message.
    if row.run.where is not None and (row.report is not None or row.expectations):
        name = f"{row.run.name} " if row.run.name else ""
        yield Text(f"{name}({row.run.where.file}:{row.run.where.place().line})", "bad")
    if row.report is not None:
        yield draw_report(row.report, view, marks)
        if row.report.error is not None and row.report.error.hint:
            yield Text(f"Hint: {row.report.error.hint}")
    elif row.expectations:
        yield expectations(row.expectations, marks)
    else:
        yield Text("\n".join(failure.message for failure in row.failures), "bad")
