"""Shared by the parts of a diagram: the sheet with its columns, and the width of a layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rnnshape.render.diagram.canvas import Canvas
from rnnshape.render.grid import sizes

if TYPE_CHECKING:
    from collections.abc import Collection

    from rnnshape.render.marks import Wires
    from rnnshape.structure import Tensor
    from rnnshape.theory.unrolled import Layer


class Exit(NamedTuple):
    """Final states of one of two lanes, which leave a box at ``edge`` to the left or to the right."""

    row: int
    edge: int
    leftward: bool
    tensors: tuple[Tensor, ...]


@dataclass
class Sheet:
    """The canvas and the columns of the time steps.

    ``at`` is the column of each step; ``elided`` is true if steps are left out before the last one; ``span`` are the
    first and the last column of sequences; ``dashed`` are the masked steps; ``pad`` is the number of blanks on each
    side of a name in its box.
    """

    wires: Wires
    at: tuple[int, ...]
    elided: bool
    span: tuple[int, int]
    dashed: Collection[int]
    pad: int
    canvas: Canvas = field(default_factory=Canvas)
    exits: list[Exit] = field(default_factory=list)

    def centred(self, row: int, column: int, text: str, style: str = "") -> None:
        """Write text centred on this column."""
        self.canvas.words(row, column - (len(text) - 1) // 2, text, style)

    def dots(self, row: int, left: int, right: int) -> None:
        """Write dots for the steps that are left out, halfway between two columns."""
        self.centred(row, (left + right) // 2, f" {self.wires.dots} ", "faint")

    def up(self, row: int, column: int) -> None:
        """Draw the head of an upward arrow."""
        self.canvas.words(row, column, self.wires.up, "faint")

    def titled(self, row: int, column: int, tensor: Tensor) -> None:
        """Write the title of a returned tensor from this column on."""
        self.canvas.words(row, column, title(tensor))
        self.canvas.words(row, column, tensor.role, "role")


def title(tensor: Tensor) -> str:
    """The role and symbolic shape of a tensor: ``state_h (N, H)``."""
    return f"{tensor.role} {sizes(tensor.symbolic)}"


class Shape(NamedTuple):
    """The middles of a layer's lanes, relative to the column of the step, and the widths of their boxes."""

    middles: tuple[int, ...]
    widths: tuple[int, ...]

    @classmethod
    def of(cls, layer: Layer, pad: int) -> Shape:
        widths = tuple(max(len(cell.name) for cell in lane.cells) + 2 * pad + 2 for lane in layer.lanes)
        if len(widths) == 1:
            return cls((0,), widths)
        # Leave one column free between a box and the wire beside it.
        apart = max(widths[1] // 2, widths[0] - widths[0] // 2 - 1) + 2
        return cls((-(apart // 2), apart - apart // 2), widths)

    def edges(self, lane: int, step: int) -> tuple[int, int]:
        """The first and the last column of a lane's box at the step in this column."""
        left = step + self.middles[lane] - self.widths[lane] // 2
        return left, left + self.widths[lane] - 1
