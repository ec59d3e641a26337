"""Changes every layer of a tree, for the axes of a comparison: an argument, the dtype policy, a layer or its cell.

>>> from rnnshape.reading.code.expression import parse
>>> everywhere(parse("Bidirectional(LSTM(8))").node, lambda node: node.but(unroll=True) if node.has("unroll") else node)
Bidirectional(LSTM(8, unroll=True))
>>> as_cells(parse("LSTM(8, return_state=True, use_cudnn=False)").node)
RNN(LSTMCell(8), return_state=True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers.cells import GRU_CELL, LSTM_CELL, SIMPLE_RNN_CELL
from rnnshape.layers.cudnn import DECIDING
from rnnshape.layers.node import Node
from rnnshape.layers.objects import Made
from rnnshape.layers.recurrent import FUSED, FUSED_BY_CELL, RNN, cell_of, fused_twin
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.wires import Graph

if TYPE_CHECKING:
    from collections.abc import Callable, Container

_CELLS = {FUSED_BY_CELL[cell.name]: cell for cell in (LSTM_CELL, GRU_CELL, SIMPLE_RNN_CELL)}


def everywhere(node: Node, change: Callable[[Node], Node]) -> Node:
    """The same tree with every node changed, innermost first."""

    def changed(part: Any) -> Any:
        if isinstance(part, Node):
            return everywhere(part, change)
        if isinstance(part, Graph):
            return replace(part, layers=tuple((name, everywhere(layer, change)) for name, layer in part.layers))
        return tuple(map(changed, part)) if isinstance(part, tuple) else part

    return change(Node.of(node.cls, {name: changed(value) for name, value in node.given}))


def without(node: Node, names: Container[str]) -> Node:
    """The node with default values for these arguments."""
    return Node.of(node.cls, {name: value for name, value in node.given if name not in names})


_MAKES_ALIKE = frozenset(
    argument.name
    for argument in (
        *(arg.ACTIVATION, arg.RECURRENT_ACTIVATION, arg.DTYPE, arg.STATEFUL, arg.SEED, arg.TRAINABLE, arg.NAME),
        *(*arg.KERNEL_INITIALIZERS, *arg.REGULARIZERS, arg.ACTIVITY_REGULARIZER, *arg.CONSTRAINTS, *arg.DROPOUTS),
    )
)


def told_apart(node: Node) -> Node:
    """The node with default activations and random weights in float32, so that all computed steps differ.

    It uses the same kernel as the node, cuDNN or the loop.
    """
    bare = without(node, _MAKES_ALIKE)
    if node.has("recurrent_activation"):  # the default of a ConvLSTM in Keras 2 often gives zero
        bare = bare.but(recurrent_activation="sigmoid")
    kept = all(node[name] == bare[name] for name in DECIDING if node.has(name))
    chooses = node.has("use_cudnn") and asked() >= KERAS_3
    return bare if kept or not chooses else bare.but(use_cudnn=False)


def set_everywhere(node: Node, argument: str, value: Any) -> Node:
    """The same tree with an argument set in every node that has it."""

    def changed(part: Node) -> Node:
        objects = _of_dtype(part, value, always=True) if argument == arg.DTYPE.name else {}
        return part.but(**objects, **({argument: value} if part.has(argument) else {}))

    return everywhere(_stacked(node), changed)


def _of_dtype(part: Node, dtype: str, *, always: bool) -> dict[str, Made]:
    """The objects in the arguments with this dtype: all with ``always``, else those without a dtype."""
    made = {name: value for name, value in part.given if isinstance(value, Made)}
    return {name: value.of_dtype(dtype) for name, value in made.items() if always or value["dtype"] is None}


def under_policy(node: Node, dtype: str) -> Node:
    """The same tree under a global dtype policy: every node without a dtype gets it.

    >>> from rnnshape.reading.code.expression import parse
    >>> under_policy(parse("RNN([GRUCell(2, dtype='float32')])").node, "float16")
    RNN(StackedRNNCells([GRUCell(2, dtype='float32')], dtype='float16'), dtype='float16')
    """

    def named(part: Node) -> Node:
        objects = _of_dtype(part, dtype, always=False)
        own = {"dtype": dtype} if part.has("dtype") and part["dtype"] is None else {}
        return part.but(**objects, **own)

    return everywhere(_stacked(node), named)


def _stacked(node: Node) -> Node:
    """The tree with a StackedRNNCells for each list of cells in RNN, so that its arguments can change."""
    return everywhere(node, lambda part: part.but(cell=cell_of(part)) if part.cls is RNN else part)


def as_cells(node: Node) -> Node:
    """The tree with ``RNN(LSTMCell(…))`` for every ``LSTM(…)``, and so for GRU and SimpleRNN."""
    return everywhere(node, lambda part: _as_rnn(part) if part.name in FUSED else part)


def as_layers(node: Node) -> Node:
    """The tree with ``LSTM(…)`` for every ``RNN(LSTMCell(…))``, and so for GRU and SimpleRNN."""
    return everywhere(node, lambda part: (fused_twin(part) or part) if part.cls is RNN else part)


def _as_rnn(node: Node) -> Node:
    """``RNN(cell)`` for a layer: the cell gets the arguments that it has, RNN the others, and both the dtype."""
    cell = _CELLS[node.name]
    inside = {name: value for name, value in node.given if name in cell.defaults and name != "name"}
    outside = {name: value for name, value in node.given if name in RNN.defaults}
    return Node.of(RNN, {"cell": Node.of(cell, inside), **outside})
