"""Reads the arguments of a layer's call: ``LSTM(8)(x, initial_state=[h, c], training=True)``.

States whose values the code does not give (``initial_state=encoder_states``) are random.  A mask without values has to
be given as an option.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.syntax import called as name_called
from rnnshape.reading.code.syntax import is_none
from rnnshape.spec.masks import MASK
from rnnshape.spec.options import INITIAL_STATE, TRAINING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.layers.node import LayerClass, Node
    from rnnshape.reading.code.sizes import Sizes
    from rnnshape.reading.code.syntax import Span
    from rnnshape.reading.code.tensors import Tensors

_ARRAYS = {"array", "asarray", "constant", "convert_to_tensor"}
_FILLS = {"zeros": "zeros", "zeros_like": "zeros", "get_initial_state": "zeros", "ones": "ones", "ones_like": "ones"}
STATES = "states"


@dataclass(frozen=True, slots=True)
class State:
    """One state in a call: its name, or the literal shape that it is created with."""

    name: str | None
    shape: Sizes | None
    span: Span


@dataclass(frozen=True, slots=True)
class Called:
    """The arguments of one or more calls, except the input: run options by name, and their places.

    ``states`` is nested as in the code; ``named_mask`` is the place of a mask whose rows the code does not give.
    """

    options: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    states: Any = None
    named_mask: Span | None = None


def signature(layer: LayerClass) -> tuple[str, ...]:
    """The names of the arguments of a layer's call, in the order of Keras' ``call``."""
    if layer.kind == "cell":
        return ("sequence" if layer.name == "SimpleRNNCell" else "inputs", STATES, TRAINING.name)
    if layer.kind == "recurrent" or layer.name == "Bidirectional":
        if asked() < KERAS_3:  # RNN.__call__ of Keras 2 takes the others by name only
            return ("inputs", INITIAL_STATE.name, MASK.name, TRAINING.name)
        return ("sequences", INITIAL_STATE.name, MASK.name, TRAINING.name)
    if layer.name in ("TimeDistributed", "Sequential"):
        return ("inputs", TRAINING.name, MASK.name)
    if layer.takes_mask:
        masked = ("inputs", MASK.name, TRAINING.name)
        return ("inputs", TRAINING.name, MASK.name) if layer.name == "BatchNormalization" else masked
    return ("inputs", TRAINING.name)


def _not_by_position(name: str, tree: ast.expr) -> str | None:
    """Why an argument cannot be given by position; None if it can."""
    if name == TRAINING.name and not is_none(tree):
        return "Keras takes only tensors by position here: write training=True"
    if name == INITIAL_STATE.name and isinstance(tree, ast.Name) and "mask" in tree.id.lower():
        return f"Keras takes this for the initial_state: write mask={tree.id}"
    return None


def states_apart(node: Node, call: ast.Call, spread: Callable[[list[ast.expr]], list[ast.expr]] = list) -> ast.Call:
    """The call with the states of ``layer([x, h, c])`` as ``initial_state``, as Keras 2 reads it.

    Source: ``layers/rnn/rnn_utils.py: standardize_args`` of tf_keras.
    """
    if asked() >= KERAS_3 or INITIAL_STATE.name not in signature(node.cls) or len(call.args) != 1:
        return call
    (inputs,) = call.args
    if not isinstance(inputs, ast.List) or not inputs.elts:
        return call
    first, *others = spread(inputs.elts)
    if not others:
        return ast.copy_location(ast.Call(call.func, [first], call.keywords), call)
    states = ast.copy_location(ast.List(others, ast.Load()), others[0])
    keyword = ast.copy_location(ast.keyword(INITIAL_STATE.name, states), others[0])
    return ast.copy_location(ast.Call(call.func, [first], [*call.keywords, keyword]), call)


class Reader:
    """Reads the calls of one source."""

    def __init__(self, tensors: Tensors) -> None:
        self.source = tensors.source
        self.wrong = self.source.wrong
        self.tensors = tensors
        self.names = tensors.names
        # Whether the code itself creates the value of a name: the name then does not say which state it is.
        self.held: Callable[[ast.expr], bool] = lambda tree: False

    def read(self, node: Node, call: ast.Call) -> tuple[ast.expr | None, Called]:
        """The input of a call, and its other arguments."""
        call = states_apart(node, call)
        names = signature(node.cls)
        given = self._given(node, names, call)
        tree = given.pop(names[0], None)
        tree = None if tree is not None and is_none(tree) else tree  # a name that holds None: call(self, x=None)
        beside: dict[str, ast.expr] = {name: tree for name, tree in given.items() if self.names.known(tree) is not None}
        states = beside.pop(STATES, None) or beside.pop(INITIAL_STATE.name, None)
        if states is not None and isinstance(listed := self.names.resolved(states), ast.List | ast.Tuple):
            states = listed
        if tree is None:
            self.source.rejected(f"{node.name} needs an input: {_example(node)}", call)
        elif isinstance(tree, ast.List | ast.Tuple):
            self.source.rejected(self._several(node, tree), tree)
            tree = None
        elif node.cls.kind == "cell" and states is None:
            self.source.rejected(f"{node.name} needs the input of one step and the states: cell(x, states)", call)
        return tree, self._beside(beside, states)

    def _given(self, node: Node, names: tuple[str, ...], call: ast.Call) -> dict[str, ast.expr]:
        """The arguments of the call by name."""
        given = self._by_position(node, names, call)
        known = (*names, INITIAL_STATE.name) if node.cls.kind == "stack" else names
        for keyword in call.keywords:
            if keyword.arg is None:
                self.names.notes.append(f"**{self.source.said(keyword.value)} is unknown: the call is read without it")
            elif keyword.arg in given:
                self.source.rejected(f"{keyword.arg} is given twice", keyword)
            elif keyword.arg in known:
                given[keyword.arg] = keyword.value
            elif keyword.arg in ("inputs", "sequences", "sequence"):
                self.source.rejected(f"the input of {node.name} is called {names[0]} in Keras", keyword)
                given.setdefault(names[0], keyword.value)
            elif keyword.arg == "constants" and asked() < KERAS_3:
                self.wrong("constants= is not supported here", keyword)
            else:
                what = ", ".join(("the input", *known[1:-1])) + f" and {known[-1]}"
                self.source.rejected(f"only {what} can be given in the call of {node.name}", keyword)
        return given

    def _by_position(self, node: Node, names: tuple[str, ...], call: ast.Call) -> dict[str, ast.expr]:
        given: dict[str, ast.expr] = {}
        for place, tree in enumerate(call.args):
            if isinstance(tree, ast.Starred):
                self.source.unknown("* is not read: write the arguments out", tree)
                given.setdefault(names[0], tree.value)
                break
            if place >= len(names):
                self.source.rejected(f"the call of {node.name} takes at most {', '.join(names)}", tree)
            elif (wrong := _not_by_position(names[place], tree)) is not None:
                self.source.rejected(wrong, tree)
            else:
                given[names[place]] = tree
        return given

    def _several(self, node: Node, tree: ast.List | ast.Tuple) -> str:
        """Why a list cannot be the input, and how to pass its items."""
        no_list = "Keras takes a tensor as the input, not a list: "
        if not tree.elts or isinstance(tree.elts[0], ast.List | ast.Tuple | ast.Constant | ast.UnaryOp):
            return f"{no_list}make an array of it, np.array({self.source.said(tree)})"
        first, *others = map(self.source.said, tree.elts)
        if not others:
            return f"{no_list}pass the tensor itself, {node.name}(…)({first})"
        states = f"[{', '.join(others)}]"
        if node.cls.kind == "cell":
            return f"{node.name} takes the input of one step and the states: {node.name}(…)({first}, {states})"
        if INITIAL_STATE.name in signature(node.cls):
            way = f"{node.name}(…)({first}, initial_state={states})"
            one, listed = "Keras 3 takes one tensor as the input", "Keras 2 takes a list here, not a tuple"
            takes = one if asked() >= KERAS_3 else listed
            return f"{takes}: pass the states as {way}"
        return f"{node.name} takes one tensor as its input, but {len(tree.elts)} are given"

    def _beside(self, beside: dict[str, ast.expr], states: ast.expr | None) -> Called:
        options: dict[str, Any] = {}
        spans = {name: self.source.place(tree) for name, tree in beside.items()}
        named = None
        if TRAINING.name in beside:
            options[TRAINING.name] = self._flag(beside[TRAINING.name])
        if MASK.name in beside:
            options[MASK.name] = self._mask(beside[MASK.name])
            named = None if options[MASK.name] is not None else spans[MASK.name]
        if states is not None:
            options[INITIAL_STATE.name] = self._fill(states)
            spans[INITIAL_STATE.name] = self.source.place(states)
        return Called(
            {name: value for name, value in options.items() if value is not None},
            spans,
            None if states is None else self._states(states),
            named,
        )

    def _flag(self, tree: ast.expr) -> bool | None:
        known = self.names.known(tree)
        if type(known) is bool:
            return known
        if known is MISSING:  # such as an argument of the code's own call(self, x, training)
            self.names.notes.append(f"training={self.source.said(tree)} is not known: False is used instead")
        else:
            self.wrong("training must be True or False", tree)
        return None

    def _mask(self, tree: ast.expr) -> Any:
        """The rows of a literal mask; None if the code does not give its values."""
        if isinstance(tree, ast.List | ast.Tuple):
            self.wrong("a mask is an array or a tensor, not a list: tf.constant([[True, False]])", tree)
            return ()
        if not (isinstance(tree, ast.Call) and name_called(tree) in _ARRAYS and tree.args):
            return None
        try:
            rows = _tupled(ast.literal_eval(tree.args[0]))
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return None
        if MASK.kind.accepts(rows):
            return rows
        self.wrong("a mask has one row for each sample, with True or False for each step: (N, T)", tree)
        return ()

    def _fill(self, tree: ast.expr) -> str:
        """How the code fills the states: ``zeros``, ``ones``, or ``random`` if it does not say."""
        tree = self.names.resolved(tree)
        if isinstance(tree, ast.List | ast.Tuple):
            fills = {self._fill(each) for each in tree.elts}
            return fills.pop() if len(fills) == 1 else "random"
        return _FILLS.get(name_called(tree), "random")

    def _states(self, tree: ast.expr) -> Any:
        if isinstance(tree, ast.List | ast.Tuple):
            return tuple(map(self._states, tree.elts))
        value = tree.operand if isinstance(tree, ast.UnaryOp) else tree
        if isinstance(value, ast.Constant | ast.JoinedStr | ast.Dict | ast.Set | ast.Compare | ast.Lambda):
            self.wrong(f"{self.source.said(tree)} is not a state: write the name of a tensor instead", tree)
        elif isinstance(tree, ast.Starred):
            self.wrong("* is not read: write the states out", tree)
        shape = None if name_called(tree).endswith("_like") else self.tensors.made(tree)
        return State(None if self.held(tree) else _name(tree), shape, self.source.place(tree))


def _example(node: Node) -> str:
    return f"{node.name}(…)(x, states)" if node.cls.kind == "cell" else f"{node.name}(…)(x)"


def _name(tree: ast.expr) -> str | None:
    return tree.id if isinstance(tree, ast.Name) else tree.attr if isinstance(tree, ast.Attribute) else None


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list | tuple) else value
