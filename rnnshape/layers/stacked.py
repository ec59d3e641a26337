"""StackedRNNCells: cells one upon another, and the states that stay nested.

From Keras' ``layers/rnn/stacked_rnn_cells.py`` (read in 3.15.1): the states are a list with one list
for each cell, except that a stack of one cell returns the states of that cell alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rnnshape.layers import arguments as arg
from rnnshape.layers.base import Answer, Given, Law, Leaf, Returned, prefixed
from rnnshape.layers.building import unregularized
from rnnshape.layers.cells import CELL_INPUT, one_step
from rnnshape.layers.laws import STATE_C_IS_NOT_THE_OUTPUT
from rnnshape.layers.node import LayerClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.node import Node


def theory(node: Node, given: Given) -> Answer:
    """``(output of the last cell, [states of each cell])``, roles ``cell0_state_h``, ``cell1_state`` …"""
    cells: tuple[Node, ...] = node["cells"]
    answers: list[Answer] = []
    below = given.dims
    for index, cell in enumerate(cells):
        letter = given.letter if index == len(cells) - 1 else _letter(given.letter, index)
        answer = cell.cls.theory(cell, replace(given, dims=below, letter=letter))
        answers.append(_renamed(answer, f"cell{index}_"))
        below = answer.outputs[0].dims
    last = answers[-1]
    new_states = [answer.returned[1] for answer in answers]
    stack = Answer(
        outputs=last.outputs,
        states=[answer.states for answer in answers],
        begins=[answer.states for answer in answers],
        returned=(last.outputs[0], new_states[0] if len(cells) == 1 else new_states),
        hidden=last.hidden,
        weights=[weight for answer in answers for weight in answer.weights],
        products=[product for answer in answers for product in answer.products],
        laws=list(_laws(last)),
        cudnn=[one_step("stack LSTM or GRU layers", node.name, "stacked_rnn_cells.py")],
        refusals=[refusal for answer in answers for refusal in answer.refusals],
    )
    stack.refusals += unregularized(node, given, stack.returned)
    return stack


def _letter(letter: str, index: int) -> str:
    """The hidden size of a cell below the last: H0, H1, … beside the H of the output."""
    return f"H{index}" if letter == "H" else f"{letter}_{index}"


def _renamed(answer: Answer, prefix: str) -> Answer:
    output, new_states = answer.returned
    return replace(
        answer,
        states=prefixed(prefix, answer.states),
        returned=(output, prefixed(prefix, new_states)),
        hidden=answer.hidden and prefixed(prefix, answer.hidden),
        weights=[weight.behind(prefix) for weight in answer.weights],
    )


def _laws(last: Answer) -> Iterator[Law]:
    if last.hidden is None:
        return
    yield Law(f"output == {last.hidden.role}", True, "the output is the new hidden state of the last cell")
    if last.hidden.role.endswith("state_h"):
        yield Law(f"output == {last.hidden.role.removesuffix('_h')}_c", False, STATE_C_IS_NOT_THE_OUTPUT)


def stepped(cell: Node, x: Leaf, states: list[Returned], built: int, *, symbolic: bool) -> tuple[Leaf, Returned]:
    """What a cell returns for one step: its output, under the role of the state that it equals, and its new states.

    A stack of one cell strips its own list, so what goes in for the next step is not what went in for
    this one, and a stack in it may take the states of its first cell for all of them: then the others are not called.
    ``built`` is the width of the input that the cell has been built for, ``symbolic`` whether a graph is traced.

    Raises:
        IndexError: the cell finds fewer states than it has, as Keras' own would.
        ValueError: what the cell finds does not fit into its products.
        TypeError: the stack asks how long a state is, which a graph does not know.
    """
    if cell.cls is not STACKED_RNN_CELLS:
        return _computed(cell, x, states, built)
    new_states = []
    for inner, state in zip(cell["cells"], states, strict=False):
        x, new = stepped(inner, x, state if isinstance(state, list) else [state], built, symbolic=symbolic)
        if symbolic and isinstance(new, Leaf):
            raise TypeError
        new_states.append(new if isinstance(state, list) else _sole(new))
        built = _width(inner)
    return x, new_states[0] if len(new_states) == 1 else new_states


def _width(cell: Node) -> int:
    return _width(cell["cells"][-1]) if cell.cls is STACKED_RNN_CELLS else cell["units"]


def _computed(cell: Node, x: Leaf, states: list[Returned], built: int) -> tuple[Leaf, list[Leaf]]:
    """A step of a cell that is no stack, on states that may have lost their batch axis."""
    count = 2 if cell.name == "LSTMCell" else 1
    if len(states) < count:
        raise IndexError
    found = states[:count]
    fits = all(isinstance(state, Leaf) and state.dims and state.dims[-1].size == cell["units"] for state in found)
    # This implementation of GRU cuts its product with the state along a second axis.
    cuts = cell.name == "GRUCell" and cell["implementation"] == 2
    if x.dims[-1].size != built or not fits or (cuts and len(found[0].dims) < 2):
        raise ValueError(f"{cell.text} cannot take what it finds")
    new = [Leaf(state.role, (*x.dims[:-1], state.dims[-1]), state.dtype) for state in found]
    return new[0], new


def _sole(states: Returned) -> Returned:
    """What Keras takes for the only state of a list: of a bare tensor whose first axis is 1, what stands there."""
    if isinstance(states, list):
        return states[0] if len(states) == 1 else states
    rows = states.dims[1:] if states.dims and states.dims[0].size == 1 else states.dims
    return Leaf(states.role, rows, states.dtype)


def nesting(value: Returned) -> object:
    """The containers alone, to be compared."""
    return [nesting(item) for item in value] if isinstance(value, list) else None


STACKED_RNN_CELLS = LayerClass(
    "StackedRNNCells",
    "cell",
    (arg.Argument("cells", arg.Nested("cell", many=True), help="The cells, first to last."), *arg.BASE),
    theory,
    lambda node, rank: CELL_INPUT,
)
