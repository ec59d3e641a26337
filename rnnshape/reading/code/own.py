"""Constructor calls of the reader's own classes, whose modules ``--import`` names; none of them is imported here.

What stands in such a call is read as far as a value can be meant by it: a literal, a name, a layer or a cell.
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

# Arguments that most layers have, which mean in a class of one's own what they mean in these.
_LIKE = ("LSTM", "Conv1D", "BatchNormalization")


class OwnClasses:
    """Reads the classes of one source that Keras does not have.

    ``made`` gives the layer that stands in an argument (``MISSING`` where something else does), ``value`` reads an
    argument as a class of Keras takes it.
    """

    def __init__(self, names: Names, made: Callable[[ast.expr], Any], value: Callable[..., Any]) -> None:
        self.names = names
        self.source = names.source
        self.made = made
        self.value = value

    def node(self, name: str, call: ast.Call) -> Node | None:
        """A constructor call; None with what cannot be read told."""
        values: dict[str, Any] = {}
        before = len(self.source.problems)
        for place, tree in enumerate(call.args):
            values[str(place)] = self._value(name, tree)
        for keyword in call.keywords:
            if keyword.arg is None:
                self.source.unknown(f"{name}: what ** gives is not read: write the arguments out", keyword)
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
        """A value as Keras' layers take them too; a name that the text does not give is a size."""
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
            f"{name}: {self.source.said(tree)} is not read: a number, a string, a layer or a list of them is", tree
        )
        return None
