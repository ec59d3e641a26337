"""Reads calls of layers on tensors, as in Keras' functional API."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers.node import IMPORTED
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.several import alone
from rnnshape.reading.code.calling import STATES, Called, Reader, signature, states_apart
from rnnshape.reading.code.chain import is_called
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.made import Applied, Functional, Layer, Model, Tensor, tensors_in
from rnnshape.reading.code.results import as_passed, results_of
from rnnshape.reading.code.syntax import Unknown, called, is_none
from rnnshape.reading.code.tensors import INPUTS, makes
from rnnshape.spec.options import INITIAL_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.layers import Node
    from rnnshape.reading.code.lists import Lists
    from rnnshape.reading.code.scope import Scope
    from rnnshape.reading.code.tensors import Tensors

_ATTENTIONS = ("Attention", "AdditiveAttention", "MultiHeadAttention")
_SCORED = ("output", "scores")
_OF_ONE_STATE = ("GRU", "SimpleRNN")
_MERGED = ("query", "value", "key", "inputs")


class Calls:
    """Reads the calls of one program; ``value`` reads an expression within them."""

    def __init__(self, scope: Scope, lists: Lists, tensors: Tensors, value: Callable[[ast.expr], Any]) -> None:
        self.scope = scope
        self.source = scope.source
        self.names = scope.names
        self.lists = lists
        self.value = value
        # Whether the code leaves open what a layer returns.
        self.partly: Callable[[Node], bool] = lambda node: False
        self.reader = Reader(tensors)
        self.reader.held = lambda tree: self.source.said(tree) in scope.env

    def called(self, layer: Layer | Model, call: ast.Call, targets: int | None) -> Tensor | None:
        """Record a call of a layer and return its result."""
        layer.used = True
        node = layer.node
        if node is None:
            return None
        own = layer.tree if isinstance(layer, Layer) else call
        if node.cls.kind == "merge":
            return self._called_merge(layer, node, own, call, targets)
        several = call.args and (len(call.args) > 1 or isinstance(call.args[0], ast.List | ast.Tuple))
        if node.cls.kind == IMPORTED and several and (fed := self.several(call)):
            results, *_ = results_of(node, targets)
            return self._result(Applied(layer, node, own, fed, Called(), targets=targets, results=results))
        before = len(self.source.problems)
        fed, listed = self._first(node, call)
        call = states_apart(node, call, self.lists.spread)
        tree, beside_it = self.reader.read(node, call)
        if len(self.source.problems) > before or tree is None:
            # After a mistake there is no answer about the layer; otherwise it has one of its own.
            layer.used = any(not isinstance(problem, Unknown) for problem in self.source.problems[before:])
            return None
        states = _states_of(node, call)
        if states is not None and (self.names.known(states) is None or node.name == "StackedRNNCells"):
            states = None  # the states of a stack of cells are lists of lists, which are not followed
        first = listed[0] if listed else self.value(tree) if fed is MISSING else fed
        if isinstance(first, tuple | list) and len(given := self.items(first) or []) > 1 and node.cls.kind != IMPORTED:
            what = f"{self._named(tree)} is a list of {len(given)}, but {node.name} is read here with one tensor"
            self.source.wrong(f"{what}: call it on an item of the list, or on each", tree)
            return None
        applied = Applied(layer, node, own, [self.tensor(tree, first)], beside_it, targets=targets)
        applied.results, applied.nested, applied.container = results_of(node, targets)
        if listed[1:]:
            applied.states = self._apart(listed[1:])
        elif states is not None:
            applied.states = self._nested(states, node.has("units"), alone=node.name in _OF_ONE_STATE)
            applied.nested = as_passed(applied)
        result = self._result(applied)
        # Unknown ** arguments may decide the result: the calls after this one get an input of their own.
        return None if self.partly(node) else result

    def _called_merge(
        self, layer: Layer | Model, node: Node, own: ast.expr, call: ast.Call, targets: int | None
    ) -> Tensor | None:
        fed = self._inputs(node, call)
        if fed is not None and len(fed) == 1 and takes_one(node.name):
            return fed[0]
        if fed is None or len(fed) < 2:
            given = call.args[0] if call.args else None
            if fed is None and given is not None and not self._is_one(given):
                self.source.unknown(f"{self.source.said(given)} is not known: {alone(node)}", given)
            else:
                self.source.wrong(alone(node), call)
            return None
        scored = _SCORED if self._scores(node, call) else ()
        return self._result(Applied(layer, node, own, fed, Called(), targets=targets, results=scored))

    def _first(self, node: Node, call: ast.Call) -> tuple[Any, list[Tensor]]:
        """The value of the input of a recurrent layer, and its tensors if it is a list: ``layer([x] + states)``.

        Keras 2 takes those after the first as the states; there, the result of a call is such a list.  The value is
        ``MISSING`` if it is not read here.
        """
        if INITIAL_STATE.name not in signature(node.cls) or not call.args or isinstance(call.args[0], ast.List):
            return MISSING, []
        (tree, *_), fed = call.args, self.value(call.args[0])
        listed = None if self._is_tuple(fed) else self.items(fed)
        if listed and asked() >= KERAS_3:
            what = f"{self._named(tree)} is a list of {len(listed)}, but Keras 3 takes one tensor as the input"
            self.source.rejected(f"{what}: pass the states as initial_state", tree)
        if listed and listed[1:] and _states_of(node, call) is not None:
            self.source.rejected("the states are given twice: in the list and as initial_state", tree)
        return fed, listed or []

    def _named(self, tree: ast.expr) -> str:
        """The input as it is written; in a Sequential, the result of the layer before has no name."""
        return self.source.said(tree) or "the result of the layer before"

    def items(self, held: Any) -> list[Tensor] | None:
        """The tensors of a list, or those that a call returns; None for one tensor, or if one is unknown."""
        items = self.scope.parts(held) if isinstance(held, Tensor) else held
        if not isinstance(items, tuple | list) or not items or not all(items):
            return None
        return [one for one in items if isinstance(one, Tensor)]

    def _result(self, call: Applied) -> Tensor:
        return Tensor(call=self.scope.new(call))

    def several(self, call: ast.Call) -> list[Tensor] | None:
        """The inputs of a merging call, in a list or one by one; None if an item of a named list is unknown."""
        named = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg in _MERGED}
        trees = [*call.args, *(named[name] for name in _MERGED if name in named)]
        if len(trees) == 1:
            listed = self.lists.listed(trees[0])
            if listed is None:
                held = self.value(trees[0])
                return self.items(held) or (None if isinstance(held, tuple | list) else [self.tensor(trees[0], held)])
            trees = listed
        return [self.tensor(tree, self.value(tree)) for tree in trees]

    def _inputs(self, node: Node, call: ast.Call) -> list[Tensor] | None:
        """The inputs of a merging layer: in a list, as Keras takes them, or one by one for MultiHeadAttention."""
        named = [keyword for keyword in call.keywords if keyword.arg in _MERGED]
        first = call.args[0] if call.args else named[0].value if named else ast.Constant(None)
        listed = self.lists.listed(first) is not None
        if node.name == "MultiHeadAttention":
            return None if listed or isinstance(self.scope.there(first), tuple | list) else self.several(call)
        held = None if listed else self.value(first)
        if node.name in _ATTENTIONS and (self._is_tuple(held) or isinstance(self.names.resolved(first), ast.Tuple)):
            return None
        if not listed:
            return self.items(held)
        if call.args:  # the argument after the list is a mask
            call = ast.copy_location(ast.Call(call.func, call.args[:1], call.keywords), call)
        return self.several(call)

    def _is_tuple(self, held: Any) -> bool:
        """Whether a value is a tuple, as the result of a call is in Keras 3."""
        return isinstance(self.scope.parts(held) if isinstance(held, Tensor) else held, tuple)

    def _is_one(self, tree: ast.expr) -> bool:
        """Whether an expression is a single tensor, not a list that the code does not give."""
        return isinstance(self.value(tree), Tensor | list | tuple) or is_called(tree) or makes(tree)

    def _scores(self, node: Node, call: ast.Call) -> bool:
        """Whether an attention layer also returns its scores; other arguments change no shape and get a note."""
        given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg not in _MERGED}
        asked = given.pop("return_attention_scores", None)
        for name in given.keys() - {"training"}:
            self.scope.note(f"{name}= in the call of {node.name} is left out: it changes values, not shapes", call)
        return node.name in _ATTENTIONS and asked is not None and self.names.known(asked) is True

    def operated(self, node: Node, tree: ast.expr, tensors: list[Tensor]) -> Tensor:
        """The result of an operation, which is a layer that only this call uses."""
        return self._result(Applied(Layer(node, tree, used=True), node, tree, tensors, Called()))

    def tensor(self, tree: ast.expr, found: Any) -> Tensor:
        """The tensor of an expression; an unknown one becomes an input, and its name is bound to it."""
        if isinstance(found, Tensor):
            return found
        held = self.names.resolved(tree)
        if self.from_a_call(held) or (not makes(held) and self._of_a_new_one(held)):
            self.scope.note(f"{self.source.said(tree)} is not followed: a default shape is used for it", tree)
        # x = tf.zeros((2, 10, 8)) above the call
        made = Tensor(root=held, then=self.scope.when.get(held)) if makes(held) else Tensor(root=_unknown_tensor(tree))
        if isinstance(tree, ast.Name):
            self.scope.bind(tree.id, made)
        return made

    def from_a_call(self, tree: ast.expr) -> bool:
        """Whether an expression that is not read uses a layer's result or an Input: ``my_function(h)``, ``h[:, n]``."""
        parts = [part for part in ast.walk(tree) if isinstance(part, ast.expr)]
        if any(is_called(part) or _is_output(part) or self._calls_a_layer(part) for part in parts):
            return True
        names = {self.source.said(part) for part in ast.walk(tree) if isinstance(part, ast.Name | ast.Attribute)}
        held = (self.scope.env.get(name) for name in names)
        return bool(names & self.scope.lost) or any(is_made(one) for all_ in held for one in tensors_in(all_))

    def _calls_a_layer(self, tree: ast.expr) -> bool:
        held = self.scope.there(tree.func) if isinstance(tree, ast.Call) else None
        return isinstance(held, Layer | Model | Functional)

    def _of_a_new_one(self, tree: ast.expr) -> bool:
        """Whether an expression that is not read uses a tensor that the code creates: ``self.inner(x)``."""
        names = [part for part in ast.walk(tree) if isinstance(part, ast.Name)]
        return any(makes(self.names.resolved(name)) for name in names)

    def _nested(self, tree: ast.expr, flat: bool, *, alone: bool) -> Any:
        """The states of a call, nested as in the code; an unknown name of a single state is an input."""
        tree = self.names.resolved(tree)
        if isinstance(tree, ast.List | ast.Tuple):
            return [self._nested(item, flat, alone=flat) for item in tree.elts]
        found = self.value(tree)
        unknown = found is None and alone and isinstance(tree, ast.Name | ast.Attribute)
        return self.tensor(tree, None) if unknown else self._apart(found)

    def _apart(self, found: Any) -> Any:
        """States as lists; a list of states that a call returns as one of its values becomes its tensors."""
        if isinstance(found, list | tuple):
            return [*map(self._apart, found)]
        return (found.path and [*self.scope.parts(found)]) or found if isinstance(found, Tensor) else found


def is_made(tensor: Tensor) -> bool:
    """Whether a tensor is the result of a call, or an ``Input``."""
    return tensor.call is not None or (tensor.root is not None and called(tensor.root) in INPUTS)


def _is_output(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Attribute) and tree.attr in ("output", "outputs")


def takes_one(name: str) -> bool:
    """Whether a merging layer returns the only tensor of its list."""
    return name in ("Add", "Average", "Multiply", "Maximum", "Minimum", "Concatenate")


def _unknown_tensor(tree: ast.expr) -> ast.expr:
    """The expression of an unknown tensor; the result of a layer that is not read becomes the name x."""
    return ast.copy_location(ast.Name("x", ast.Load()), tree) if is_called(tree) else tree


def _states_of(node: Node, call: ast.Call) -> ast.expr | None:
    """The expression of the states in a call; None if it passes none."""
    names = signature(node.cls)
    given: dict[str | None, ast.expr] = dict(zip(names, call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords}
    tree = given.get(STATES if node.cls.kind == "cell" else INITIAL_STATE.name)
    return None if tree is None or is_none(tree) else tree
