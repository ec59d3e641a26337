"""Reads arguments that are given by a name, ``LSTM(latent_dim)``: the value of the name, or a stand-in for it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers.arguments import REQUIRED, OneOf
from rnnshape.layers.kinds import Flag, Maybe, Named, Number, Sizes, Whole
from rnnshape.layers.stand_ins import Size
from rnnshape.reading.code.declared import DECLARING
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.mistakes import not_taken

if TYPE_CHECKING:
    from rnnshape.layers.arguments import Argument
    from rnnshape.reading.code.naming import Names

# Arguments that change neither the structure nor the kernel: an unknown value is replaced by the default.
_IDLE = {"seed", "trainable", "implementation", "autocast", "lora_rank", "lora_alpha", "unit_forget_bias"}


class NamedArguments:
    """Reads the arguments of one source that are given by names."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.source = names.source

    def value(self, argument: Argument, tree: ast.expr) -> Any:
        """The value of an argument that is given by a name; None after an error."""
        known = self.names.known(tree)
        kind = argument.kind.of if isinstance(argument.kind, Maybe) else argument.kind
        if known is None and not argument.kind.accepts(None):
            known = MISSING  # the default of a function that the text does not call
        if known is not MISSING and not (isinstance(kind, Whole | Number | Sizes) and self.names.lettered(tree)):
            return self._checked(argument, known, tree)
        if argument.name in _IDLE:
            return self._default(argument, tree)
        if isinstance(kind, Whole | Sizes):
            return self._sizes(argument, kind, tree)
        if isinstance(kind, Number):
            return self.names.rate(argument, tree)
        if isinstance(kind, Flag | OneOf) and isinstance(tree, ast.IfExp):
            decided = self.names.condition(tree.test)
            return None if decided is None else self.value(argument, tree.body if decided else tree.orelse)
        if isinstance(kind, Flag):
            return self.names.choose(tree, (False, True), argument.name)
        if isinstance(kind, OneOf) and not isinstance(kind, Named):
            return self.names.choose(tree, kind.values, argument.name)
        return self._default(argument, tree)

    def _sizes(self, argument: Argument, kind: Whole | Sizes, tree: ast.expr) -> Any:
        first = 2 if isinstance(kind, Sizes) else None
        trees = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
        before = len(self.source.problems)
        values = tuple(self.names.size(each, first) for each in trees)
        if len(self.source.problems) > before:
            return None
        # int(units / 2**depth) is 0 with any stand-ins: then it is one size.
        if not argument.kind.accepts(values if len(values) > 1 else values[0]):
            values = tuple(self.names.whole(each, size) for each, size in zip(trees, values, strict=True))
        if None in values:
            return self._wrong(f"{argument.name} must be {argument.kind.allowed}", tree)
        value = values if isinstance(tree, ast.List | ast.Tuple) else values[0]
        small = [size for size in values if isinstance(size, Size) and size < 1]
        if small and not argument.kind.accepts(value):
            stands = ", ".join(f"{name}={number}" for name, number in self.names.stands.items())
            what = f"{argument.name} is {small[0].text} = {int(small[0])} with {stands}"
            return self._wrong(f"{what}: give another value with --let", tree)
        return self._checked(argument, value, tree)

    def _shape(self, argument: Argument, tree: ast.expr) -> Any:
        """A required argument that is not a single number, such as the shape of Reshape, which may contain names."""
        if isinstance(tree, ast.List | ast.Tuple):
            sizes = tuple(-1 if self.names.known(each) == -1 else self.names.size(each) for each in tree.elts)
            if argument.kind.accepts(sizes):
                return sizes
        known = self.names.known(tree)
        if known is not MISSING:
            return self._checked(argument, known, tree)
        return self._wrong(f"{argument.name} must be {argument.kind.allowed}: write it out", tree)

    def _checked(self, argument: Argument, value: Any, tree: ast.expr) -> Any:
        value = argument.kind.meant(tuple(value) if isinstance(value, list) else value)
        if argument.kind.accepts(value):
            return value
        shown = "" if isinstance(tree, ast.Constant) else f" ({self.source.said(tree)} is {value!r})"
        not_taken(self.source, argument, value, tree, shown)
        return None

    def _default(self, argument: Argument, tree: ast.expr) -> Any:
        if argument.default is REQUIRED:
            return self._shape(argument, tree)
        if argument.name not in DECLARING:
            said = self.source.said(tree)
            self.names.notes.append(f"{argument.name}={said} is not read: {argument.default!r} is used instead")
        return argument.default

    def _wrong(self, message: str, tree: ast.expr) -> Any:
        """Report an error; the argument has no value then."""
        self.source.wrong(message, tree)
