"""The tables of an audit: how many layers of each class and with each value were checked, and the results."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from rnnshape.errors import UNAVAILABLE
from rnnshape.render.grid import grid
from rnnshape.render.marks import ASCII, UNICODE, Marks
from rnnshape.render.terminal import plain, show
from rnnshape.versions import running

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from rich.console import RenderableType
    from rich.table import Table

    from rnnshape.render import View
    from rnnshape.report.rows import Row, Tally


def write(rows: Tally, stream: TextIO, view: View) -> None:
    """Write the versions, a table of classes, a table of values, and each disagreement as a run to reproduce it."""
    show(Group(*parts(rows, ASCII if plain(stream) else UNICODE)), stream)


class _Count:
    """The number of rows with each result."""

    def __init__(self) -> None:
        self.agree = self.rejected = self.disagree = self.not_run = 0

    def add(self, row: Row) -> None:
        if row.exit_code == UNAVAILABLE:
            self.not_run += 1
        elif not row.ok:
            self.disagree += 1
        elif row.data["error"] is not None:
            self.rejected += 1
        else:
            self.agree += 1

    @property
    def cells(self) -> tuple[str, ...]:
        numbers = self.agree, self.rejected, self.disagree, self.not_run
        return tuple(f"{number:,}" if number else "" for number in (sum(numbers), *numbers))


_COLUMNS = ("asked", "agree", "both reject", "disagree")
_NOT_RUN = "not run"


def parts(rows: Tally, marks: Marks) -> Iterator[RenderableType]:
    """The parts of the view, in order; this runs the audit, because the rows are lazy."""
    classes: dict[str, _Count] = defaultdict(_Count)
    values: dict[str, dict[str, _Count]] = defaultdict(lambda: defaultdict(_Count))
    total = _Count()
    wrong: list[Row] = []
    for row in rows.drawn(lambda row: row):
        (_, name), *varied = row.run.axes.items()
        total.add(row)
        classes[name].add(row)
        for axis, value in varied:
            values[axis][str(value)].add(row)
        if not row.ok:
            wrong.append(row)
    yield Text(", ".join(f"{name} {version}" for name, version in running().items()))
    yield Text()
    yield _table(marks, "Classes", "class", [*classes.items(), ("all", total)])
    if values:
        yield Text()
        each = [(f"{axis}={value}", count) for axis, counts in values.items() for value, count in counts.items()]
        yield _table(marks, "Values that are not the default", "value", each)
    if wrong:
        yield Text()
        yield Text("Disagreements, each as a run for rnnshape batch -", "head")
        for row in wrong:
            yield Text(f"{marks.no} {row.run.name}: {'; '.join(failure.message for failure in row.failures)}", "bad")
            yield Text(json.dumps(row.data["run"]))
    yield Text()
    yield _verdict(total, marks)


def _table(marks: Marks, title: str, first: str, counts: Iterable[tuple[str, _Count]]) -> Table:
    rows = list(counts)
    # Usually all layers run, and the column is left out.
    columns = (*_COLUMNS, _NOT_RUN) if any(count.not_run for _, count in rows) else _COLUMNS
    table = grid(marks, title, first, *columns)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, count in rows:
        table.add_row(Text(name), *count.cells[: len(columns)], style="bad" if count.disagree else None)
    return table


def _verdict(total: _Count, marks: Marks) -> Text:
    asked = total.agree + total.rejected + total.disagree
    if total.disagree:
        return Text(f"{marks.no} Theory and the real layer disagree on {total.disagree:,} of {asked:,} layers.", "bad")
    if total.not_run:
        return Text(f"{marks.no} {total.not_run:,} layers were not run.", "bad")
    return Text(f"{marks.yes} Theory and the real layer agree on {asked:,} layers.", "good")
