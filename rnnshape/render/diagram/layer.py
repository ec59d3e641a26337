"""One layer of a diagram, with one or two lanes.

The forward lane is below.  Its outputs pass the backward lane on the left of each box; the inputs of the backward
lane pass the forward lane on the right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render.diagram.canvas import BOX_HEIGHT
from rnnshape.render.diagram.lane import Track
from rnnshape.render.diagram.sheet import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.render.diagram.sheet import Sheet
    from rnnshape.theory.unrolled import Layer

    # The columns of each output's wires, and the next free row.
    Outgoing = tuple[list[list[int]], int]


def draw(sheet: Sheet, layer: Layer, incoming: Sequence[int], row: int) -> Outgoing:
    """Draw a layer upwards from this row; its inputs come from below in the ``incoming`` columns."""
    if layer.mixes:
        return _over_all(sheet, layer, incoming, row)
    steps = sheet.at if layer.over_time else incoming
    shape = Shape.of(layer, sheet.pad)
    forward, *backward = [Track(sheet, layer, shape, number, steps) for number in range(len(layer.lanes))]
    return _double(forward, backward[0], row) if backward else _single(forward, row)


def _over_all(sheet: Sheet, layer: Layer, incoming: Sequence[int], row: int) -> Outgoing:
    """Draw one box over all steps of input and output."""
    canvas, (cell,) = sheet.canvas, layer.lanes[0].cells
    middle = (incoming[0] + incoming[-1]) // 2
    out = list(sheet.at) if layer.sequences else [middle]
    left, right = Shape.of(layer, sheet.pad).edges(0, middle)
    if len(incoming) > 1 or len(out) > 1:
        left, right = min(left, incoming[0] - 2, out[0] - 2), max(right, incoming[-1] + 2, out[-1] + 2)
    for step in incoming:
        sheet.up(row, step)
    canvas.box(row - 1, left, right)
    canvas.words(row - 2, left + (right - left + 1 - len(cell.name)) // 2, cell.name, "code")
    for step in out:
        canvas.down(step, row - BOX_HEIGHT - 1, row - BOX_HEIGHT)
    return [out], row - BOX_HEIGHT - 2


def _single(track: Track, row: int) -> Outgoing:
    for step in track.steps:
        track.sheet.up(row, step)
    row = track.draw(row - 1)
    out = _leaving(track)
    for step in out:
        track.sheet.canvas.down(step, row, row + 1)
    return [out], row - 1


def _double(forward: Track, backward: Track, row: int) -> Outgoing:
    sheet, canvas = forward.sheet, forward.sheet.canvas
    for step, left, right in zip(forward.steps, _columns(forward), _columns(backward), strict=True):
        canvas.across(row, left, right)
        canvas.down(step, row, row + 1)
        for column in (left, right):
            canvas.down(column, row - 1, row)
        sheet.up(row - 1, left)
    between = forward.draw(row - 2)
    for column in _columns(backward):
        canvas.past(column, row - 1, between + 2)
        sheet.up(between + 1, column)
    above = backward.draw(between)
    out = [_leaving(forward), _leaving(backward)]
    for column in out[0]:
        canvas.down(column, between, between + 1)
        canvas.past(column, above + 1, between)
    layer = forward.layer
    if layer.merge is not None:
        return _merged(sheet, layer.merge, forward.steps if layer.sequences else (), out, above)
    for column in (*out[0], *out[1]):
        canvas.down(column, above, above + 1)
    return out, above - 1


def _merged(sheet: Sheet, merge: str, steps: Sequence[int], out: list[list[int]], row: int) -> Outgoing:
    """Merge the two outputs of each step, or the two last outputs without sequences, which may be far apart."""
    canvas = sheet.canvas
    middles = list(steps) or [(out[0][0] + out[1][0]) // 2]
    for middle, left, right in zip(middles, *out, strict=True):
        canvas.across(row, left, right)
        for column in (left, right):
            canvas.down(column, row, row + 1)
        canvas.down(middle, row - 1, row)
        canvas.words(row - 1, middle - len(merge) // 2, merge, "teach")
    return [middles], row - 2


def _columns(track: Track) -> list[int]:
    """The middle columns of a lane's boxes."""
    return [step + track.shape.middles[track.number] for step in track.steps]


def _leaving(track: Track) -> list[int]:
    """The columns of a lane's outputs: every step, or only the last one."""
    columns = _columns(track)
    if track.layer.sequences:
        return columns
    return [columns[0] if track.layer.lanes[track.number].leftward else columns[-1]]
