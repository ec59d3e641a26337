"""The one look of a table within the view, and of a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from rnnshape.structure import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, ConsoleOptions, RenderResult

    from rnnshape.render.marks import Marks
    from rnnshape.structure import Structure


def grid(marks: Marks, title: str, *columns: str, form: type[Table] = Table) -> Table:
    """An empty table with a title and these columns; without a column's name there is no head."""
    table = form(
        title=Text(title, "head"),
        title_justify="left",
        box=marks.box,
        border_style="faint",
        header_style="faint",
        show_header=any(columns),
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


class Folding(Table):
    """A table that shows its last column below the second one where it would be narrow beside it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [max(map(cell_len, map(str, (column.header, *column.cells)))) for column in self.columns]
        beside = sum(widths[:-1]) + 3 * len(widths) + 1
        if options.max_width - beside >= min(widths[-1], _READABLE):
            self.columns[1].no_wrap = True
            return super().__rich_console__(console, options)
        return self._folded().__rich_console__(console, options)

    def _folded(self) -> Table:
        table = Table(title=self.title, title_justify="left", box=self.box, border_style="faint", header_style="faint")
        for column in self.columns[:-1]:
            table.add_column(column.header, min_width=column.min_width, overflow="fold")
        for row in zip(*(column.cells for column in self.columns), strict=True):
            told = [part for part in (row[1], row[-1]) if str(part)]
            table.add_row(row[0], Text("\n").join(told), *row[2:-1])
        return table


_READABLE = 30
"""A column of words that is narrower than this is hard to read."""


def sizes(values: Iterable[Any]) -> str:
    """A shape as Python writes it: ``(4,)`` has its comma."""
    parts = list(map(str, values))
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def container(structure: Structure) -> str:
    """The outermost container in words: ``a tuple of 3``."""
    if isinstance(structure, Tensor):
        return "one tensor"
    return f"a {structure.kind} of {len(structure.items)}"
