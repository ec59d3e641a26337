"""Reads the shapes of tensors in code: ``keras.Input((10, 8))``, ``tf.zeros([2, 10, 8])``, ``x[0]``.

Nothing is evaluated: a function is recognized by its name, and the shape comes from its arguments.  A name is a tensor
of any shape.  An operation that is not read here and may change a known shape is an error with its place.
"""

from __future__ import annotations

import ast
from typing import Any

from rnnshape.layers import TABLE
from rnnshape.reading.code.lists import constant
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.sizes import ShapeReader, Sizes, whole
from rnnshape.reading.code.syntax import called, dotted

INPUTS = {"Input", "InputLayer"}
_FILLED = {"zeros", "ones", "empty", "full", "fill", "random", "random_sample", "standard_normal"}
_DRAWN = {"normal", "uniform", "randint", "integers", "truncated_normal"}
_SPREAD = {"rand", "randn"}
_ARRAYS = {"array", "asarray", "constant", "convert_to_tensor", "Variable", "tensor"}
SAME = {"astype", "cast", "identity", "copy", "numpy", "zeros_like", "ones_like", "stop_gradient"}
_MODULES = {"np", "numpy", "tf", "tensorflow", "keras", "ops", "K", "jnp", "torch"}
_DEEPEST = 100
_ELSEWHERE = "write a name instead, such as x, and give its shape with --input"


class Tensors(ShapeReader):
    """Reads tensors of one source."""

    def fed(self, tree: ast.expr) -> Sizes | None:
        """The shape of the input of a call; None if the code does not give it."""
        before = len(self.source.problems)
        sizes = self._fed(tree)
        if sizes is None and len(self.source.problems) == before and _of_numbers(tree):
            self.wrong(f"the shape of {self.source.said(tree)} is not read: {_ELSEWHERE}", tree)
        return sizes

    def _fed(self, tree: ast.expr) -> Sizes | None:
        """The same, without an error for a shape that is not read."""
        if _depth(tree) > _DEEPEST:
            self.wrong("this is nested too deeply: " + _ELSEWHERE, tree)
            return None
        if makes(tree):
            return self._made(tree)
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
            self.wrong("layers joined by | are called on a tensor: (… | …)(x)", tree)
        elif isinstance(_root(tree), ast.Name | ast.Call) or _computed(tree):
            self._unknown(tree)
        else:
            self.wrong(f"this is not supported as a tensor: {_ELSEWHERE}", tree)
        return None

    def made(self, tree: ast.expr) -> Sizes | None:
        """The shape of a tensor that the expression creates; None for any other, without an error."""
        return self.fed(tree) if _depth(tree) <= _DEEPEST and (makes(tree) or _of_numbers(tree)) else None

    def _unknown(self, tree: ast.expr) -> None:
        """Check a tensor of unknown shape: a layer, or a tensor of known shape, must not be part of its expression."""
        for part in ast.walk(tree):
            if not isinstance(part, ast.expr):
                continue
            what = self.source.said(part)
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Call | ast.BinOp):
                self.wrong(
                    f"an operation on the result of {what} is not supported: only the whole result can be passed", part
                )
                return
            if is_class(part):
                self.wrong(f"{what} is not a tensor: {_instead(part, what)}", part)
                return
            if part is not tree and makes(part):
                self.wrong(f"an operation on {what} is not supported: {_ELSEWHERE}", tree)
                return

    def _made(self, tree: ast.expr) -> Sizes | None:
        assert isinstance(tree, ast.Call)
        name = called(tree)
        if name in INPUTS:
            return self.input(tree)
        if name == "reshape":
            return self._reshaped(tree)
        if name in _SPREAD:
            return self.sizes(tree.args)
        if name in SAME:
            inner = operand_of(tree)
            return None if inner is None else self.fed(inner)
        if name in _ARRAYS:
            return self._array(tree)
        shape = next((keyword.value for keyword in tree.keywords if keyword.arg in ("shape", "size", "dims")), None)
        if shape is None and name in _FILLED:
            shape = tree.args[0] if tree.args else None
        if shape is None:  # np.random.normal(0, 1, (2, 3)) and tf.random.normal((2, 3), 0, 1)
            shape = next((argument for argument in tree.args if isinstance(argument, ast.List | ast.Tuple)), None)
        if shape is None:
            return None
        return self.sizes([shape]) if whole(shape) is not None else self.shape(shape)

    def _reshaped(self, tree: ast.Call) -> Sizes | None:
        operand = operand_of(tree)
        shape = tree.args[1:] if operand is not None and operand in tree.args else tree.args
        named = [keyword.value for keyword in tree.keywords if keyword.arg in ("shape", "newshape", "target_shape")]
        trees = named or shape
        if len(trees) == 1 and isinstance(trees[0], ast.List | ast.Tuple):
            trees = trees[0].elts
        elif len(trees) == 1 and whole(trees[0]) is None:
            return None
        # -1 is the remaining size, which depends on the shape before.
        left = [whole(part) == -1 for part in trees]
        sizes = [None if rest else self.size(part) for part, rest in zip(trees, left, strict=True)]
        before = self._fed(operand) if operand is not None else None
        if sum(left) == 1 and before is not None and None not in before and sizes.count(None) == 1:
            sizes[left.index(True)] = _product(before) // max(_product(sizes), 1) or None
        return tuple(sizes)

    def _array(self, tree: ast.Call) -> Sizes | None:
        """The shape of an array, from nested numbers or from another tensor."""
        if named := [keyword.value for keyword in tree.keywords if keyword.arg == "shape"]:
            return self.shape(named[0])
        if not tree.args:
            return None
        if not isinstance(tree.args[0], ast.List | ast.Tuple):
            return self.fed(tree.args[0])
        known = self.names.known(tree.args[0])  # of [[h, e]], whose rows have names
        sizes = self._nested(tree.args[0] if known is MISSING else constant(known, tree.args[0]))
        if sizes is None:
            self._unknown(tree.args[0])
        if sizes is _RAGGED:
            self.wrong("the rows must have the same length", tree.args[0])
            return None
        return None if sizes is None else tuple(sizes)

    def _nested(self, tree: ast.expr) -> Any:
        """The sizes of nested lists; None if an item is not a number, ``_RAGGED`` if the rows differ."""
        if not isinstance(tree, ast.List | ast.Tuple):
            value = tree.operand if isinstance(tree, ast.UnaryOp) else tree
            return [] if isinstance(value, ast.Constant) else None
        inside = [self._nested(item) for item in tree.elts]
        if None in inside or not inside:
            return None
        if _RAGGED in inside or any(one != inside[0] for one in inside):
            return _RAGGED
        return [len(inside), *inside[0]]


