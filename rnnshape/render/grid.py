"""The style of all tables of the table view, and the text of shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rnnshape.structure import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from rnnshape.render.marks import Marks
    from rnnshape.structure import Structure


class Whole(Table):
    """A table that never breaks a word: on a terminal too narrow for it, its rows become a list."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        least = [max(map(_longest_word, (column.header, *column.cells))) for column in self.columns]
        if sum(least) + 3 * len(least) + 1 > options.max_width and len(least) > 1:
            return self._listed()
        return super().__rich_console__(console, options)

    def _listed(self) -> Iterator[RenderableType]:
        """For each row, the first cell (with its mark) and below it the other cells with their column names."""
        if self.title:
            yield self.title
        names = [str(column.header) for column in self.columns]
        own = 1 if names[0] else 2
        for row, cells in zip(self.rows, zip(*(each.cells for each in self.columns), strict=True), strict=True):
            shown = [f"{name} {cell}".strip() for name, cell in list(zip(names, cells, strict=True))[own:] if str(cell)]
            yield Text(" ".join(map(str, cells[:own])), row.style or "")
            if shown:
                yield Padding(Text(", ".join(shown), row.style or ""), (0, 0, 0, 2))


def _longest_word(cell: Any) -> int:
    return max(map(cell_len, str(cell).split()), default=0)


def grid(marks: Marks, title: str, *columns: str, form: type[Table] = Whole) -> Table:
    """An empty table with these columns; without a title or a header if it, or all column names, are empty."""
    table = form(
        title=Text(title, "head") if title else None,
        title_justify="left",
        box=marks.box,
        border_style="faint",
        header_style="faint",
        show_header=any(columns),
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def pairs() -> Table:
    """An empty table of labels and texts, without lines."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


class Folding(Table):
    """A table that puts the last column below the second one if there is too little room beside it."""

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
            shown = [part for part in (row[1], row[-1]) if str(part)]
            table.add_row(row[0], Text("\n").join(shown), *row[2:-1])
        return table


_READABLE = 30
"""Text in a narrower column is hard to read."""


def sizes(values: Iterable[Any]) -> str:
    """A shape as Python writes it, such as ``(2, 3)`` or ``(4,)``."""
    parts = list(map(str, values))
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def container(structure: Structure) -> str:
    """The outermost container in words: ``a tuple of 3``."""
    if isinstance(structure, Tensor):
        return "one tensor"
    return f"a {structure.kind} of {len(structure.items)}"
