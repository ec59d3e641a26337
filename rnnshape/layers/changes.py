"""One change made to every layer of a tree: what an axis of a comparison varies.

>>> from rnnshape.spec.expression import parse
>>> everywhere(parse("Bidirectional(LSTM(8))").node, lambda node: node.but(unroll=True) if node.has("unroll") else node)
Bidirectional(LSTM(8, unroll=True))
>>> as_cells(parse("LSTM(8, return_state=True, use_cudnn=False)").node)
RNN(LSTMCell(8), return_state=True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.layers.cells import GRU_CELL, LSTM_CELL, SIMPLE_RNN_CELL
from rnnshape.layers.node import Node
from rnnshape.layers.recurrent import FUSED, FUSED_BY_CELL, RNN, fused_twin

if TYPE_CHECKING:
    from collections.abc import Callable

_CELLS = {FUSED_BY_CELL[cell.name]: cell for cell in (LSTM_CELL, GRU_CELL, SIMPLE_RNN_CELL)}


def everywhere(node: Node, change: Callable[[Node], Node]) -> Node:
    """The same tree with the change made to every node, innermost first."""

    def changed(part: Any) -> Any:
        if isinstance(part, Node):
            return everywhere(part, change)
        return tuple(map(changed, part)) if isinstance(part, tuple) else part

    return change(Node.of(node.cls, {name: changed(value) for name, value in node.given}))


def set_everywhere(node: Node, argument: str, value: Any) -> Node:
    """The same tree with an argument set in every node that takes it, whatever it said before."""
    return everywhere(node, lambda part: part.but(**{argument: value}) if part.has(argument) else part)


def as_cells(node: Node) -> Node:
    """The tree with ``RNN(LSTMCell(…))`` for every ``LSTM(…)``, and so for GRU and SimpleRNN."""
    return everywhere(node, lambda part: _unfused(part) if part.name in FUSED else part)


def as_layers(node: Node) -> Node:
    """The tree with ``LSTM(…)`` for every ``RNN(LSTMCell(…))``, and so for GRU and SimpleRNN."""
    return everywhere(node, lambda part: (fused_twin(part) or part) if part.cls is RNN else part)


def _unfused(node: Node) -> Node:
    """The cell gets what a cell takes, the RNN the rest; both get the dtype.  RNN never uses cuDNN."""
    cell = _CELLS[node.name]
    inside = {name: value for name, value in node.given if name in cell.defaults and name != "name"}
    outside = {name: value for name, value in node.given if name in RNN.defaults}
    return Node.of(RNN, {"cell": Node.of(cell, inside), **outside})
