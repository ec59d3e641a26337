"""The content of each tab: parts of the table view, drawn by ``render``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from rnnshape.render import View, ending, table
from rnnshape.render.code import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from rnnshape.explorer.changes import Changes
    from rnnshape.render.marks import Marks
    from rnnshape.report import Report

TABS = {
    "returns": ("flow", "outputs", "wiring"),
    "equalities": ("checks",),
    "diagram": ("diagram",),
    "strip": ("mask",),
    "weights": ("weights",),
    "cuDNN": ("cudnn",),
    "cost": ("cost",),
    "values": ("values",),
    "code": (),
}
"""The tabs, and the parts of the table view that each shows."""

_EMPTY = {
    "equalities": "No equality to show: with return_state the output is compared with the states.",
    "strip": "No mask: switch off a step of the mask under Input.",
    "values": "The values are shown when the real layer has run.",
}


def drawn(tab: str, report: Report, changes: Changes | None, marks: Marks) -> RenderableType:
    """One tab; rows changed by the last step have the style ``changed``, and the changes are listed below."""
    if tab == "code":
        return Text("\n".join(program(report)), "code")
    wanted = TABS[tab]
    view = View.of(wanted)
    parts = [part for part in table.parts(report, view, marks) if part.name in wanted]
    if not parts:
        return Text(_EMPTY.get(tab, "Nothing to show for this layer."), "faint")
    lines: list[RenderableType] = []
    for part in parts:
        if lines:
            lines.append(Text())
        for one in part.drawn:
            if changes is not None and isinstance(one, Table):
                _mark(one, changes)
            lines.append(one)
    return Group(*lines, *_below(tab, report, marks), *_change_lines(tab, changes))


def _below(tab: str, report: Report, marks: Marks) -> Iterator[RenderableType]:
    """The lines below the tables: context and verdict in the first tab; in the others, only a disagreement."""
    if tab == "returns":
        yield Text()
        yield table.context(report, marks)
        yield ending.footer(report)
        if report.observed is not None or report.error is not None:  # else the status line says so
            yield from ending.verdict(report, marks)
    elif report.disagreements:
        yield from ending.verdict(report, marks)


def _mark(table: Table, changes: Changes) -> None:
    """Set the style of changed rows, which are found by role, check or name."""
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    for row, texts in zip(table.rows, zip(*cells, strict=True), strict=True):
        if changes.keys.intersection(texts):
            row.style = "changed"


def _change_lines(tab: str, changes: Changes | None) -> Iterator[RenderableType]:
    """The changes in this tab, one line each."""
    lines = () if changes is None else changes.lines(tab)
    if lines:
        yield Text()
        yield Text("Changed by this step", "head")
    for line in lines:
        yield Text(f"  {line}", "changed")
