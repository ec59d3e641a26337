"""The tables of an audit: how many layers of each class and with each value were checked, and the results."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from rnnshape.errors import UNAVAILABLE
from rnnshape.render.grid import grid
from rnnshape.render.marks import Marks, marks_for
from rnnshape.render.terminal import show
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
    show(Group(*parts(rows, marks_for(stream))), stream)


_RESULTS = _AGREE, _REJECTED, _DISAGREE, _NOT_RUN = ("agree", "both reject", "disagree", "not run")


def _result(row: Row) -> str:
    if row.exit_code == UNAVAILABLE:
        return _NOT_RUN
    if not row.ok:
        return _DISAGREE
    return _AGREE if row.data["error"] is None else _REJECTED


def parts(rows: Tally, marks: Marks) -> Iterator[RenderableType]:
    """The parts of the view, in order; this runs the audit, because the rows are lazy."""
    # The number of rows with each result.
    classes: dict[str, Counter[str]] = defaultdict(Counter)
    values: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    wrong: list[Row] = []
    for row in rows.drawn(lambda row: row):
        (_, name), *varied = row.run.axes.items()
        result = _result(row)
        for count in (classes[name], *(values[axis][str(value)] for axis, value in varied)):
            count[result] += 1
        if not row.ok:
            wrong.append(row)
    total = sum(classes.values(), Counter[str]())
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


def _table(marks: Marks, title: str, first: str, counts: Iterable[tuple[str, Counter[str]]]) -> Table:
    rows = list(counts)
    # Usually all layers run, and the column is left out.
    results = _RESULTS if any(count[_NOT_RUN] for _, count in rows) else _RESULTS[:-1]
    table = grid(marks, title, first, "asked", *results)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, count in rows:
        numbers = (count.total(), *(count[result] for result in results))
        cells = (f"{number:,}" if number else "" for number in numbers)
        table.add_row(Text(name), *cells, style="bad" if count[_DISAGREE] else None)
    return table


def _verdict(total: Counter[str], marks: Marks) -> Text:
    asked, disagree = total.total() - total[_NOT_RUN], total[_DISAGREE]
    if disagree:
        return Text(f"{marks.no} Theory and the real layer disagree on {disagree:,} of {asked:,} layers.", "bad")
    if total[_NOT_RUN]:
        return Text(f"{marks.no} {total[_NOT_RUN]:,} layers were not run.", "bad")
    return Text(f"{marks.yes} Theory and the real layer agree on {asked:,} layers.", "good")
