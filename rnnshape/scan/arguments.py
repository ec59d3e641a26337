"""Findings in single calls: removed classes, unknown arguments, cells in place of layers, arguments without cuDNN."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.errors import nearest
from rnnshape.layers import TABLE
from rnnshape.layers.cudnn import DECIDING
from rnnshape.layers.merges import MERGES
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code import keras_1, leftovers
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.syntax import dotted
from rnnshape.scan.finding import Edit
from rnnshape.scan.hits import Hit, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.layers.node import LayerClass
    from rnnshape.reading.code.naming import Names
    from rnnshape.reading.code.syntax import Source
    from rnnshape.scan.imports import Imports

# Arguments of Keras' base class (keras/src/layers/layer.py: Layer.__init__) that are not in the table.
_OF_BASE = {"activity_regularizer", "autocast", "dtype", "input_dim", "input_shape", "name", "trainable"}
# The same in Keras 2 (tf_keras/src/engine/base_layer.py: Layer.__init__; rnn/base_rnn.py: RNN.__init__).
_OF_BASE_2 = {*_OF_BASE, "batch_input_shape", "batch_size", "dynamic", "implementation", "input_length", "weights"}
_FUSED = ("LSTM", "GRU")
_WANTED = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "unroll": False,
    "reset_after": True,
}
_LAYERS_INSIDE = ("Bidirectional", "TimeDistributed")
_CELLS_INSIDE = ("RNN", "StackedRNNCells")


class Arguments:
    """Checks the constructor calls of one file; ``names`` has the values that the file assigns once."""

    def __init__(self, source: Source, imports: Imports, names: Names) -> None:
        self.source = source
        self.imports = imports
        self.names = names

    def hits(self, nodes: Iterable[ast.AST]) -> Iterator[Hit]:
        """The findings in the imports and constructor calls of a file."""
        nodes = [*nodes]
        tried = {part for node in nodes if isinstance(node, ast.Try) for one in node.body for part in ast.walk(one)}
        for node in nodes:
            if isinstance(node, ast.Attribute | ast.ImportFrom) and node not in tried:
                yield from self._removed(node)
            if isinstance(node, ast.Call) and (layer := self._class(node.func)) is not None:
                yield from self._arguments(layer, node)
                yield from self._inside(layer, node)
                if layer.name in _FUSED:
                    yield from self._slow(layer, node)

    def _removed(self, node: ast.Attribute | ast.ImportFrom) -> Iterator[Hit]:
        """The classes that this release of Keras does not have; code that tries one and goes on without is right."""
        if isinstance(node, ast.Attribute):
            names: list[tuple[ast.Attribute | ast.alias, str]] = [(node, self.imports.full(dotted(node) or "") or "")]
        else:
            names = [(alias, f"{node.module}.{alias.name}") for alias in node.names if not node.level]
        for tree, full in names:
            short = full.rpartition(".")[2]
            if self.imports.is_keras(full) and (why := leftovers.removed(short)):
                end = self.source.place(tree)[1]
                renames = isinstance(tree, ast.Attribute) and leftovers.today(short) != short
                edits = (Edit(end - len(short), end, leftovers.today(short)),) if renames else ()
                yield Hit("class", f"{short} {why}", tree, edits)

    def _class(self, function: ast.expr) -> LayerClass | None:
        name = leftovers.today(self.imports.keras(dotted(function) or "") or "")
        return TABLE.get(name) or MERGES.get(name)

    def _arguments(self, layer: LayerClass, call: ast.Call) -> Iterator[Hit]:
        """Keywords that the class does not take; Sequential is skipped, because a model takes others."""
        if layer.kind == "stack":
            return
        keras_2 = asked() < KERAS_3
        of_base = _OF_BASE_2 if keras_2 else _OF_BASE
        for keyword in call.keywords:
            name = keyword.arg
            known = layer.by_name.get(name or "")
            if name is None or name in of_base or (known is not None and not known.missing_in(asked())):
                continue
            said = self.source.said(keyword.value)
            why = leftovers.of_argument(name, layer, said)
            instead = f": it {why}" if why else nearest(name, layer.by_name)
            message = f"takes no {name} in Keras {2 if keras_2 else 3}{instead}"
            if known is not None and not known.until:
                message = known.missing_in(asked()) or message
            edits = self._edits(layer, call, keyword, why)
            yield Hit("argument", f"{layer.name} {message}", keyword, edits, call)

    def _edits(self, layer: LayerClass, call: ast.Call, keyword: ast.keyword, why: str | None) -> tuple[Edit, ...]:
        """The edit that fixes it: rename the keyword, or remove it if it is not needed; empty if there is none."""
        there = {one.arg for one in call.keywords}
        assert keyword.arg is not None
        now = keras_1.renamed(keyword.arg, layer)
        same = keras_1.value_today(keyword) is keyword.value
        if now is not None and same and now.name not in there and not (now is layer.arguments[0] and call.args):
            start = self.source.place(keyword)[0]
            return (Edit(start, start + len(keyword.arg), now.name),)
        return without(self.source, call, keyword) if why and why.startswith("is not needed") else ()

    def _inside(self, layer: LayerClass, call: ast.Call) -> Iterator[Hit]:
        """A cell where a layer is expected, or the reverse."""
        first = layer.arguments[0]
        tree = call.args[0] if call.args else next((one.value for one in call.keywords if one.arg == first.name), None)
        for part in tree.elts if isinstance(tree, ast.List | ast.Tuple) and layer.name in _CELLS_INSIDE else [tree]:
            inner = self._class(part.func) if isinstance(part, ast.Call) else None
            if inner is None or part is None:
                continue
            if layer.name in _LAYERS_INSIDE and inner.kind == "cell":
                now = f"{layer.name}(RNN({self.source.said(part)}))"
                yield Hit("cell", f"{layer.name} takes a layer, and {inner.name} is a cell: write {now}", part)
            elif layer.name in _CELLS_INSIDE and inner.kind != "cell":
                cell = f"{inner.name}Cell"
                instead = "" if cell not in TABLE else f": write {cell}"
                if instead and layer.name == "RNN" and part is tree:
                    instead = f": write {inner.name} without RNN, or {cell}"
                yield Hit("cell", f"{layer.name} takes a cell, and {inner.name} is a whole layer{instead}", part)
            elif layer.name == "Bidirectional" and inner.kind != "recurrent":
                yield Hit("cell", f"Bidirectional takes a recurrent layer, which {inner.name} is not", part)

    def _slow(self, layer: LayerClass, call: ast.Call) -> Iterator[Hit]:
        """Arguments that rule out cuDNN for LSTM and GRU; unknown values are not reported."""
        if any(keyword.arg is None or keyword.arg == "use_cudnn" for keyword in call.keywords):
            return
        for keyword in call.keywords:
            if keyword.arg not in DECIDING or keyword.arg not in layer.by_name:
                continue
            value = self._known(keyword.value)
            if value is MISSING or not _keeps_away(keyword.arg, value):
                continue
            does = f"drop {keyword.arg}={self.source.said(keyword.value)}"
            yield Hit("cudnn", f"{layer.name} cannot use cuDNN: {does}", keyword, layer=call)

    def _known(self, tree: ast.expr) -> Any:
        return tree.value if isinstance(tree, ast.Constant) else self.names.known(tree)


def _keeps_away(name: str, value: Any) -> bool:
    if name == "recurrent_dropout":
        return isinstance(value, int | float) and value > 0
    return isinstance(value, str | bool | None) and value != _WANTED[name]
