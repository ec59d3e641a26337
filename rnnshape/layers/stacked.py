"""StackedRNNCells: cells that are called one after another in each step, with nested states.

From Keras' ``layers/rnn/stacked_rnn_cells.py`` (read in 3.15.1): the states are a list with one list for each cell.
A stack of one cell returns the states of that cell without the outer list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers.base import Answer, Given, Law, Leaf, Refusal, Returned, compute_dtype, flat, prefixed
from rnnshape.layers.building import one_dtype, unregularized
from rnnshape.layers.cells import CELL_INPUT, one_step
from rnnshape.layers.cudnn import mask_used
from rnnshape.layers.former import in_order
from rnnshape.layers.laws import STATE_C_IS_NOT_THE_OUTPUT
from rnnshape.layers.node import LayerClass
from rnnshape.layers.release import change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.node import Node

_LISTS = change(
    "3.0",
    "the states of stacked cells are a list with a list for each cell, without the outer list for a single cell; "
    "before, they are a tuple, and a single state of a cell is a bare tensor",
    "layers/rnn/stacked_rnn_cells.py: StackedRNNCells.call",
)
_LONE_CELL = "IndexError: an unrolled stack of one cell passes its states on without their list"

_MASKED_DTYPES = "InvalidArgumentError: a masked step selects between states of two dtypes, the stack's and a cell's"
_LOST_STATES = "InvalidArgumentError: an unrolled stack of one stack loses states from the second step on"
_SYMBOLIC = "TypeError: an unrolled stack of one stack asks how long a state is, which a graph does not know"
_LOOPED_DTYPES = "TypeError: a state enters the loop in the stack's dtype and leaves it in its cell's"
_MASKED_LONE_CELL = "ValueError: The two structures don't have the same nested structure (a stack of one cell, masked)"


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
    states = [answer.states for answer in answers]
    new_states = [answer.returned[1] for answer in answers]
    returned = new_states[0] if len(cells) == 1 else new_states
    if not _LISTS.made:
        # Nested like state_size: a tuple with an item for each cell, a single state without a list.
        states = [*map(_unwrapped, cells, answers)]
        returned = tuple(states)
    stack = Answer(
        outputs=last.outputs,
        states=states,
        begins=states if _LISTS.made else tuple(states),
        returned=(last.outputs[0], returned),
        hidden=last.hidden,
        weights=in_order(
            ((cell.trainable, answer.weights) for cell, answer in zip(cells, answers, strict=True)),
            trainable=node.trainable,
        ),
        products=[product for answer in answers for product in answer.products],
        laws=list(_laws(last)),
        cudnn=[one_step("stack LSTM or GRU layers", node.name, "stacked_rnn_cells.py")],
        refusals=[refusal for answer in answers for refusal in answer.refusals],
    )
    stack.refusals += unregularized(node, given, stack.returned)
    return stack


def _unwrapped(cell: Node, answer: Answer) -> Returned:
    """The states of a cell as Keras 2 nests them in a stack: a single one bare, those of a stack in a tuple."""
    if cell.has("cells"):
        return answer.begins
    return answer.states if len(answer.states) > 1 else answer.states[0]


def _letter(letter: str, index: int) -> str:
    """The letter of a cell's hidden size before the last cell: H0, H1, …; the output has H."""
    return f"H{index}" if letter == "H" else f"{letter}_{index}"


