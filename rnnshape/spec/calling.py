"""What stands in the call of a pasted line beside its input: ``LSTM(8)(x, initial_state=[h, c], training=True)``.

Values that are not in the line (``initial_state=encoder_states``) are made up: states are random, and a mask is to be
given as an option.  What Keras would spread or misread without a word is told here: a bare tensor where a list of
states belongs, a (1, H) state, h and c in each other's place.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from rnnshape.errors import Problem
from rnnshape.layers.base import Leaf, flat
from rnnshape.spec.masks import MASK
from rnnshape.spec.options import INITIAL_STATE, TRAINING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.layers.base import Returned
    from rnnshape.layers.node import Node
    from rnnshape.spec.spec import Spec

    Wrong: TypeAlias = Callable[[str, ast.expr | ast.keyword], None]
    Span: TypeAlias = tuple[int, int]

_ARRAYS = {"array", "asarray", "constant", "convert_to_tensor"}
_FILLS = {"zeros": "zeros", "zeros_like": "zeros", "get_initial_state": "zeros", "ones": "ones", "ones_like": "ones"}
_KEYWORDS = (MASK.name, INITIAL_STATE.name, TRAINING.name)


@dataclass(frozen=True, slots=True)
class State:
    """One state as it stands in the line: its name, or the literal shape that it is made with."""

    name: str | None
    shape: tuple[int, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Called:
    """The call: run options that it says, by name, the states as they nest, and where they stand.

    ``named_mask`` is where a mask stands whose rows are not in the line.
    """

    options: dict[str, Any] = field(default_factory=dict)
    states: Any = None
    span: Span | None = None
    named_mask: Span | None = None


class Reader:
    """Reads one call; ``wrong`` takes a message and its place, ``place`` gives a tree's span."""

    def __init__(self, wrong: Wrong, place: Callable[[ast.expr], Span]) -> None:
        self.wrong = wrong
        self.place = place

    def read(self, node: Node, call: ast.Call) -> Called:
        """What the call of a layer says; a cell's states stand behind its input."""
        options: dict[str, Any] = {}
        named = None
        cell = node.cls.kind == "cell"
        states = self._by_position(node, call)
        for keyword in call.keywords:
            if keyword.arg not in _KEYWORDS or (cell and keyword.arg != TRAINING.name):
                known = "training" if cell else ", ".join(_KEYWORDS[:2]) + " and training"
                self.wrong(f"only the input, {known} can stand in the call", keyword)
            elif isinstance(keyword.value, ast.Constant) and keyword.value.value is None:
                continue
            elif keyword.arg == TRAINING.name:
                options[keyword.arg] = self._flag(keyword.value)
            elif keyword.arg == INITIAL_STATE.name:
                states = keyword.value
            elif (rows := self._mask(keyword.value)) is None:
                named = self.place(keyword.value)
            else:
                options[MASK.name] = rows
        if states is not None:
            options[INITIAL_STATE.name] = _fill(states)
        return Called(
            {name: value for name, value in options.items() if value is not None},
            None if states is None else self._states(states),
            None if states is None else self.place(states),
            named,
        )

    def _by_position(self, node: Node, call: ast.Call) -> ast.expr | None:
        """A cell's states."""
        cell = node.cls.kind == "cell"
        for extra in call.args[2 if cell else 1 :]:
            self.wrong("only the input can stand in the call: states go in as initial_state", extra)
        if cell and len(call.args) != 2:
            self.wrong(f"{node.name} is called with the step and its states: cell(x, states)", call)
        return call.args[1] if cell and len(call.args) == 2 else None

    def _flag(self, tree: ast.expr) -> bool | None:
        if isinstance(tree, ast.Constant) and type(tree.value) is bool:
            return tree.value
        self.wrong("training must be True or False", tree)
        return None

    def _mask(self, tree: ast.expr) -> Any:
        """The rows of a literal mask; None for one whose values are not in the line."""
        if isinstance(tree, ast.List | ast.Tuple):
            self.wrong("a mask is an array or a tensor: Keras takes no list, tf.constant([[True, False]])", tree)
            return ()
        if not (isinstance(tree, ast.Call) and _called(tree) in _ARRAYS and tree.args):
            return None
        try:
            rows = _tupled(ast.literal_eval(tree.args[0]))
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return None
        if MASK.kind.accepts(rows):
            return rows
        self.wrong("a mask has a row for each sample and in it True or False for each step: (N, T)", tree)
        return ()

    def _states(self, tree: ast.expr) -> Any:
        if isinstance(tree, ast.List | ast.Tuple):
            return tuple(map(self._states, tree.elts))
        return State(_name(tree), _shape(tree), self.place(tree))


