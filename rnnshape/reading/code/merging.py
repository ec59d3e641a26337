"""Reads functions that merge tensors, ``concatenate([a, b])`` and ``a + b``, and slices of tensors."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers import Node
from rnnshape.layers.merges import MERGES
from rnnshape.layers.operations import OPERATIONS, SLICE, key_of
from rnnshape.reading.code.functional import is_made, takes_one
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.made import Tensor
from rnnshape.reading.code.operating import OF_TENSORS
from rnnshape.reading.code.syntax import called, dotted

if TYPE_CHECKING:
    from rnnshape.reading.code.classes import Classes
    from rnnshape.reading.code.functional import Calls
    from rnnshape.reading.code.operating import Operations

# Functions of Keras and TensorFlow that merge tensors, and the layers that compute the same.
MERGING = {
    "concatenate": "Concatenate",
    "concat": "Concatenate",
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "dot": "Dot",
}
_BACKEND = ("K", "backend")
# The names of the list argument of these functions.
_LISTED = ("inputs", "tensors", "values", "xs")
SIGNS: dict[type, str] = {ast.Add: "Add", ast.Sub: "Subtract", ast.Mult: "Multiply", ast.Div: "Divide"}


class Merging:
    """Reads the merging functions and the slices of one program; ``calls`` has the reader of its calls."""

    def __init__(self, calls: Calls, classes: Classes, operations: Operations) -> None:
        self.calls = calls
        self.operations = operations
        self.classes = classes
        self.scope = calls.scope
        self.source = calls.source
        self.names = calls.names
        self.lists = calls.lists
        self.value = calls.value

    def _is_operation(self, function: ast.expr) -> bool:
        """Whether a function computes with tensors itself, ``ops.add``, and does not call a layer, ``layers.add``."""
        name = self.classes.imported_as(dotted(function) or "")
        return bool(OF_TENSORS.intersection(name.split(".")[-2:-1]))

    def arguments(self, tree: ast.Call) -> list[ast.expr]:
        """The arguments of a merging function: the items of its list, or the tensors one by one."""
        if self._is_operation(tree.func) and MERGING[called(tree)] not in OPERATIONS:
            return []  # ops.average and the layer compute different values
        named = [keyword.value for keyword in tree.keywords if keyword.arg in _LISTED]
        if not (given := [*tree.args, *named]):
            return []
        listed = self.lists.listed(given[0])
        apart = given[:1] if MERGING[called(tree)] in ("Concatenate", "Dot") else given[:2]
        return apart if listed is None else listed

    def merged(self, tree: ast.Call, trees: list[ast.expr]) -> Tensor | None:
        """The result of ``concatenate([a, b])`` and other functions that create a merging layer and call it."""
        name = MERGING[called(tree)]
        cls = OPERATIONS[name] if self._is_operation(tree.func) else MERGES[name]
        found = [(one, self.value(one)) for one in trees]
        listed = trees[:1] != tree.args[:1]
        if len(found) == 1 and (items := self.calls.items(found[0][1])) is not None:
            found = [(trees[0], one) for one in items]
            listed = True
        if len(found) == 1 and isinstance(only := found[0][1], Tensor) and listed and takes_one(name):
            return only
        if len(found) < 2 or not any(isinstance(one, Tensor) for _, one in found):
            return None  # such as max of two numbers
        if any(isinstance(self.names.known(one), int | float) for one, what in found if what is None):
            sign = next((op() for op, layer in SIGNS.items() if layer == name), None)
            # ops.multiply(x, 2.0) is x * 2.0.
            if sign is not None and len(found) == 2 and self._is_operation(tree.func):
                tensor, number = (one if one is not None else self.names.known(part) for part, one in found)
                first = not isinstance(tensor, Tensor)
                tensor, number = (number, tensor) if first else (tensor, number)
                return self.operations.with_number(sign, tree, tensor, number, first=first)
            self.scope.note(f"{self.source.said(tree)} is not followed: the answer ends there", tree)
            return None  # a tensor and a number
        along = dict(zip(list(cls.by_name)[:1], tree.args[1:], strict=False))  # concatenate([a, b], 1)
        along |= {keyword.arg: keyword.value for keyword in tree.keywords if keyword.arg in ("axis", "axes")}
        given = {name: _tupled(self.names.known(one)) for name, one in along.items() if name in cls.by_name}
        if name == "Concatenate" and given.get("axis") is MISSING:
            self.scope.note(f"axis={self.source.said(along['axis'])} is not read: -1 is used instead", tree)
            given["axis"] = -1
        elif name == "Concatenate" and (dotted(tree.func) or "").rpartition(".")[0].endswith(_BACKEND):
            given.setdefault("axis", -1)  # the only operation with this default
        if not all(cls.by_name[name].kind.accepts(one) for name, one in given.items()) or (name == "Dot" and not given):
            self.scope.note(f"{self.source.said(tree)} is not followed: its axes are not known", tree)
            return None
        return self.calls.operated(Node.of(cls, given), tree, [self.calls.tensor(one, what) for one, what in found])

    def combined(self, op: ast.operator, tree: ast.expr, tensors: list[Tensor]) -> Tensor:
        """``x + y`` of two tensors, which is an Add."""
        return self.calls.operated(Node.of(OPERATIONS[SIGNS[type(op)]], {}), tree, tensors)

    def sliced(self, tree: ast.Subscript, tensor: Tensor) -> Tensor | None:
        """``y[:, -1]`` of a layer's result or of an input; None if the key does not keep the whole batch."""
        items = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else []
        places = [*map(self._place, items)]
        if not items and tensor.call is not None and not self._is_several(tensor) and self._place(tree.slice) == 0:
            self.scope.note(f"{self.source.said(tree)} is the first sample: the call returns one tensor", tree)
        whole = bool(places) and (places[0] is ... or places[0] == slice(None))
        if not whole or MISSING in places or not is_made(tensor) or self._is_several(tensor):
            return None
        node = Node.of(SLICE, {"key": key_of(places)})
        return self.calls.operated(node, tree, [tensor])

    def _is_several(self, tensor: Tensor) -> bool:
        return bool(self.scope.parts(tensor))

    def _place(self, tree: ast.expr) -> Any:
        """An item between the brackets: a number, a slice, None or ``...``; ``MISSING`` if it is unknown."""
        if isinstance(tree, ast.Slice):
            ends = [None if one is None else self.names.known(one) for one in (tree.lower, tree.upper, tree.step)]
            return slice(*ends) if all(one is None or type(one) is int for one in ends) else MISSING
        if (dotted(tree) or "").rpartition(".")[2] == "newaxis":
            return None
        known = self.names.known(tree)
        return known if known is None or known is ... or type(known) is int else MISSING


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
