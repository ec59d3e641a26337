"""The input and the outputs: sequences, with an element for each step, and tensors without time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render.diagram.sheet import title
from rnnshape.render.grid import sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.render.diagram.sheet import Exit, Sheet
    from rnnshape.structure import Tensor
    from rnnshape.theory.unrolled import Unrolled

# Mask rows of more samples than this are left out.
SAMPLES = 4


def sample(number: int) -> str:
    """The label of a mask's row."""
    return f"mask[{number}]"


def given(unrolled: Unrolled, sheet: Sheet, times: Sequence[int]) -> list[int]:
    """Draw the input from row 0 downwards; return the columns of its steps.

    ``times`` are the drawn time steps, from left to right.
    """
    canvas, wires = sheet.canvas, sheet.wires
    name = f"x {sizes(unrolled.letters)}"
    if unrolled.steps is None:
        canvas.down(0, -1, 0)
        canvas.words(1, -(len(name) // 2), name)
        return [0]
    _slots(sheet, 1, sheet.at, [f"x{''.join(wires.digits[int(digit)] for digit in str(time + 1))}" for time in times])
    row, masks = 2, unrolled.mask or ()
    for number, mask in enumerate(masks[:SAMPLES]):
        canvas.words(row, sheet.span[0] + 2, sample(number), "faint")
        _slots(sheet, row, sheet.at, ["1" if mask[time] else "0" for time in times])
        row += 1
    if len(masks) > SAMPLES:
        _slots(sheet, row, sheet.at, [wires.dots] * len(times))
        row += 1
    canvas.box(row, *sheet.span, top=0)
    canvas.words(row, sheet.span[0] + 2, f" {name} ")
    for column in sheet.at:
        canvas.down(column, -1, 0)
    return list(sheet.at)


def sequences(sheet: Sheet, outputs: Sequence[tuple[Tensor, Sequence[int]]], slots: Sequence[str], row: int) -> None:
    """Draw the output sequences above the wires in their columns; the first of two is on top."""
    canvas = sheet.canvas
    for number, (tensor, columns) in reversed(list(enumerate(outputs))):
        canvas.box(row, *sheet.span)
        for column in columns:
            sheet.up(row, column)
        _slots(sheet, row - 1, columns, slots)
        canvas.words(row - 2, sheet.span[0] + 2, f" {title(tensor)} ")
        sheet.titled(row - 2, sheet.span[0] + 3, tensor)
        if number:
            for column in outputs[0][1]:
                canvas.past(column, row - 2, row)
        row -= 3


def _slots(sheet: Sheet, row: int, columns: Sequence[int], texts: Sequence[str]) -> None:
    for column, text in zip(columns, texts, strict=True):
        sheet.centred(row, column, text)
    if sheet.elided:
        sheet.dots(row, *columns[-2:])


def finals(sheet: Sheet, outputs: Sequence[tuple[Tensor, Sequence[int]]], row: int) -> None:
    """Draw the outputs without time, each above its wire."""
    canvas = sheet.canvas
    end = None
    # From left to right.  A title must not touch the next wire; it moves up if it would touch the title before.
    placed = sorted(((columns[0], tensor) for tensor, columns in outputs), key=lambda place: place[0])
    for number, (column, tensor) in enumerate(placed):
        begin = column - len(title(tensor)) // 2
        if number < len(placed) - 1:
            begin = min(begin, placed[number + 1][0] - 1 - len(title(tensor)))
        top = row - 1 if end is None or begin > end + 1 else row - 2
        canvas.down(column, top + 1, row + 1)
        sheet.up(top + 1, column)
        sheet.titled(top, begin, tensor)
        end = begin + len(title(tensor))


def states(sheet: Sheet) -> None:
    """Draw the final states of two lanes at the level of the outputs: backward on the left, forward on the right."""
    (top, _), (left, right) = sheet.canvas.extent
    backward, forward = ([way for way in sheet.exits if way.leftward is side] for side in (True, False))
    left, right = left - 2, right + 2
    # If the two lists would touch, one goes above the other.
    room = right - left + 1 - _width(backward) - _width(forward)
    over = sum(len(way.tensors) for way in backward) if room < 2 else 0
    _listed(sheet, backward, left, top - 1)
    _listed(sheet, forward, right, top - 1 - over)


def _width(ways: Sequence[Exit]) -> int:
    return max((len(title(tensor)) for way in ways for tensor in way.tensors), default=0)


def _listed(sheet: Sheet, ways: Sequence[Exit], column: int, row: int) -> None:
    """Draw the states of one side; the last one is in this row, at the end of the wire in this column."""
    if not ways:
        return
    for way in ways:
        sheet.canvas.across(way.row, way.edge, column)
        sheet.canvas.down(column, row + 1, way.row)
    sheet.up(row + 1, column)
    for way in reversed(ways):
        for tensor in reversed(way.tensors):
            sheet.titled(row, column if way.leftward else column - len(title(tensor)) + 1, tensor)
            row -= 1