def misfits(called: Called, spec: Spec) -> Iterator[Problem]:
    """Where the states of the line are not those that the layer takes."""
    if called.states is None or called.span is None:
        return
    wanted = spec.layer.cls.theory(spec.layer, spec.given()).begins
    if not wanted:
        return
    written = _written(wanted)
    if isinstance(called.states, State):
        one = called.states
        # A single name may well hold a list; what is made on the spot is a tensor.
        if one.shape is not None or spec.layer.cls.kind == "cell":
            yield Problem(
                "", f"the states go in as a list, {written}: a bare tensor is read as something else", one.span
            )
        return
    if _nesting(called.states) != _nesting(wanted):
        count = len(list(_each(called.states)))
        yield Problem(
            "", f"the states go in as {written}, and here {_there(count)}, nested otherwise or not as many", called.span
        )
        return
    for state, leaf in zip(_each(called.states), flat(wanted), strict=True):
        yield from _misplaced(state, leaf)


def _misplaced(state: State, leaf: Leaf) -> Iterator[Problem]:
    if state.name and (other := _other(state.name, leaf.role)):
        yield Problem("", f"{state.name} stands where {leaf.role} belongs: {other}", state.span)
    shape, wanted = state.shape, tuple(dim.size for dim in leaf.dims)
    if shape is None or shape == wanted:
        return
    letters = ", ".join(dim.letter for dim in leaf.dims)
    why = "; Keras would spread it over all samples without a word" if shape[1:] == wanted[1:] and shape[0] == 1 else ""
    yield Problem("", f"{leaf.role} must be ({letters}) = {wanted}, not {shape}{why}", state.span)


def _other(name: str, role: str) -> str | None:
    """Why a state of this name is taken for another than the role."""
    if role.endswith(("_h", "_c")) and (found := re.search(r"(?:^|_)([hc])\d*(?:_|$)", name)) and found[1] != role[-1]:
        return "the order is h, then c"
    back = re.search(r"backward|bwd|(?:^|_)b_", name)
    ahead = re.search(r"forward|fwd|(?:^|_)f_", name)
    if (role.startswith("forward_") and back) or (role.startswith("backward_") and ahead):
        return "the forward states come first"
    return None


def _there(count: int) -> str:
    return f"{count} stand{'s' if count == 1 else ''}"


def _each(states: Any) -> Iterator[State]:
    if isinstance(states, State):
        yield states
    else:
        for state in states:
            yield from _each(state)


def _nesting(value: Any) -> Any:
    return [_nesting(item) for item in value] if isinstance(value, list | tuple) else None


def _written(wanted: Returned) -> str:
    return wanted.role if isinstance(wanted, Leaf) else f"[{', '.join(map(_written, wanted))}]"


def _fill(tree: ast.expr) -> str:
    """What the states hold, as far as the line tells: made of zeros or ones, or else anything."""
    if isinstance(tree, ast.List | ast.Tuple):
        fills = {_fill(each) for each in tree.elts}
        return fills.pop() if len(fills) == 1 else "random"
    return _FILLS.get(_called(tree), "random")


def _called(tree: ast.expr) -> str:
    """The last name of what is called: ``zeros`` of ``tf.zeros((2, 8))``."""
    function = tree.func if isinstance(tree, ast.Call) else None
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _name(tree: ast.expr) -> str | None:
    return tree.id if isinstance(tree, ast.Name) else tree.attr if isinstance(tree, ast.Attribute) else None


def _shape(tree: ast.expr) -> tuple[int, ...] | None:
    """The literal shape of ``tf.zeros((2, 8))``, if there is one."""
    if not isinstance(tree, ast.Call) or _called(tree).endswith("_like"):
        return None
    shape = next(
        (keyword.value for keyword in tree.keywords if keyword.arg == "shape"), tree.args[0] if tree.args else None
    )
    try:
        sizes = None if shape is None else ast.literal_eval(shape)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    good = isinstance(sizes, list | tuple) and sizes and all(type(size) is int for size in sizes)
    return tuple(sizes) if good and sizes is not None else None


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list | tuple) else value
