"""The rows of a batch: a summary table with the failures in full, one JSON array, or JSON Lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from rnnshape.batch import Row
    from rnnshape.render import View

    Writer = Callable[[Iterable[Row], TextIO, View], None]


def jsonl(rows: Iterable[Row], stream: TextIO, view: View) -> None:
    """One line a row; each leaves as soon as it is there."""
    for row in rows:
        stream.write(json.dumps(_data(row, view), allow_nan=False) + "\n")
        stream.flush()


def as_json(rows: Iterable[Row], stream: TextIO, view: View) -> None:
    """One array; it is closed whatever happens, so what is finished can be read."""
    stream.write("[")
    before = "\n"
    try:
        for row in rows:
            stream.write(before + json.dumps(_data(row, view), allow_nan=False))
            before = ",\n"
    finally:
        stream.write("\n]\n")


def _data(row: Row, view: View) -> object:
    return row.report.to_dict(values=view.values) if row.report is not None else row.to_dict()


def table(rows: Iterable[Row], stream: TextIO, view: View) -> None:
    """Name, expression, what comes out and the verdict, one line a run; then every failure in full."""
    from rich.table import Table
    from rich.text import Text

    from rnnshape.render.marks import ASCII, UNICODE
    from rnnshape.render.table import draw
    from rnnshape.render.terminal import plain, show
    from rnnshape.structure import brackets

    marks = ASCII if plain(stream) else UNICODE
    summary = Table(box=marks.box, border_style="faint", header_style="faint")
    for column in ("", "name", "layer", "returns"):
        summary.add_column(column, overflow="fold")
    failed = []
    count = 0
    for row in rows:
        count += 1
        if not row.ok:
            failed.append(row)
        theory_only = row.ok and row.report is not None and row.report.observed is None
        mark = marks.equal if theory_only else marks.yes if row.ok else marks.no
        style = "" if theory_only else "good" if row.ok else "bad"
        if row.report is not None:
            returns = brackets(row.report.structure, lambda tensor: str(tensor.shape))
        else:
            returns = row.error.message.splitlines()[0] if row.error else ""
        summary.add_row(Text(mark, style), row.run.name or "", Text(row.run.asked or "", "code"), Text(returns))
    show(summary, stream)
    for row in failed:
        stream.write("\n")
        if row.report is not None:
            show(draw(row.report, view, marks), stream)
        elif row.error is not None:
            show(Text(row.error.message, "bad"), stream)
    stream.write(f"{count} run{'s' if count != 1 else ''}, {count - len(failed)} ok, {len(failed)} failed\n")


FORMATS: dict[str, Writer] = {"table": table, "json": as_json, "jsonl": jsonl}