def _renamed(answer: Answer, prefix: str) -> Answer:
    output, new_states = answer.returned
    return replace(
        answer,
        states=prefixed(prefix, answer.states),
        begins=prefixed(prefix, answer.begins),
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


def renest(node: Node, cell: Node, step: Answer, given: Given) -> None:
    """Nest the states of a stack as Keras returns them.

    The loop nests them like the initial states.  Unrolled, they are nested as the last step returns them.  A masked
    loop fails if a step changes their nesting.
    """
    if not _LISTS.made:
        step.states = list(step.states)
        return
    masked = mask_used(given) is not None
    computing = (
        part for part in cell.walk() if not part.has("cells")
    )  # an inner stack passes on the states of its cells unchanged
    unlike = any(compute_dtype(part["dtype"]) != compute_dtype(cell["dtype"]) for part in computing)
    if masked and unlike:
        step.refusals.append(Refusal(_MASKED_DTYPES, "give the stack and its cells one dtype"))
    if not node["unroll"]:
        if unlike and given.execution != "eager":
            step.refusals.append(
                Refusal(_LOOPED_DTYPES, "give the stack and its cells one dtype, or --execution eager")
            )
        if masked and _nesting(step.returned[1]) != _nesting(step.states):
            step.refusals.append(Refusal(_MASKED_LONE_CELL, "use RNN(cell) for a single cell, not a list of one"))
        return
    if masked:
        return
    try:
        _unrolled(node, cell, step, given)
    except IndexError:
        step.refusals.append(Refusal(_LONE_CELL, "use RNN(cell) for a single cell, or drop unroll"))
    except ValueError:
        # Keras reads them as the states of the outer stack, and drops all but the first.
        step.refusals.append(Refusal(_LOST_STATES, "use the inner stack alone, or drop unroll"))
    except TypeError:
        step.refusals.append(Refusal(_SYMBOLIC, "use the inner stack alone, drop unroll, or --execution eager"))


def _unrolled(node: Node, cell: Node, step: Answer, given: Given) -> None:
    """Put the result of the last step of an unrolled stack into ``step``.

    Raises:
        IndexError, ValueError, TypeError: as ``_step``; ValueError also if the outputs cannot be stacked over time.
    """
    batch, time, *rest = given.dims
    begun, outputs, x = flat(step.states), [], Leaf("input", (batch, *rest), given.dtype)
    # The nesting does not change after two steps.
    for _ in range(min(time.size, 4)):
        output, new = _step(cell, x, step.states, rest[-1].size, symbolic=given.execution != "eager")
        step.states = new if isinstance(new, list) else [new]
        outputs.append(output)
    if node["return_sequences"] and len({tuple(dim.size for dim in output.dims) for output in outputs}) > 1:
        raise ValueError("the steps return outputs of different widths")
    left = flat(step.states)
    if node["stateful"] and any(old.dims != new.dims for old, new in zip(begun, left, strict=False)):
        raise ValueError("a state is kept in another shape")
    last = outputs[-1]
    step.outputs = (Leaf("output", last.dims, step.outputs[0].dtype),)
    step.hidden = next((leaf for leaf in left if leaf.role == last.role and leaf.dims == last.dims), None)


def _step(cell: Node, x: Leaf, states: list[Returned], built: int, *, symbolic: bool) -> tuple[Leaf, Returned]:
    """The result of one step of a cell: its output, with the role of the state that it equals, and its new states.

    A stack of one cell removes its own list, so the next step gets states of another nesting.  A stack in it may then
    read the states of its first cell as those of all cells, and call only that one.  ``built`` is the input width that
    the cell is built for; ``symbolic`` says that a graph is traced.

    Raises:
        IndexError: the cell gets fewer states than it has, as in Keras.
        ValueError: the states do not fit into the cell's matrix products.
        TypeError: the stack needs the length of a state, which is unknown in a graph.
    """
    if cell.cls is not STACKED_RNN_CELLS:
        return _cell_step(cell, x, states, built)
    new_states = []
    for inner, state in zip(cell["cells"], states, strict=False):
        x, new = _step(inner, x, state if isinstance(state, list) else [state], built, symbolic=symbolic)
        if symbolic and isinstance(new, Leaf):
            raise TypeError
        new_states.append(new if isinstance(state, list) else _only_state(new))
        built = _width(inner)
    return x, new_states[0] if len(new_states) == 1 else new_states


def _width(cell: Node) -> int:
    return _width(cell["cells"][-1]) if cell.cls is STACKED_RNN_CELLS else cell["units"]


def _cell_step(cell: Node, x: Leaf, states: list[Returned], built: int) -> tuple[Leaf, list[Leaf]]:
    """A step of a single cell, on states that may have lost their batch axis."""
    count = 2 if cell.name == "LSTMCell" else 1
    if len(states) < count:
        raise IndexError
    found = states[:count]
    fits = all(isinstance(state, Leaf) and state.dims and state.dims[-1].size == cell["units"] for state in found)
    # This implementation of GRU slices its product with the state along a second axis.
    cuts = cell.name == "GRUCell" and cell["implementation"] == 2
    if x.dims[-1].size != built or not fits or (cuts and len(found[0].dims) < 2):
        raise ValueError(f"{cell.text} cannot take what it finds")
    new = [Leaf(state.role, (*x.dims[:-1], state.dims[-1]), state.dtype) for state in found]
    return new[0], new


def _only_state(states: Returned) -> Returned:
    """The only state in a list; of a bare tensor with a first axis of size 1, Keras takes its only row."""
    if isinstance(states, list):
        return states[0] if len(states) == 1 else states
    rows = states.dims[1:] if states.dims and states.dims[0].size == 1 else states.dims
    return Leaf(states.role, rows, states.dtype)


def _nesting(value: Returned) -> object:
    """The containers without the tensors, to compare them."""
    return [_nesting(item) for item in value] if isinstance(value, list) else None


STACKED_RNN_CELLS = LayerClass(
    "StackedRNNCells",
    "cell",
    (arg.Argument("cells", arg.Nested("cell", many=True), help="The cells, first to last."), *arg.BASE),
    theory,
    lambda node, rank: CELL_INPUT,
    check=one_dtype,
)
