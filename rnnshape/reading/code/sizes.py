"""Reads the shapes and sizes that code writes: ``(None, 10, 8)``, ``[batch, *shape]``, ``Input((10, 8))``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from rnnshape.layers.stand_ins import Size
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.syntax import called, is_none

if TYPE_CHECKING:
    from rnnshape.reading.code.naming import Names

# The sizes, batch first; None is a size that the code does not give.
Sizes: TypeAlias = tuple[int | None, ...]

_OLDER = {"input_shape": "shape", "batch_input_shape": "batch_shape"}
_WITHOUT_MEANING = {"name", "dtype", "sparse", "ragged", "optional"}


class ShapeReader:
    """Reads the shapes of one source."""

    def __init__(self, names: Names) -> None:
        self.source = names.source
        self.names = names
        self.wrong = self.source.wrong

    def input(self, tree: ast.Call) -> Sizes | None:
        """The shape of ``keras.Input``, batch first."""
        given: dict[str, ast.expr] = dict(zip(("shape", "batch_size"), tree.args, strict=False))
        for argument in tree.args[3:]:  # the third is the dtype
            self.wrong("only shape, batch_size and dtype of Input are supported by position: name the others", argument)
        older = _OLDER if called(tree) == "InputLayer" else {}
        for keyword in tree.keywords:
            name = older.get(keyword.arg or "", keyword.arg)
            if name in ("shape", "batch_size", "batch_shape"):
                if name in given:
                    self.wrong(f"{name} is given twice", keyword)
                given[name] = keyword.value
            elif name not in _WITHOUT_MEANING:
                self.wrong("only shape, batch_size, batch_shape, dtype and name of Input are supported", keyword)
            elif name in ("sparse", "ragged") and isinstance(keyword.value, ast.Constant) and keyword.value.value:
                self._not_dense(keyword)
        given = {name: value for name, value in given.items() if not is_none(value)}
        if "batch_shape" in given:
            if len(given) > 1:
                self.wrong("Input takes shape or batch_shape, not both", tree)
            return self.shape(given["batch_shape"])
        if "shape" not in given:
            self.wrong("Input needs its shape: Input((10, 8))", tree)
            return None
        behind = self.shape(given["shape"])
        first = self.size(given["batch_size"]) if "batch_size" in given else None
        return None if behind is None else (first, *behind)

    def _not_dense(self, keyword: ast.keyword) -> None:
        """Keras 2 runs its layers on ragged inputs, whose shape is that of dense ones; none runs on a sparse one."""
        if keyword.arg == "sparse":
            self.wrong("a sparse input is not supported here: remove sparse", keyword)
        else:
            self.names.notes.append("ragged=True of Input is left out: the input is read as a dense tensor")

    def shape(self, tree: ast.expr) -> Sizes | None:
        """The sizes of a tuple or list; None for a name, whose sizes are not in the line."""
        tree = self.names.resolved(tree)
        if isinstance(tree, ast.List | ast.Tuple):
            trees = self._spread(tree.elts)
            return None if trees is None else self.sizes(trees)
        if isinstance(known := self.names.known(tree), tuple | list):
            return tuple(size if type(size) is int and size > 0 else None for size in known)
        if isinstance(tree, ast.Constant | ast.UnaryOp):
            what = self.source.said(tree)
            instead = f": write ({what},)" if whole(tree) is not None else ""
            self.wrong(f"a shape is a tuple or a list of sizes, which {what} is not{instead}", tree)
        elif known is MISSING and isinstance(tree, ast.BinOp | ast.IfExp | ast.BoolOp):
            self.names.notes.append(f"{self.source.said(tree)} is not known: the shape is left open")
        elif not isinstance(tree, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            self.wrong("a shape is a tuple or a list of sizes: write it out", tree)
        return None

    def _spread(self, trees: list[ast.expr]) -> list[ast.expr] | None:
        """The sizes of a shape, those after ``*`` one by one; None, with a note, if the code does not give these."""
        found: list[ast.expr] = []
        for tree in trees:
            known = self.names.known(tree.value) if isinstance(tree, ast.Starred) else None
            if isinstance(tree, ast.Starred) and not isinstance(known, tuple | list):
                self.names.notes.append(f"{self.source.said(tree)} is not known: the shape is left open")
                return None
            found += [tree] if known is None else [ast.copy_location(ast.Constant(size), tree) for size in known]
        return found

    def sizes(self, trees: list[ast.expr]) -> Sizes:
        return tuple(map(self.size, trees))

    def is_no_size(self, tree: ast.expr) -> bool:
        """Whether this is a literal that cannot be a size: a string, a number below 1, a list."""
        tree = self.names.resolved(tree)
        literal = isinstance(tree, ast.Constant | ast.UnaryOp | ast.List | ast.Tuple | ast.Dict)
        return literal and not is_none(tree) and (whole(tree) or 0) < 1

    def size(self, tree: ast.expr) -> int | None:
        """One size; None if it is open."""
        if is_none(tree) or self.names.known(tree) is None:
            return None
        tree = self.names.resolved(tree)  # as for an argument of a layer, so that a size has one name
        size = self.names.size(tree) if self.names.reads(tree) else whole(tree)
        if isinstance(size, Size) and size < 1:  # the numbers that are used for names may not fit together
            self.names.notes.append(f"{self.source.said(tree)} is not known: the size is left open")
            return None
        if size is None or size < 1:
            self.wrong("a size must be a whole number, 1 or more, or None", tree)
            return None
        return size


def whole(tree: ast.expr) -> int | None:
    """The value of a literal whole number, with its sign; else None."""
    sign = 1
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        sign, tree = -1, tree.operand
    return sign * tree.value if isinstance(tree, ast.Constant) and type(tree.value) is int else None
