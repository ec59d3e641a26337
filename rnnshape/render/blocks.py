"""The content of the table view as data, for formats with their own tables.

HTML and Markdown convert the parts of the table view to blocks, so they show every part of the table view.

>>> from rich.table import Table
>>> table = Table(title="Returns")
>>> table.add_column("role")
>>> table.add_row(Text("output", "role"))
>>> [(block.title, block.rows) for block in blocks(table)]
[('Returns', ((Cell(text='output', style='role'),),))]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rnnshape.render.diagram import Diagram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType


class Cell(NamedTuple):
    """A text and the name of its style in ``terminal.THEME``."""

    text: str
    style: str = ""


class Head(NamedTuple):
    """A column's name, and whether the column is aligned to the right."""

    text: str
    right: bool = False


class Grid(NamedTuple):
    """A table with title, columns, rows and caption."""

    title: str
    head: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


class Pairs(NamedTuple):
    """Labels, each with a text."""

    rows: tuple[tuple[Cell, Cell], ...]


class Words(NamedTuple):
    """A line, or several preformatted lines."""

    text: str
    style: str = ""


Block: TypeAlias = Grid | Pairs | Words


def blocks(*drawn: RenderableType) -> Iterator[Block]:
    """The blocks of renderables of the table view, without blank lines."""
    for one in drawn:
        match one:
            case Group():
                yield from blocks(*one.renderables)
            case Padding():
                yield from blocks(one.renderable)
            case Table():
                yield _table(one)
            case Diagram():
                yield Words(one.head, "head")
                yield Words(one.text)
                yield from (Words(note, "faint") for note in one.unrolled.notes)
            case _:
                words = Words(*_cell(one))
                if words.text.strip():
                    yield words


def _table(table: Table) -> Grid | Pairs:
    rows = tuple(zip(*(map(_cell, column.cells) for column in table.columns), strict=True))
    if table.box is None:  # Table.grid: a label and its text
        return Pairs(tuple((first, second) for first, second in rows))
    head = tuple(Head(_cell(column.header).text, column.justify == "right") for column in table.columns)
    return Grid(_cell(table.title).text, head, rows, _cell(table.caption).text)


def _cell(value: RenderableType | None) -> Cell:
    if isinstance(value, Text):
        return Cell(value.plain, str(value.style))
    return Cell(str(value or ""))
