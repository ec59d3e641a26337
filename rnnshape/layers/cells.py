"""LSTMCell, GRUCell and SimpleRNNCell: the output, states and weights of one step.

Shapes, gate order and biases are those of Keras' ``layers/rnn/lstm.py``, ``gru.py`` and ``simple_rnn.py`` (read in
3.15.1).  LSTM, GRU and SimpleRNN use the same functions, because they have all arguments of their cells.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from rnnshape.layers import arguments as arg
from rnnshape.layers.base import STEP, Answer, Kernel, Law, Leaf, Product, Rule, Weight, compute_dtype, variable_dtype
from rnnshape.layers.building import changes_of_width, uninitialized, unregularized
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.dropping import all_dropped_by_cell
from rnnshape.layers.laws import STATE_C_IS_NOT_THE_OUTPUT
from rnnshape.layers.node import LayerClass
from rnnshape.layers.release import change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rnnshape.errors import Problem
    from rnnshape.layers.base import Dims, Given
    from rnnshape.layers.node import Node

CELL_INPUT = ("N", "C")

_TWO = (fixed(2),)
_OUTPUT = Law("output == state", True, "a cell's output is its new hidden state")
_LSTM_OUTPUT = _OUTPUT._replace(check="output == state_h")
_LSTM_MEMORY = Law("output == state_c", False, STATE_C_IS_NOT_THE_OUTPUT)


def _weights(node: Node, given: Given, gates: tuple[str, ...] = (), *, biases: Dims = ()) -> list[Weight]:
    """The weights of a cell: the gates are side by side in the last dimension; ``biases`` are leading axes."""
    units, dtype = Dim.of(node["units"], given.letter), variable_dtype(node["dtype"])
    width = units * len(gates) if gates else units
    kernel = Weight("kernel", (given.dims[-1], width), gates, dtype)
    recurrent = Weight("recurrent_kernel", (units, width), gates, dtype)
    if not node["use_bias"]:
        return [kernel, recurrent]
    return [kernel, recurrent, Weight("bias", (*biases, width), gates, dtype)]


def never_cudnn(instead: str, decided: str, source: str) -> tuple[Rule, ...]:
    """The rule for a class that has no cuDNN kernel with any arguments."""
    return (Rule("the layer is LSTM or GRU", False, instead, decided, f"keras/src/layers/{source}"),)


@lru_cache(maxsize=64)
def one_step(instead: str, name: str, source: str) -> Kernel:
    """The kernel of a cell, which is never cuDNN's: cuDNN computes whole sequences."""
    return Kernel("", never_cudnn(instead, f"{name} computes one step", f"rnn/{source}: {name}.call"), STEP)


def lstm_step(node: Node, given: Given) -> Answer:
    """One step of an LSTM: ``(output, [state_h, state_c])``; gates i, f, c, o."""
    weights = _weights(node, given, ("i", "f", "c", "o"))
    return _step(node, given, weights, _TWO_STATES, one_step(_USE_LSTM, node.name, "lstm.py"))


def gru_step(node: Node, given: Given) -> Answer:
    """One step of a GRU: ``(output, [state])``; gates z, r, h.

    With ``reset_after`` there is a bias for the input and one for the state, stacked.  The new state is in a list if
    the old one is, as in Keras' RNN.
    """
    weights = _weights(node, given, ("z", "r", "h"), biases=_TWO if node["reset_after"] else ())
    return _step(node, given, weights, _ONE_STATE, one_step(_USE_GRU, node.name, "gru.py"))


def simple_rnn_step(node: Node, given: Given) -> Answer:
    """One step of a SimpleRNN: ``(output, [state])``; no gates."""
    kernel = one_step(_USE_EITHER, node.name, "simple_rnn.py")
    return _step(node, given, _weights(node, given), _ONE_STATE, kernel)


_USE_LSTM, _USE_GRU, _USE_EITHER = (
    f"use {layers}: cuDNN computes whole sequences, a cell one step" for layers in ("LSTM", "GRU", "LSTM or GRU")
)
_TWO_STATES, _ONE_STATE = ("state_h", "state_c"), ("state",)
_WRAPS = change(
    "3.0",
    "a cell takes and returns a single state in a list; before, as a bare tensor, as get_initial_state gives it",
    "layers/rnn/gru.py, simple_rnn.py: get_initial_state",
)


def _step(node: Node, given: Given, weights: list[Weight], roles: tuple[str, ...], kernel: Kernel) -> Answer:
    """One step: the output, and new states of these ``roles``, the first of which is the output.

    The matrix products are those of the input and the state, each with its kernel.  ``implementation`` and
    ``reset_after`` split the kernels and change the order; the multiply-adds are the same.
    """
    batch, (channels, width), (units, _) = given.dims[0], weights[0].dims, weights[1].dims
    dims, dtype = (batch, units), compute_dtype(node["dtype"])
    output, states = Leaf("output", dims, dtype), [Leaf(role, dims, dtype) for role in roles]
    begins = states if len(states) > 1 or _WRAPS.made else states[0]
    return Answer(
        outputs=(output,),
        states=states,
        begins=begins,
        returned=(output, begins),
        hidden=states[0],
        weights=weights,
        products=[Product((batch, width), (channels, units))],
        laws=[_LSTM_OUTPUT, _LSTM_MEMORY] if len(states) > 1 else [_OUTPUT],
        cudnn=[kernel],
        refusals=[*uninitialized(node, weights)],
    )


def keeps_units(node: Node) -> Iterable[Problem]:
    """The problems with the activations of a cell, or of a layer with a cell's arguments."""
    return changes_of_width(node, node["units"])


def _called(step: Callable[[Node, Given], Answer]) -> Callable[[Node, Given], Answer]:
    """The theory of a cell that is used as a layer."""

    def theory(node: Node, given: Given) -> Answer:
        answer = step(node, given)
        answer.refusals += [*unregularized(node, given, answer.returned), *all_dropped_by_cell(node, given)]
        return answer

    return theory


PLAIN = (arg.UNITS, arg.ACTIVATION, arg.USE_BIAS, *arg.KERNEL_INITIALIZERS)
GATED = (arg.UNITS, arg.ACTIVATION, arg.RECURRENT_ACTIVATION, *PLAIN[2:])
"""The first arguments of a cell without gates, and of one with gates."""
_TAIL = (*arg.REGULARIZERS, *arg.CONSTRAINTS, *arg.DROPOUTS)

_cell = partial(LayerClass, kind="cell", letters=lambda node, rank: CELL_INPUT, check=keeps_units)

LSTM_CELL = _cell(
    "LSTMCell",
    arguments=(*GATED, arg.UNIT_FORGET_BIAS, *_TAIL, arg.NAMED_SEED, *arg.BASE, arg.IMPLEMENTATION),
    theory=_called(lstm_step),
)
GRU_CELL = _cell(
    "GRUCell",
    arguments=(*GATED, *_TAIL, arg.RESET_AFTER, arg.NAMED_SEED, *arg.BASE, arg.IMPLEMENTATION),
    theory=_called(gru_step),
)
SIMPLE_RNN_CELL = _cell(
    "SimpleRNNCell",
    arguments=(*PLAIN, *_TAIL, arg.NAMED_SEED, *arg.BASE),
    theory=_called(simple_rnn_step),
)
