"""What the parts of a diagram share: the sheet that they are drawn on, and how wide a layer is."""

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
    """Final states that leave one of two lanes: from this edge of a box, to the left or to the right."""

    row: int
    edge: int
    leftward: bool
    tensors: tuple[Tensor, ...]


@dataclass
class Sheet:
    """What is drawn on, and where the time steps stand.

    ``at`` is the column of each step; ``elided`` says that there are more steps before the last; ``span`` is how
    far the tensors reach that have a place for each step; ``dashed`` are the steps that are masked; ``pad`` is the
    blanks beside a name in its box.
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
        """Words whose middle is this column."""
        self.canvas.words(row, column - (len(text) - 1) // 2, text, style)

    def dots(self, row: int, left: int, right: int) -> None:
        """What stands for the steps that are not drawn, halfway between two columns."""
        self.centred(row, (left + right) // 2, f" {self.wires.dots} ", "faint")

    def up(self, row: int, column: int) -> None:
        """The head of an arrow upwards."""
        self.canvas.words(row, column, self.wires.up, "faint")

    def told(self, row: int, column: int, tensor: Tensor) -> None:
        """A returned tensor's title, which begins in this column."""
        self.canvas.words(row, column, title(tensor))
        self.canvas.words(row, column, tensor.role, "role")


def title(tensor: Tensor) -> str:
    """What is returned, and its shape in letters: ``state_h (N, H)``."""
    return f"{tensor.role} {sizes(tensor.symbolic)}"


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
