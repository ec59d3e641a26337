"""The rows of a batch as people look at them: a line a run, then every failure in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rnnshape.render.columns import returned
from rnnshape.render.marks import ASCII, UNICODE, Marks
from rnnshape.render.table import draw, expectations
from rnnshape.render.terminal import plain, show

if TYPE_CHECKING:
    from typing import TextIO

    from rnnshape.batch import Row, Tally
    from rnnshape.render import View


def write(rows: Tally, stream: TextIO, view: View) -> None:
    """Name, expression, what comes out and the verdict, one line a run; then every failure in full."""
    marks = ASCII if plain(stream) else UNICODE
    summary = Table(box=marks.box, border_style="faint", header_style="faint")
    for column in ("", "name", "layer", "returns"):
        summary.add_column(column, overflow="fold")
    failed = []
    for row in rows:
        if not row.ok:
            failed.append(row)
        mark, style = _verdict(row, marks)
        summary.add_row(Text(mark, style), row.run.name or "", Text(row.run.asked or "", "code"), Text(returned(row)))
    if rows.count:
        show(summary, stream)
    for row in failed:
        stream.write("\n")
        _in_full(row, stream, view, marks)
    stream.write(f"{rows}\n")


def _verdict(row: Row, marks: Marks) -> tuple[str, str]:
    if not row.ok:
        return marks.no, "bad"
    nothing_ran = row.data["observed"] is None and row.data["error"] is None
    return (marks.equal, "") if nothing_ran else (marks.yes, "good")


def _in_full(row: Row, stream: TextIO, view: View, marks: Marks) -> None:
    # What is wrong with a line of a pipe is told with its place already.
    if row.run.where is not None and (row.report is not None or row.expectations):
        name = f"{row.run.name} " if row.run.name else ""
        show(Text(f"{name}({row.run.where.file}:{row.run.where.place().line})", "bad"), stream)
    if row.report is not None:
        show(draw(row.report, view, marks), stream)
        return
    if row.expectations:
        show(expectations(row.expectations, marks), stream)
    else:
        show(Text("\n".join(failure.message for failure in row.failures), "bad"), stream)
