"""Which class a name in the text means: one of Keras by its prefix or import, or one of the reader's own."""

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

# The last part of an import path, and the short names that people give to it.
_PREFIXES = {"layers", "models", "recurrent", "lstm", "gru", "rnn", "L", "KL", "kl", "tfkl", "Layers"}
_KERAS = re.compile(r"(?:^|[._])keras(?:[._]|$)")
_OF_LIBRARIES = re.compile(r"(?:^|[._])(?:keras|tf|tensorflow|torch|sklearn)[._]")
_OTHERS = {"torch", "nn", "flax", "jax", "mxnet", "mx", "chainer", "paddle", "os"}


class Classes:
    """The classes of one source: ``aliases`` has what it imports by the name there, ``shadowed`` those of its own."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.aliases: dict[str, str] = {}
        self.shadowed: set[str] = set()

    def of(self, function: ast.expr) -> LayerClass | None:
        """The class that a name means: with its prefix, as the text imports it, or as ``let`` gives it."""
        function = self.names.resolved(function)
        name = dotted(function)
        if name is None or name in self.shadowed:
            return None
        if name not in TABLE and isinstance(given := self.names.known(function), str):
            name = given
        prefix, _, short = self.imported_as(name).rpartition(".")
        short = ALIASES.get(short, leftovers.today(short))
        return (TABLE.get(short) or MERGES.get(short)) if not prefix or _is_keras(prefix) else None

    def removed(self, function: ast.expr) -> str | None:
        """The name of a class of TensorFlow 1, if the name means one that is read as a class of the table."""
        short = self.imported_as(dotted(self.names.resolved(function)) or "").rpartition(".")[2]
        return short if short in leftovers.READ_AS and self.of(function) is not None else None

    def own(self, function: ast.expr) -> str | None:
        """The class that a name means if a module of the reader's own may hold it; Keras' modules hold none."""
        name = dotted(self.names.resolved(function)) if self.names.modules else None
        prefix, _, short = self.imported_as(name or "").rpartition(".")
        known = self.of(function) is not None or short in INPUTS or leftovers.of_class(short)
        return None if known or _OF_LIBRARIES.search(f"{prefix}.") or not short[:1].isupper() else short

    def names_a_layer(self, function: ast.expr) -> bool:
        """Whether a class of the table is called by this name, or one that a module of the reader's own may hold."""
        function = self.names.resolved(function)
        if isinstance(function, ast.IfExp):
            return self.names_a_layer(function.body) and self.names_a_layer(function.orelse)
        if _is_partial(function):
            return self.names_a_layer(function.args[0])
        return self.of(function) is not None or self.own(function) is not None

    def elsewhere(self, function: ast.expr) -> str | None:
        """The whole name of a layer of another library that has the name of one here: ``torch.nn.LSTM``."""
        name = self.imported_as(dotted(function) or "")
        prefix, _, short = name.rpartition(".")
        return name if short in TABLE and prefix.partition(".")[0] in _OTHERS else None

    def decided(self, function: ast.expr) -> ast.expr:
        """The class that is called: a name for it, or one of two, ``(LSTM if gated else SimpleRNN)(8)``."""
        made = self.names.resolved(function)
        named = isinstance(function, ast.Name | ast.Attribute) and not isinstance(made, ast.IfExp)
        return function if named else self.names.decided(made)

    def completed(self, call: ast.Call) -> ast.Call:
        """The call of a class with what ``functools.partial`` has given it before."""
        function = self.names.resolved(call.func)
        if not _is_partial(function):
            return call
        later = {keyword.arg for keyword in call.keywords}
        given = [keyword for keyword in function.keywords if keyword.arg is None or keyword.arg not in later]
        first, *before = function.args
        return ast.copy_location(ast.Call(first, [*before, *call.args], [*given, *call.keywords]), call)

    def imported_as(self, name: str) -> str:
        """The name with the module that the text imports it from."""
        first, dot, rest = name.partition(".")
        return self.aliases[first] + dot + rest if first in self.aliases else name


def _is_partial(tree: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(tree, ast.Call) and called(tree) == "partial" and bool(tree.args)


def _is_keras(prefix: str) -> bool:
    """Whether a prefix is a module of Keras, or a short name of one."""
    first, last = prefix.partition(".")[0], prefix.rpartition(".")[2]
    return first not in _OTHERS and (_KERAS.search(prefix) is not None or last in _PREFIXES)
