"""Finds the class of a name in the code: one of Keras, by its prefix or import, or the user's own."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, TypeGuard

from rnnshape.layers import ALIASES, TABLE
from rnnshape.layers.merges import MERGES
from rnnshape.reading.code import leftovers
from rnnshape.reading.code.syntax import called, dotted
from rnnshape.reading.code.tensors import INPUTS

if TYPE_CHECKING:
    from rnnshape.layers.node import LayerClass
    from rnnshape.reading.code.naming import Names

# The last part of an import path, and common short names for it.
_PREFIXES = {"layers", "models", "recurrent", "lstm", "gru", "rnn", "L", "KL", "kl", "tfkl", "Layers"}
_KERAS = re.compile(r"(?:^|[._])keras(?:[._]|$)")
_OF_LIBRARIES = re.compile(r"(?:^|[._])(?:keras|tf|tensorflow|torch|sklearn)[._]")
_TENSORFLOW = {"tensorflow", "tf"}
_TENSORFLOW_1 = {"contrib", "rnn_cell"}
ELSEWHERE = "elsewhere"
"""A prefix for names that are not from Keras, for a caller that has read the imports."""
_OTHERS = {"torch", "nn", "flax", "jax", "mxnet", "mx", "chainer", "paddle", "os", ELSEWHERE}


class Classes:
    """The classes of one source: ``aliases`` has the full names of its imports, ``shadowed`` the classes it defines."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.aliases: dict[str, str] = {}
        self.shadowed: set[str] = set()

    def of(self, function: ast.expr) -> LayerClass | None:
        """The class of the table for a name, by its prefix, its import, or ``--let``; else None."""
        function = self.names.resolved(function)
        name = dotted(function)
        if name is None or name in self.shadowed:
            return None
        if name not in TABLE and isinstance(given := self.names.known(function), str):
            name = given
        full = self.imported_as(name)
        prefix, _, short = full.rpartition(".")
        short = ALIASES.get(short, leftovers.today(short))
        if full != name and _of_a_package(prefix):
            return None
        return (TABLE.get(short) or MERGES.get(short)) if not prefix or _is_keras(prefix) else None

    def removed(self, function: ast.expr) -> str | None:
        """The name of a class of TensorFlow 1, if the name means one that is read as a class of the table."""
        short = self.imported_as(dotted(self.names.resolved(function)) or "").rpartition(".")[2]
        return short if short in leftovers.READ_AS and self.of(function) is not None else None

    def own(self, function: ast.expr) -> str | None:
        """The class for a name if a module of ``--import`` may contain it; None for a name of Keras."""
        name = dotted(self.names.resolved(function)) if self.names.modules else None
        prefix, _, short = self.imported_as(name or "").rpartition(".")
        known = self.of(function) is not None or short in INPUTS or leftovers.of_class(short)
        return None if known or _OF_LIBRARIES.search(f"{prefix}.") or not short[:1].isupper() else short

    def names_a_layer(self, function: ast.expr) -> bool:
        """Whether a name is a class of the table, or one that a module of ``--import`` may contain."""
        function = self.names.resolved(function)
        if isinstance(function, ast.IfExp):
            return self.names_a_layer(function.body) and self.names_a_layer(function.orelse)
        if items := self.names.items_of(function):
            return all(map(self.names_a_layer, items.values()))
        if _is_partial(function):
            return self.names_a_layer(function.args[0])
        return self.of(function) is not None or self.own(function) is not None

    def elsewhere(self, function: ast.expr) -> str | None:
        """The full name of another library's layer with a name of the table, ``torch.nn.LSTM``; else None."""
        name = self.imported_as(dotted(function) or "")
        prefix, _, short = name.rpartition(".")
        return name if short in TABLE and _of_others(prefix) else None

    def decided(self, function: ast.expr) -> ast.expr:
        """The class of a constructor call: its name, or one side of ``(LSTM if gated else SimpleRNN)(8)``."""
        made = self.names.resolved(function)
        named = isinstance(function, ast.Name | ast.Attribute) and not isinstance(made, ast.IfExp | ast.Subscript)
        return function if named else self.names.decided(made)

    def completed(self, call: ast.Call) -> ast.Call:
        """The constructor call with the arguments that ``functools.partial`` adds."""
        function = self.names.resolved(call.func)
        if not _is_partial(function):
            return call
        later = {keyword.arg for keyword in call.keywords}
        given = [keyword for keyword in function.keywords if keyword.arg is None or keyword.arg not in later]
        first, *before = function.args
        return ast.copy_location(ast.Call(first, [*before, *call.args], [*given, *call.keywords]), call)

    def imported_as(self, name: str) -> str:
        """The name with the module that the code imports it from."""
        first, dot, rest = name.partition(".")
        return self.aliases[first] + dot + rest if first in self.aliases else name


def _is_partial(tree: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(tree, ast.Call) and called(tree) == "partial" and bool(tree.args)


def _is_keras(prefix: str) -> bool:
    """Whether a prefix is a module of Keras, or a common short name for one."""
    named = _KERAS.search(prefix) is not None or prefix.rpartition(".")[2] in _PREFIXES
    return named and not _of_others(prefix)


def _of_a_package(prefix: str) -> bool:
    """Whether an imported module is in a package that is not Keras: ``seya.layers.recurrent``."""
    package, dot, _ = prefix.partition(".")
    return bool(dot) and package not in _TENSORFLOW and _KERAS.search(prefix) is None


def _of_others(prefix: str) -> bool:
    """Whether a prefix is that of another library, or of the cells of TensorFlow 1: ``tf.contrib.rnn``."""
    parts = prefix.split(".")
    return parts[0] in _OTHERS or ("keras" not in parts and not _TENSORFLOW_1.isdisjoint(parts))