_RAGGED = "ragged"


def makes(tree: ast.expr) -> bool:
    """Whether an expression creates a tensor with a function that is recognized by its name."""
    name = called(tree)
    if isinstance(tree, ast.Call) and (name in SAME or name == "reshape"):
        inner = operand_of(tree)
        return name == "reshape" or (inner is not None and makes(inner))
    return name in INPUTS | _FILLED | _DRAWN | _SPREAD | _ARRAYS


def makes_each(tree: ast.expr) -> bool:
    """The same, also for a tuple or list of such expressions."""
    return all(map(makes_each, tree.elts)) if isinstance(tree, ast.Tuple | ast.List) else makes(tree)


def is_class(tree: ast.expr) -> bool:
    """Whether an expression is a class or a call of one, not a function that creates a tensor."""
    if isinstance(tree, ast.Call):
        name = called(tree)
        return name[:1].isupper() and name not in INPUTS | _ARRAYS
    return isinstance(tree, ast.Name | ast.Attribute) and _last(tree) in TABLE


def _of_numbers(tree: ast.expr) -> bool:
    """Whether a library creates a tensor from numbers alone: ``np.eye(3)``, not ``np.load("x.npy")``."""
    parts = list(ast.walk(tree))
    dtypes = [part.value for part in parts if isinstance(part, ast.keyword) and part.arg == "dtype"]
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    values = [part.value for part in parts if isinstance(part, ast.Constant) and part not in dtypes]
    known = bool(names) and names <= _MODULES and not any(isinstance(value, str) for value in values)
    return known and any(type(value) in (int, float) for value in values)


def _computed(tree: ast.expr) -> bool:
    """Whether an expression computes with names: ``x + 1``, ``-x``, ``a if flag else b``."""
    named = any(isinstance(part, ast.Name) for part in ast.walk(tree))
    return named and isinstance(tree, ast.BinOp | ast.UnaryOp | ast.IfExp)


def _last(tree: ast.Name | ast.Attribute) -> str:
    return tree.id if isinstance(tree, ast.Name) else tree.attr


def _instead(tree: ast.expr, what: str) -> str:
    if not isinstance(tree, ast.Call):
        return f"call it, {what}(…)(x)"
    return f"call it on one, {what}(x)" if called(tree) in TABLE else _ELSEWHERE


def _root(tree: ast.expr) -> ast.expr:
    """The start of a chain of names, indices and calls: ``x`` of ``x[0].copy()``, or a layer's call."""
    while True:
        if isinstance(tree, ast.Attribute | ast.Subscript):
            tree = tree.value
        elif isinstance(tree, ast.Call) and not isinstance(tree.func, ast.Call | ast.BinOp):
            tree = tree.func
        else:
            return tree


def operand_of(tree: ast.Call) -> ast.expr | None:
    """The tensor that a function is called on: ``x`` of ``x.astype("float32")`` and of ``tf.cast(x, "float32")``."""
    function = tree.func
    if isinstance(function, ast.Attribute) and (dotted(function) or "").split(".")[0] not in _MODULES:
        return function.value
    return tree.args[0] if tree.args else None


def _product(sizes: Any) -> int:
    product = 1
    for size in sizes:
        product *= size or 1
    return product


def _depth(tree: ast.AST) -> int:
    """How deep a tree nests, counted without recursion."""
    deepest, left = 0, [(tree, 1)]
    while left:
        node, depth = left.pop()
        deepest = max(deepest, depth)
        left += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return deepest
