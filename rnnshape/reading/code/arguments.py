"""Reads the arguments of a constructor call: by position, by keyword, and behind ``**``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers.arguments import REQUIRED
from rnnshape.layers.kinds import Number, Sizes, Whole
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code import keras_1
from rnnshape.reading.code.declared import DECLARING
from rnnshape.reading.code.leftovers import has_no_effect
from rnnshape.reading.code.mistakes import unknown_argument

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import LayerClass
    from rnnshape.reading.code.lists import Lists
    from rnnshape.reading.code.named_arguments import NamedArguments
    from rnnshape.reading.code.naming import Names

# Arguments of Sequential that do not change the answer.
_OF_MODELS = ("name", "trainable")
# The arguments that decide the structure that a layer returns, by its kind.
_DECIDING = {"recurrent": ("return_sequences", "return_state"), "cell": ()}
_OF_BIDIRECTIONAL = ("merge_mode",)
# Their arguments do not change the structure that they return.
_OF_ONE_FORM = {"Dropout", "GaussianNoise", "GaussianDropout", "BatchNormalization", "Activation", "Dense", "Embedding"}


def _taken(layer: LayerClass, name: str) -> Argument | None:
    """The argument of this name, if the chosen release has it."""
    known = layer.by_name.get(name)
    return None if known is None or known.missing_in(asked()) else known


class Arguments:
    """Reads the arguments of one source; ``value`` reads one of them."""

    def __init__(
        self,
        names: Names,
        lists: Lists,
        by_name: NamedArguments,
        value: Callable[[Argument, LayerClass, ast.expr], Any],
    ) -> None:
        self.names = names
        self.source = names.source
        self.lists = lists
        self.by_name = by_name
        self.value = value
        self._of_keras_1: dict[str, str] = {}
        self._idle: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes on the arguments of Keras 1, and on those of Keras 2 that change nothing."""
        pairs = ", ".join(f"{name} as {now}" for name, now in self._of_keras_1.items())
        notes = [f"arguments of Keras 1 are read by their current names: {pairs}"] if pairs else []
        if self._idle and asked() >= KERAS_3:
            notes.append(f"Keras 3 rejects {' and '.join(self._idle)}: drop it, it changes nothing here")
        return tuple(notes)

    def of(self, layer: LayerClass, call: ast.Call) -> tuple[dict[str, Any], bool]:
        """The arguments that a call gives, and whether they decide the structure that the layer returns."""
        values = self._by_position(layer, call)
        self._by_keyword(layer, call, values)
        return values, self._by_dictionary(layer, call, values)

    def _by_position(self, layer: LayerClass, call: ast.Call) -> dict[str, Any]:
        values: dict[str, Any] = {}
        positional = layer.by_position
        trees = self.lists.spread(call.args)
        for argument, tree in zip(positional, trees, strict=False):
            if isinstance(tree, ast.Starred):
                self.source.unknown("* is not read: write the arguments out", tree)
            else:
                values[argument.name] = self.value(argument, layer, tree)
        if len(trees) > len(positional):
            extra = trees[len(positional)]
            self.source.rejected(f"{layer.name} takes at most {len(positional)} arguments by position", extra)
        return values

    def _by_keyword(self, layer: LayerClass, call: ast.Call, values: dict[str, Any]) -> None:
        for keyword in self.lists.keywords(call):
            if keyword.arg is None:
                continue  # see _by_dictionary
            if layer.kind == "stack" and keyword.arg in _OF_MODELS:
                continue
            if keyword.arg in values:
                self.source.rejected(f"{keyword.arg} is given twice", keyword)
            elif (known := _taken(layer, keyword.arg)) is None:
                if keyword.arg in DECLARING and _taken(layer, "trainable"):
                    continue  # an argument of the base class: see Declarations
                if (now := keras_1.renamed(keyword.arg, layer)) is not None and now.name not in values:
                    self._of_keras_1[keyword.arg] = now.name
                    values[now.name] = self.value(now, layer, keras_1.value_today(keyword))
                    continue
                said = self.source.said(keyword.value)
                if has_no_effect(keyword.arg, said):
                    self._idle[f"{keyword.arg}={said}"] = None
                else:
                    self.source.wrong(unknown_argument(keyword.arg, layer, said), keyword)
            else:
                values[known.name] = self.value(known, layer, keyword.value)

    def _by_dictionary(self, layer: LayerClass, call: ast.Call, values: dict[str, Any]) -> bool:
        """Read an unknown ``**kwargs``: a required size becomes a name, other arguments keep their defaults.

        Returns whether the returned structure is known nevertheless.
        """
        unknown = [keyword for keyword in self.lists.keywords(call) if keyword.arg is None]
        deciding = _DECIDING.get(layer.kind, _OF_BIDIRECTIONAL if layer.name == "Bidirectional" else None)
        known = not unknown or layer.name in _OF_ONE_FORM
        known = known or (deciding is not None and all(name in values for name in deciding))
        for keyword in unknown:
            said = self.source.said(keyword.value)
            self.names.notes.append(f"**{said} is unknown: {layer.name} is read without it")
            for argument in layer.arguments:
                needed = argument.default is REQUIRED and argument.name not in values
                if needed and isinstance(argument.kind, Whole | Number | Sizes):
                    name = ast.copy_location(ast.Name(argument.name, ast.Load()), keyword.value)
                    values[argument.name] = self.by_name.value(argument, name)
        return known
