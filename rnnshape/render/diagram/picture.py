"""The whole picture: choose how many steps fit, place them, and draw the layers and tensors.

>>> import rnnshape
>>> from rnnshape.render.marks import ASCII
>>> gru = rnnshape.predict("gru", return_state=True, time=2).unrolled
>>> print(*(line.plain for line in picture_of(gru, ASCII.wires, width=80)), sep="\\n")
                 output (N, H)
                       ^
                       |
      +-----+   h   +--+--+
0 --->| GRU +------>| GRU +--> state (N, H)
      +-----+       +-----+
         ^             ^
    +----+-------------+----+
    |    x1            x2   |
    +- x (N, T, C) ---------+
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from rnnshape.render.diagram import layer, tensors
from rnnshape.render.diagram.sheet import Shape, Sheet, title
from rnnshape.render.grid import sizes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from rnnshape.render.marks import Marks, Wires
    from rnnshape.theory.unrolled import Unrolled

# The width outside a terminal.
_WIDTH = 80
# Up to this number, all steps are drawn; of more, the first, the second and the last.
_MOST = 4
# Half the width of a tensor's element, with a blank.
_SLOT = 4
# The distance between two boxes, with and without states between them.
_FLOWS, _APART = 6, 3


class Diagram:
    """The picture with its notes; it shows as many steps as fit into the terminal."""

    def __init__(self, unrolled: Unrolled, marks: Marks) -> None:
        self.unrolled = unrolled
        self.wires = marks.wires

    @property
    def head(self) -> str:
        """The heading of the picture."""
        if self.unrolled.steps is not None:
            return "Unrolled over time"
        return "One step" if self.unrolled.layers[0].begins == "given" else "One call"

    @property
    def text(self) -> str:
        """The picture without heading and notes, for other formats."""
        return "\n".join(line.plain.rstrip() for line in picture_of(self.unrolled, self.wires, _WIDTH))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.head, "head")
        for line in picture_of(self.unrolled, self.wires, options.max_width if console.is_terminal else _WIDTH):
            # A folded line would break the picture.
            line.no_wrap, line.overflow = True, "crop"
            yield line
        for note in self.unrolled.notes:
            yield Text(note, "faint")


def picture_of(unrolled: Unrolled, wires: Wires, width: int) -> list[Text]:
    """The lines of the widest picture that fits, else of the narrowest one."""
    for shown in _choices(unrolled.steps or 1):
        for pad in (1, 0):
            sheet = _sheet(unrolled, wires, shown, pad)
            _draw(unrolled, sheet, shown)
            if sheet.canvas.width <= width:
                return sheet.canvas.lines(wires)
    return sheet.canvas.lines(wires)


def _choices(steps: int) -> Iterator[tuple[int, ...]]:
    """The choices of positions to draw, the longest first."""
    if steps <= _MOST:
        yield tuple(range(steps))
    if steps > 3:
        yield 0, 1, steps - 1
    if steps > 2:
        yield 0, steps - 1


def _sheet(unrolled: Unrolled, wires: Wires, shown: Sequence[int], pad: int) -> Sheet:
    """The sheet with the columns of the steps, as close as the widest layer and the tensors allow."""
    left, right = _reach(unrolled, pad)
    states = any(cell.roles for layer in unrolled.layers for lane in layer.lanes for cell in lane.cells)
    pitch = right - left + (_FLOWS if states else _APART)
    at = [number * pitch for number in range(len(shown))]
    elided = len(shown) > 1 and shown[-1] - shown[-2] > 1
    if elided:
        at[-1] += 2 + len(wires.dots)
    masked = [number for number, time in enumerate(_times(unrolled, shown)) if _masked(unrolled, time)]
    span = _span(unrolled, at[0] + left - 1, at[-1] + right + 1)
    return Sheet(wires, tuple(at), elided, span, masked, pad)


def _reach(unrolled: Unrolled, pad: int) -> tuple[int, int]:
    """The extent of a step's boxes and tensor elements, to the left and to the right of its column."""
    left, right = -_SLOT, _SLOT
    for part in unrolled.layers:
        shape = Shape.of(part, pad)
        left, right = min(left, shape.edges(0, 0)[0]), max(right, shape.edges(len(shape.widths) - 1, 0)[1])
        if part.sequences and part.merge is None:
            left, right = min(left, shape.middles[0] - _SLOT), max(right, shape.middles[-1] + _SLOT)
    return left, right


def _span(unrolled: Unrolled, left: int, right: int) -> tuple[int, int]:
    """The columns from left to right, extended for long titles and for a mask."""
    if unrolled.mask:
        left = min(left, -4 - len(tensors.sample(min(len(unrolled.mask), tensors.SAMPLES) - 1)))
    titles = [title(tensor) for tensor in unrolled.outputs] if unrolled.layers[-1].sequences else []
    longest = max(map(len, [f"x {sizes(unrolled.letters)}", *titles]))
    # 6: a corner, a wire and a blank on both sides.
    more = max(0, longest + 6 - (right - left + 1))
    return left - more // 2, right + more - more // 2


def _times(unrolled: Unrolled, shown: Sequence[int]) -> list[int]:
    """The time steps of these positions."""
    last = (unrolled.steps or 1) - 1
    return [last - position if unrolled.backwards else position for position in shown]


def _masked(unrolled: Unrolled, time: int) -> bool:
    """Whether a sample is masked at this time step."""
    return not all(row[time] for row in unrolled.mask or ())


def _draw(unrolled: Unrolled, sheet: Sheet, shown: Sequence[int]) -> None:
    leaving, row = [tensors.given(unrolled, sheet, _times(unrolled, shown))], -1
    for number, part in enumerate(unrolled.layers, 1):
        leaving, row = layer.draw(sheet, part, leaving[0], row)
        if number < len(unrolled.layers):
            # On a merged wire, the shape goes to the right of the merge mode.
            beside = 2 if part.merge is None else 1 + (len(part.merge) + 1) // 2
            sheet.canvas.words(row + 1, leaving[0][-1] + beside, sizes(part.letters), "faint")
    outputs = list(zip(unrolled.outputs, leaving, strict=True))
    if unrolled.layers[-1].sequences:
        tensors.sequences(sheet, outputs, [_slot(unrolled, position) for position in shown], row)
    else:
        tensors.finals(sheet, outputs, row)
    tensors.states(sheet)


def _slot(unrolled: Unrolled, position: int) -> str:
    """The Python index of the output at this position."""
    last = (unrolled.steps or 1) - 1
    index = last - position if unrolled.layers[-1].turned else position
    return "[:, -1]" if index == last > 0 else f"[:, {index}]"
