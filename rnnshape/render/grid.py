"""The one look of a table within the view, and of a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from rnnshape.structure import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.render.marks import Marks
    from rnnshape.structure import Structure


def grid(marks: Marks, title: str, *columns: str) -> Table:
    """An empty table with a title and these columns; without a column's name there is no head."""
    table = Table(
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


def sizes(values: Iterable[Any]) -> str:
    """A shape as Python writes it: ``(4,)`` has its comma."""
    parts = list(map(str, values))
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def container(structure: Structure) -> str:
    """The outermost container in words: ``a tuple of 3``."""
    if isinstance(structure, Tensor):
        return "one tensor"
    return f"a {structure.kind} of {len(structure.items)}"
