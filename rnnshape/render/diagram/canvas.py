"""A text canvas for wires, boxes and words that grows in all directions; wires that meet are joined.

>>> from rnnshape.render.marks import ASCII
>>> canvas = Canvas()
>>> canvas.box(0, -2, 2)
>>> canvas.down(0, -3, -2)
>>> canvas.words(-1, -1, "abc")
>>> [line.plain for line in canvas.lines(ASCII.wires)]
['  |', '+-+-+', '|abc|', '+---+']
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rnnshape.render.marks import Wires

NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8
BOX_HEIGHT = 3


class Canvas:
    """Rows grow downwards, columns to the right; both may be negative."""

    def __init__(self) -> None:
        self._wires: dict[tuple[int, int], int] = {}
        self._over: set[tuple[int, int]] = set()
        self._dashed: set[tuple[int, int]] = set()
        self._words: dict[tuple[int, int], tuple[str, str]] = {}

    def across(self, row: int, start: int, end: int) -> None:
        """Draw a horizontal wire from column ``start`` to ``end``, both included."""
        left, right = sorted((start, end))
        for column in range(left, right + 1):
            self._join(row, column, (EAST if column < right else 0) | (WEST if column > left else 0))

    def down(self, column: int, start: int, end: int) -> None:
        """Draw a vertical wire from row ``start`` to ``end``, both included."""
        top, bottom = sorted((start, end))
        for row in range(top, bottom + 1):
            self._join(row, column, (SOUTH if row < bottom else 0) | (NORTH if row > top else 0))

    def past(self, column: int, start: int, end: int) -> None:
        """Draw a vertical wire that crosses other wires without joining them."""
        self._over.update((row, column) for row in range(min(start, end), max(start, end) + 1))

    def box(self, bottom: int, left: int, right: int, *, top: int | None = None, dashed: bool = False) -> None:
        """Draw a frame; ``bottom`` is the row of its lower edge."""
        top = bottom - BOX_HEIGHT + 1 if top is None else top
        for row in (top, bottom):
            self.across(row, left, right)
        for column in (left, right):
            self.down(column, top, bottom)
        if dashed:
            self._dashed.update((row, column) for row in (top, bottom) for column in range(left, right + 1))
            self._dashed.update((row, column) for row in range(top, bottom + 1) for column in (left, right))

    def words(self, row: int, column: int, text: str, style: str = "") -> None:
        """Write text from this column on."""
        for offset, letter in enumerate(text):
            self._words[row, column + offset] = letter, style

    def _join(self, row: int, column: int, arms: int) -> None:
        self._wires[row, column] = self._wires.get((row, column), 0) | arms

    @property
    def extent(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The first and the last row, and the first and the last column."""
        rows, columns = zip(*self._wires, *self._over, *self._words, strict=True)
        return (min(rows), max(rows)), (min(columns), max(columns))

    @property
    def width(self) -> int:
        _, (left, right) = self.extent
        return right - left + 1

    def lines(self, wires: Wires) -> list[Text]:
        """The picture, one line for each row."""
        (top, bottom), (left, right) = self.extent
        lines = []
        for row in range(top, bottom + 1):
            signs = [self._sign((row, column), wires) for column in range(left, right + 1)]
            line = Text()
            for style, run in groupby(signs, key=lambda sign: sign[1]):
                line.append("".join(letter for letter, _ in run), style)
            line.rstrip()
            lines.append(line)
        return lines

    def _sign(self, place: tuple[int, int], wires: Wires) -> tuple[str, str]:
        if place in self._words:
            return self._words[place]
        if place in self._over:
            return wires.joined[NORTH | SOUTH], "faint"
        arms = self._wires.get(place, 0)
        if place in self._dashed and arms in (EAST | WEST, NORTH | SOUTH):
            return wires.dashed[arms == (NORTH | SOUTH)], "faint"
        return wires.joined[arms], "faint" if arms else ""
