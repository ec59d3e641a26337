"""One layer of a diagram: its boxes side by side, the states between them, two lanes crossing where there are two.

The forward lane lies below.  Its outputs go up past the backward lane on the left of each box; what the backward
lane reads comes up past the forward lane on the right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rnnshape.render.canvas import BOX_HEIGHT, Canvas
from rnnshape.render.grid import sizes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rnnshape.render.marks import Wires
    from rnnshape.structure import Tensor
    from rnnshape.theory.unrolled import Cell, Lane, Layer

_ENTRY = 4


class Exit(NamedTuple):
    """Final states that leave two lanes: from this edge of a box, to the left or to the right."""

    row: int
    edge: int
    leftward: bool
    tensors: tuple[Tensor, ...]


@dataclass
class Sheet:
    """What is drawn on, and where the time steps stand.

    ``at`` is the column of each step, ``gap`` that of the dots between the last two; ``span`` is how far the
    tensors reach that have a place for each step; ``dashed`` are the steps that are masked; ``pad`` is the blanks
    beside a name in its box.
    """

    wires: Wires
    at: tuple[int, ...]
    gap: int | None
    span: tuple[int, int]
    dashed: Collection[int]
    pad: int
    canvas: Canvas = field(default_factory=Canvas)
    exits: list[Exit] = field(default_factory=list)


class Shape(NamedTuple):
    """How far a layer reaches from the column of its step: its lanes' middles and the widths of their boxes."""

    middles: tuple[int, ...]
    widths: tuple[int, ...]

    @classmethod
    def of(cls, layer: Layer, pad: int) -> Shape:
        widths = tuple(max(len(cell.name) for cell in lane.cells) + 2 * pad + 2 for lane in layer.lanes)
        if len(widths) == 1:
            return cls((0,), widths)
        # One column is free between a box and the wire that goes past it.
        apart = max(widths[1] // 2, widths[0] - widths[0] // 2 - 1) + 2
        return cls((-(apart // 2), apart - apart // 2), widths)

    def edges(self, lane: int, step: int) -> tuple[int, int]:
        """The first and the last column of a lane's box at the step that stands in this column."""
        left = step + self.middles[lane] - self.widths[lane] // 2
        return left, left + self.widths[lane] - 1


class Gaps(NamedTuple):
    """The edges of a lane's boxes, and between each two of them the columns that the other lane leaves free."""

    edges: list[tuple[int, int]]
    free: list[tuple[int, int]]

    @classmethod
    def of(cls, shape: Shape, lane: int, steps: Sequence[int]) -> Gaps:
        edges = [shape.edges(lane, step) for step in steps]
        free = [(left[1], right[0]) for left, right in pairwise(edges)]
        if len(shape.middles) > 1:
            other = [step + shape.middles[1 - lane] for step in steps]
            if lane == 0:
                free = [(wire, right) for wire, (_, right) in zip(other, free, strict=False)]
            else:
                free = [(left, wire) for wire, (left, _) in zip(other[1:], free, strict=True)]
        return cls(edges, free)

    @property
    def first(self) -> int:
        return self.edges[0][0]

    @property
    def last(self) -> int:
        return self.edges[-1][1]


def title(tensor: Tensor) -> str:
    """``state_h (N, H)``: what is returned, and its shape in letters."""
    return f"{tensor.role} {sizes(tensor.symbolic)}"


def told(canvas: Canvas, row: int, column: int, tensor: Tensor) -> None:
    """A returned tensor's title, which begins in this column."""
    canvas.words(row, column, title(tensor))
    canvas.words(row, column, tensor.role, "role")


def draw(sheet: Sheet, layer: Layer, incoming: Sequence[int], row: int) -> tuple[list[list[int]], int]:
    """Draw a layer from this row upwards, over the wires that come up in these columns.

    Returns the columns in which each output goes up, and the next free row.
    """
    steps = sheet.at if layer.over_time else incoming
    shape = Shape.of(layer, sheet.pad)
    if len(layer.lanes) == 1:
        return _single(sheet, layer, shape, steps, row)
    return _double(sheet, layer, shape, steps, row)


def _single(sheet: Sheet, layer: Layer, shape: Shape, steps: Sequence[int], row: int) -> tuple[list[list[int]], int]:
    for step in steps:
        sheet.canvas.words(row, step, sheet.wires.up, "faint")
    row = _lane(sheet, layer, shape, 0, steps, row - 1)
    out = _leaving(layer, 0, steps)
    for step in out:
        sheet.canvas.down(step, row, row + 1)
    return [out], row - 1


def _double(sheet: Sheet, layer: Layer, shape: Shape, steps: Sequence[int], row: int) -> tuple[list[list[int]], int]:
    canvas, up = sheet.canvas, sheet.wires.up
    ahead, back = ([step + middle for step in steps] for middle in shape.middles)
    for step, left, right in zip(steps, ahead, back, strict=True):
        canvas.across(row, left, right)
        canvas.down(step, row, row + 1)
        for column in (left, right):
            canvas.down(column, row - 1, row)
        canvas.words(row - 1, left, up, "faint")
    between = _lane(sheet, layer, shape, 0, steps, row - 2)
    for column in back:
        canvas.past(column, row - 1, between + 2)
        canvas.words(between + 1, column, up, "faint")
    above = _lane(sheet, layer, shape, 1, steps, between)
    out = [_leaving(layer, lane, columns) for lane, columns in enumerate((ahead, back))]
    for column in out[0]:
        canvas.down(column, between, between + 1)
        canvas.past(column, above + 1, between)
    if layer.merge is not None:
        return _merged(sheet, layer.merge, steps if layer.sequences else None, out, above)
    for column in (*out[0], *out[1]):
        canvas.down(column, above, above + 1)
    return out, above - 1


def _merged(
    sheet: Sheet, merge: str, steps: Sequence[int] | None, out: list[list[int]], row: int
) -> tuple[list[list[int]], int]:
    """The two outputs of each step become one; without sequences there is one of each, maybe far apart."""
    canvas = sheet.canvas
    middles = steps or [(out[0][0] + out[1][0]) // 2]
    for middle, left, right in zip(middles, *out, strict=True):
        canvas.across(row, left, right)
        for column in (left, right):
            canvas.down(column, row, row + 1)
        canvas.down(middle, row - 1, row)
        canvas.words(row - 1, middle - len(merge) // 2, merge, "teach")
    return [list(middles)], row - 2


def _leaving(layer: Layer, lane: int, columns: Sequence[int]) -> list[int]:
    """Where a lane's outputs leave: at every step, or where it ends."""
    if layer.sequences:
        return list(columns)
    return [columns[0] if layer.lanes[lane].leftward else columns[-1]]


def _lane(sheet: Sheet, layer: Layer, shape: Shape, which: int, steps: Sequence[int], row: int) -> int:
    """The cells of a lane, the lowest edge in this row; the row above them."""
    lane, canvas = layer.lanes[which], sheet.canvas
    for number, cell in enumerate(lane.cells):
        for index, step in enumerate(steps):
            left, right = shape.edges(which, step)
            canvas.box(row, left, right, dashed=layer.masked and index in sheet.dashed)
            canvas.words(row - 1, left + (right - left + 1 - len(cell.name)) // 2, cell.name, "code")
            if number:
                canvas.down(step + shape.middles[which], row, row + 1)
        if cell.roles:
            _states(sheet, layer, lane, cell, Gaps.of(shape, which, steps), row - 1)
        row -= BOX_HEIGHT
    if lane.name:
        first = shape.edges(which, steps[-1 if lane.leftward else 0])
        column = first[1] + 2 if lane.leftward else first[0] - 1 - len(lane.name)
        canvas.words(row + 1, column, lane.name, "faint")
    return row


def _states(sheet: Sheet, layer: Layer, lane: Lane, cell: Cell, gaps: Gaps, row: int) -> None:
    """The states of one cell, from box to box; how they begin, and where they leave."""
    canvas, wires = sheet.canvas, sheet.wires
    for number, (left, right) in enumerate(pairwise(gaps.edges), 1):
        _arrow(sheet, row, left[1], right[0], leftward=lane.leftward)
        if sheet.gap is None or number < len(gaps.free):
            _named(sheet, ",".join(cell.states), *gaps.free[number - 1], row - 1)
    if sheet.gap is not None and gaps.free:
        middle = sum(gaps.free[-1]) // 2
        canvas.words(row, middle - len(wires.dots) // 2 - 1, f" {wires.dots} ", "faint")
    begin, end = (gaps.last, gaps.first) if lane.leftward else (gaps.first, gaps.last)
    _begins(sheet, layer, lane, cell, begin, row)
    if cell.leaving and lane.name:
        sheet.exits.append(Exit(row, end, lane.leftward, cell.leaving))
    elif cell.leaving or layer.begins == "kept":
        _ends(sheet, layer, lane, cell, end, row)


def _arrow(sheet: Sheet, row: int, left: int, right: int, *, leftward: bool) -> None:
    """An arrow between two edges; it begins on the one and stops short of the other."""
    if leftward:
        sheet.canvas.across(row, left + 1, right)
        sheet.canvas.words(row, left + 1, sheet.wires.left, "faint")
    else:
        sheet.canvas.across(row, left, right - 1)
        sheet.canvas.words(row, right - 1, sheet.wires.right, "faint")


def _named(sheet: Sheet, names: str, left: int, right: int, row: int) -> None:
    """What flows, over its wire, between two columns that nothing crosses."""
    room = right - left - 1
    if room >= len(names):
        sheet.canvas.words(row, left + 1 + (room - len(names)) // 2, names, "faint")


def _begins(sheet: Sheet, layer: Layer, lane: Lane, cell: Cell, edge: int, row: int) -> None:
    """What the first step begins with."""
    canvas, wires = sheet.canvas, sheet.wires
    reach = _ENTRY + (3 if lane.name else 0)
    far = edge + reach if lane.leftward else edge - reach
    _arrow(sheet, row, *((edge, far) if lane.leftward else (far, edge)), leftward=lane.leftward)
    if layer.begins == "given":
        for number, role in enumerate(cell.roles):
            text = f"{role}_0"
            canvas.words(row + number, far - 1 - len(text), text)
        return
    sign = wires.again if layer.begins == "kept" else "0"
    canvas.words(row, far + 2 if lane.leftward else far - 2, sign, "teach" if sign == wires.again else "")


def _ends(sheet: Sheet, layer: Layer, lane: Lane, cell: Cell, edge: int, row: int) -> None:
    """The last states at the end of a lane: what is returned of them, and whether they are kept."""
    canvas, wires = sheet.canvas, sheet.wires
    far = edge - _ENTRY if lane.leftward else edge + _ENTRY
    _arrow(sheet, row, *((far, edge) if lane.leftward else (edge, far)), leftward=lane.leftward)
    away = 1
    if layer.begins == "kept":
        canvas.words(row, far - 1 if lane.leftward else far + 1, wires.again, "teach")
        away = 3
    for number, tensor in enumerate(cell.leaving):
        column = far - away - len(title(tensor)) + 1 if lane.leftward else far + away
        told(canvas, row + number, column, tensor)
