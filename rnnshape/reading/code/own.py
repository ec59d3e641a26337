"""Reads constructor calls of the user's own classes, from the modules of ``--import``; nothing is imported here.

An argument can be a literal, a name, a layer or a cell.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE
from rnnshape.layers.imported import imported
from rnnshape.layers.node import Node
from rnnshape.reading.code.literals import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.code.naming import Names

# An argument with the name of an argument of these classes is expected to have the same kind of value.
_LIKE = ("LSTM", "Conv1D", "BatchNormalization")


class OwnClasses:
    """Reads the user's own classes of one source.

    ``made`` reads an argument that is a layer (``MISSING`` if it is something else), ``value`` an argument as a class
    of Keras takes it.
    """

    def __init__(self, names: Names, made: Callable[[ast.expr], Any], value: Callable[..., Any]) -> None:
        self.names = names
        self.source = names.source
        self.made = made
        self.value = value

    def node(self, name: str, call: ast.Call) -> Node | None:
        """Read a constructor call; None after an error."""
        values: dict[str, Any] = {}
        before = len(self.source.problems)
        for place, tree in enumerate(call.args):
            values[str(place)] = self._value(name, tree)
        for keyword in call.keywords:
            if keyword.arg is None:
                self.source.unknown(f"{name}: ** is not read: write the arguments out", keyword)
            elif (known := self._like(keyword.arg)) is not None and self.names.reads(keyword.value):
                values[keyword.arg] = self.value(known.by_name[keyword.arg], known, keyword.value)
            else:
                values[keyword.arg] = self._value(name, keyword.value)
        if len(self.source.problems) > before:
            return None
        return Node.of(imported(name, self.names.modules, tuple(values)), values)

    @staticmethod
    def _like(argument: str) -> Any:
        return next((TABLE[name] for name in _LIKE if argument in TABLE[name].by_name), None)

    def _value(self, name: str, tree: ast.expr) -> Any:
        """The value of an argument; a name without a value is a size."""
        tree = self.names.resolved(tree)
        if isinstance(tree, ast.List | ast.Tuple):
            return tuple(self._value(name, item) for item in tree.elts)
        if (layer := self.made(tree)) is not MISSING:
            return layer
        known = self.names.known(tree)
        if known is not MISSING and not (self.names.reads(tree) and self.names.lettered(tree) and type(known) is int):
            if isinstance(known, bool | int | float | str | tuple | None):
                return known
        elif self.names.reads(tree) and (size := self.names.size(tree)) is not None:
            return size
        self.source.unknown(
            f"{name}: {self.source.said(tree)} is not read: write a number, a string, a layer or a list of these", tree
        )
        return None
