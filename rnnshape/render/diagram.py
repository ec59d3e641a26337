"""A layer drawn unrolled over time: what goes in below, what comes out above, the states from step to step.

>>> import rnnshape
>>> from rnnshape.render.marks import ASCII
>>> gru = rnnshape.predict("gru", return_state=True, time=2).unrolled
>>> print(*(line.plain for line in picture_of(gru, ASCII.wires, width=80)), sep="\n")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from rnnshape.render.grid import sizes
from rnnshape.render.lanes import Shape, Sheet, draw, title, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from rnnshape.render.marks import Marks, Wires
    from rnnshape.structure import Tensor
    from rnnshape.theory.unrolled import Unrolled

# Off a terminal there is no width; a picture of this one is at home everywhere.
_WIDTH = 80
# As many steps are drawn one by one; of more, the first, the second and the last.
_MOST = 4
_SAMPLES = 4
# Half of a place in a tensor, with a blank.
_SLOT = 4


class Diagram:
    """The picture, with as many steps as the terminal has room for."""

    def __init__(self, unrolled: Unrolled, marks: Marks) -> None:
        self.unrolled = unrolled
        self.wires = marks.wires

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(_head(self.unrolled), "head")
        for line in picture_of(self.unrolled, self.wires, options.max_width if console.is_terminal else _WIDTH):
            line.no_wrap, line.overflow = True, "crop"
            yield line
        for note in self.unrolled.notes:
            yield Text(note, "faint")


def _head(unrolled: Unrolled) -> str:
    if unrolled.steps is not None:
        return "Unrolled over time"
    return "One step" if unrolled.layers[0].begins == "given" else "One call"


def picture_of(unrolled: Unrolled, wires: Wires, width: int) -> list[Text]:
    """The lines of the roomiest picture that fits, or of the narrowest."""
    for shown in _choices(unrolled.steps or 1):
        for pad in (1, 0):
            sheet = _sheet(unrolled, wires, shown, pad)
            _draw(unrolled, sheet, shown)
            if sheet.canvas.width <= width:
                return sheet.canvas.lines(wires)
    return sheet.canvas.lines(wires)


def _choices(steps: int) -> Iterator[tuple[int, ...]]:
    """Which steps may be drawn, the most first."""
    if steps <= _MOST:
        yield tuple(range(steps))
    if steps > 3:
        yield 0, 1, steps - 1
    if steps > 2:
        yield 0, steps - 1


def _sheet(unrolled: Unrolled, wires: Wires, shown: Sequence[int], pad: int) -> Sheet:
    """Where the steps stand: as close as the widest layer and the slots of the tensors allow."""
    left, right = -_SLOT, _SLOT
    states = False
    for layer in unrolled.layers:
        shape = Shape.of(layer, pad)
        edges = [shape.edges(lane, 0) for lane in range(len(layer.lanes))]
        left, right = min(left, edges[0][0]), max(right, edges[-1][1])
        if layer.sequences and len(unrolled.outputs) > 1:
            left, right = min(left, shape.middles[0] - _SLOT), max(right, shape.middles[1] + _SLOT)
        states = states or any(cell.roles for lane in layer.lanes for cell in lane.cells)
    pitch = right - left + (6 if states else 3)
    at = [number * pitch for number in range(len(shown))]
    gap = None
    if len(shown) > 1 and shown[-1] - shown[-2] > 1:
        at[-1] += 2 + len(wires.dots)
        gap = (at[-2] + right + at[-1] + left) // 2
    span = _span(unrolled, at[0] + left - 1, at[-1] + right + 1)
    dashed = [number for number, step in enumerate(shown) if not all(_masks(unrolled, step))]
    return Sheet(wires, tuple(at), gap, span, dashed, pad)


def _span(unrolled: Unrolled, left: int, right: int) -> tuple[int, int]:
    """From this column to that one, or more where a title is longer or a mask stands there."""
    if unrolled.mask:
        left = min(left, -4 - len(_sample(min(len(unrolled.mask), _SAMPLES) - 1)))
    titles = [title(tensor) for tensor in unrolled.outputs] if unrolled.layers[-1].sequences else []
    lacking = max(map(len, [f"x {sizes(unrolled.letters)}", *titles])) + 6 - (right - left + 1)
    more = max(0, lacking)
    return left - more // 2, right + more - more // 2


def _sample(number: int) -> str:
    return f"mask[{number}]"


def _masks(unrolled: Unrolled, position: int) -> list[bool]:
    """The mask of each sample at the step in this position."""
    return [row[_time(unrolled, position)] for row in unrolled.mask or ()]


def _time(unrolled: Unrolled, position: int) -> int:
    """Which step stands in this position."""
    assert unrolled.steps is not None
    return unrolled.steps - 1 - position if unrolled.backwards else position


def _draw(unrolled: Unrolled, sheet: Sheet, shown: Sequence[int]) -> None:
    leaving = [_input(unrolled, sheet, shown)]
    row = -1
    for number, layer in enumerate(unrolled.layers):
        leaving, row = draw(sheet, layer, leaving[0], row)
        if number < len(unrolled.layers) - 1:
            # Where two outputs have become one, the word that says how stands on the wire.
            beside = 2 if layer.merge is None else 1 + (len(layer.merge) + 1) // 2
            sheet.canvas.words(row + 1, leaving[0][-1] + beside, sizes(layer.letters), "faint")
    outputs = list(zip(unrolled.outputs, leaving, strict=True))
    if unrolled.layers[-1].sequences:
        slots = [_slot(unrolled, position) for position in shown]
        # The backward output below: the forward one's wires go past it.
        for tensor, columns in reversed(outputs):
            row = _sequence(sheet, tensor, columns, slots, row)
            for column in outputs[0][1] if tensor is not unrolled.outputs[0] else ():
                sheet.canvas.past(column, row + 1, row + 3)
    else:
        _finals(sheet, outputs, row)
    _exits(sheet)


def _input(unrolled: Unrolled, sheet: Sheet, shown: Sequence[int]) -> list[int]:
    """What goes in, under row 0; the columns in which its steps go up."""
    canvas, wires = sheet.canvas, sheet.wires
    name = f"x {sizes(unrolled.letters)}"
    if unrolled.steps is None:
        canvas.down(0, -1, 0)
        canvas.words(1, -(len(name) // 2), name)
        return [0]
    rows = [[f"x{_below(_time(unrolled, position) + 1, wires)}" for position in shown]]
    masks = unrolled.mask or ()
    for sample, mask in enumerate(masks[:_SAMPLES]):
        rows.append(["1" if mask[_time(unrolled, position)] else "0" for position in shown])
        canvas.words(2 + sample, sheet.span[0] + 2, _sample(sample), "faint")
    if len(masks) > _SAMPLES:
        rows.append([wires.dots] * len(shown))
    for number, texts in enumerate(rows, 1):
        _slots(sheet, number, sheet.at, texts, "" if number == 1 else "teach")
    bottom = len(rows) + 1
    canvas.box(bottom, *sheet.span, top=0)
    canvas.words(bottom, sheet.span[0] + 2, f" {name} ")
    for column in sheet.at:
        canvas.down(column, -1, 0)
    return list(sheet.at)


def _below(number: int, wires: Wires) -> str:
    return "".join(wires.digits[int(digit)] for digit in str(number))


def _slot(unrolled: Unrolled, position: int) -> str:
    """How Python takes the output that leaves in this position."""
    steps = unrolled.steps or 1
    # The columns may begin with the last step, and the layers may turn what flows.
    index = steps - 1 - position if unrolled.layers[-1].turned else position
    return "[:, -1]" if index == steps - 1 > 0 else f"[:, {index}]"


def _slots(sheet: Sheet, row: int, columns: Sequence[int], texts: Sequence[str], style: str = "") -> None:
    for column, text in zip(columns, texts, strict=True):
        sheet.canvas.words(row, column - (len(text) - 1) // 2, text, style)
    if sheet.gap is not None:
        sheet.canvas.words(row, sheet.gap - len(sheet.wires.dots) // 2, sheet.wires.dots, "faint")


def _sequence(sheet: Sheet, tensor: Tensor, columns: Sequence[int], slots: Sequence[str], row: int) -> int:
    """A tensor with a place for each step, its lower edge in this row; the row above it."""
    canvas = sheet.canvas
    canvas.box(row, *sheet.span)
    for column in columns:
        canvas.words(row, column, sheet.wires.up, "faint")
    _slots(sheet, row - 1, columns, slots)
    canvas.words(row - 2, sheet.span[0] + 2, " ")
    told(canvas, row - 2, sheet.span[0] + 3, tensor)
    canvas.words(row - 2, sheet.span[0] + 3 + len(title(tensor)), " ")
    return row - 3


def _finals(sheet: Sheet, outputs: Sequence[tuple[Tensor, Sequence[int]]], row: int) -> None:
    """Outputs of which there is one for the whole sequence, each over its wire."""
    canvas = sheet.canvas
    # From the left; a title stays clear of the next wire, and goes higher where it would touch the one before.
    placed = sorted((columns[0], tensor.role, tensor) for tensor, columns in outputs)
    end = None
    for number, (column, _, tensor) in enumerate(placed):
        begin = column - len(title(tensor)) // 2
        if number < len(placed) - 1:
            begin = min(begin, placed[number + 1][0] - 1 - len(title(tensor)))
        top = row - 1 if end is None or begin > end + 1 else row - 2
        if top < row - 1:
            canvas.down(column, row - 1, row)
        canvas.words(top + 1, column, sheet.wires.up, "faint")
        told(canvas, top, begin, tensor)
        end = begin + len(title(tensor))


def _exits(sheet: Sheet) -> None:
    """The final states of two lanes, led up at both sides to where all that is returned stands."""
    canvas = sheet.canvas
    (top, _), (left, right) = canvas.rows, canvas.columns
    sides = {leftward: [way for way in sheet.exits if way.leftward == leftward] for leftward in (True, False)}
    lists = {leftward: [tensor for way in ways for tensor in way.tensors] for leftward, ways in sides.items()}
    widths = {
        leftward: max((len(title(tensor)) for tensor in tensors), default=0) for leftward, tensors in lists.items()
    }
    columns = {True: left - 2, False: right + 2}
    apart = columns[False] - columns[True] + 1 - widths[True] - widths[False]
    for leftward, ways in sides.items():
        if not ways:
            continue
        # Two lists that would touch stand one over the other.
        row = top - 1 - (len(lists[True]) if apart < 2 and not leftward else 0)
        column = columns[leftward]
        for way in ways:
            canvas.across(way.row, way.edge, column)
            canvas.down(column, row + 1, way.row)
        canvas.words(row + 1, column, sheet.wires.up, "faint")
        for number, tensor in enumerate(reversed(lists[leftward])):
            begin = column if leftward else column - len(title(tensor)) + 1
            told(canvas, row - number, begin, tensor)
