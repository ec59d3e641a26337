"""One lane: its boxes side by side, the states from box to box, the initial and the final states."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rnnshape.render.diagram.canvas import BOX_HEIGHT
from rnnshape.render.diagram.sheet import Exit, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.render.diagram.sheet import Shape, Sheet
    from rnnshape.theory.unrolled import Cell, Layer

# The lengths of the arrows of initial and final states; the longer one has the lane's name above it.
_REACH = 4
_LONGER = 7


@dataclass(frozen=True)
class Track:
    """One lane of a layer: ``number`` is its index, ``steps`` are the columns of the layer's steps."""

    sheet: Sheet
    layer: Layer
    shape: Shape
    number: int
    steps: Sequence[int]

    def draw(self, row: int) -> int:
        """Draw the lane with its lower edge in this row; return the row above the lane."""
        lane, canvas = self.layer.lanes[self.number], self.sheet.canvas
        for cell in lane.cells:
            for index, step in enumerate(self.steps):
                left, right = self.shape.edges(self.number, step)
                canvas.box(row, left, right, dashed=self.layer.masked and index in self.sheet.dashed)
                canvas.words(row - 1, left + (right - left + 1 - len(cell.name)) // 2, cell.name, "code")
                if cell is not lane.cells[0]:
                    canvas.down(step + self.shape.middles[self.number], row, row + 1)
            if cell.roles:
                self._states(cell, row - 1)
            row -= BOX_HEIGHT
        if lane.name:
            column = self._begin + 2 if self._leftward else self._begin - 1 - len(lane.name)
            canvas.words(row + 1, column, lane.name, "faint")
        return row

    @property
    def _leftward(self) -> bool:
        return self.layer.lanes[self.number].leftward

    @property
    def _begin(self) -> int:
        """The column where the states enter the first box."""
        return self._edges[-1][1] if self._leftward else self._edges[0][0]

    @property
    def _end(self) -> int:
        """The column where the states leave the last box."""
        return self._edges[0][0] if self._leftward else self._edges[-1][1]

    @property
    def _edges(self) -> list[tuple[int, int]]:
        return [self.shape.edges(self.number, step) for step in self.steps]

    def _free(self) -> list[tuple[int, int]]:
        """Between each two boxes, the columns without a wire of the other lane."""
        between = [(left[1], right[0]) for left, right in pairwise(self._edges)]
        if len(self.shape.middles) == 1:
            return between
        if self.number == 0:
            # The inputs of the backward lane pass on the right of each box.
            return [
                (step + self.shape.middles[1], right) for step, (_, right) in zip(self.steps, between, strict=False)
            ]
        # The outputs of the forward lane pass on the left of each box.
        return [(left, step + self.shape.middles[0]) for step, (left, _) in zip(self.steps[1:], between, strict=True)]

    def _states(self, cell: Cell, row: int) -> None:
        """Draw the states of one cell, from box to box."""
        sheet = self.sheet
        free = self._free()
        for (_, left), (right, _) in pairwise(self._edges):
            self._arrow(row, left, right)
        named = free[:-1] if sheet.elided else free
        for left, right in named:
            names = ",".join(cell.states)
            if right - left - 1 >= len(names):
                sheet.centred(row - 1, (left + right) // 2, names, "faint")
        if sheet.elided and free:
            sheet.dots(row, *free[-1])
        self._begins(cell, row)
        if cell.leaving and self.layer.lanes[self.number].name:
            sheet.exits.append(Exit(row, self._end, self._leftward, cell.leaving))
        elif cell.leaving or self.layer.begins == "kept":
            self._ends(cell, row)

    def _arrow(self, row: int, left: int, right: int) -> None:
        """Draw an arrow from one edge to the column before the other."""
        canvas, wires = self.sheet.canvas, self.sheet.wires
        if self._leftward:
            canvas.across(row, left + 1, right)
            canvas.words(row, left + 1, wires.left, "faint")
        else:
            canvas.across(row, left, right - 1)
            canvas.words(row, right - 1, wires.right, "faint")

    def _outside(self, row: int, edge: int, far: int) -> None:
        self._arrow(row, min(edge, far), max(edge, far))

    def _begins(self, cell: Cell, row: int) -> None:
        """Draw the initial states."""
        canvas, wires = self.sheet.canvas, self.sheet.wires
        way = 1 if self._leftward else -1
        # A lane with a name needs a longer arrow, because the name is above it.
        far = self._begin + way * (_LONGER if self.layer.lanes[self.number].name else _REACH)
        self._outside(row, self._begin, far)
        if self.layer.begins == "given":
            for number, role in enumerate(cell.roles):
                text = f"{role}_0"
                canvas.words(row + number, far - 1 - len(text), text)
        elif self.layer.begins == "kept":
            canvas.words(row, far + 2 * way, wires.again, "teach")
        elif self.layer.begins == "handed":
            word = f"h{wires.digits[0]}"
            canvas.words(row, far + (2 if self._leftward else -3), word, "role")
        else:
            canvas.words(row, far + 2 * way, "0")

    def _ends(self, cell: Cell, row: int) -> None:
        """Draw the final states of a single lane: what is returned, and whether the states are kept."""
        canvas, wires = self.sheet.canvas, self.sheet.wires
        way = -1 if self._leftward else 1
        far = self._end + way * _REACH
        self._outside(row, self._end, far)
        beside = far + way
        if self.layer.begins == "kept":
            canvas.words(row, beside, wires.again, "teach")
            beside += 2 * way
        for number, tensor in enumerate(cell.leaving):
            column = beside - len(title(tensor)) + 1 if self._leftward else beside
            self.sheet.titled(row + number, column, tensor)
