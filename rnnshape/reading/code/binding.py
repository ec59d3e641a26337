"""Binds the names of a program to values: layers, models, tensors, numbers, and expressions that are not read.

>>> from rnnshape.reading.code.expression import parse_all
>>> parse_all("a, *sizes = 4, 8, 16\\nfirst, a = a, sizes[0]\\nLSTM(a)")[0].node.text
'LSTM(8)'
"""

from __future__ import annotations

import ast
from typing import Any

from rnnshape.reading.code.changing import CHANGING
from rnnshape.reading.code.functions import as_function
from rnnshape.reading.code.literals import MISSING, small
from rnnshape.reading.code.loops import Loops
from rnnshape.reading.code.made import Layer
from rnnshape.reading.code.statements import in_pairs, targets, words
from rnnshape.reading.code.syntax import made_array
from rnnshape.reading.code.tensors import makes

# Attributes of a layer that change nothing in the answer.
_IDLE = {"name", "trainable"}


class Binding(Loops):
    """The names of one program."""

    def assign(self, target: ast.expr, tree: ast.expr) -> None:
        given = tree if self.values.there(tree) is not None else self.names.resolved(tree)
        if pairs := in_pairs(target, given):
            self._assign_each(pairs)
            return
        name = self.source.said(target)
        if isinstance(target, ast.Attribute):
            self._check_changed(target, tree)
        if isinstance(tree, ast.Lambda) and isinstance(target, ast.Name | ast.Attribute):
            self.values.forget(name)
            self.functions[name] = as_function(name, tree)
            return
        known = self.names.known(tree)
        if known is not MISSING and not self.names.lettered(tree):
            self.values.forget(name)
            if small(known):
                self.names.bound[name] = known
            self._put(target, tree)
            return
        value = self.value(tree, targets(target))
        self._bind(target, value, tree)
        if isinstance(tree, ast.Dict):
            self._put_each(name, tree)
        self._put(target, tree)
        # Of ``args, rest = parser.parse_known_args()`` the first has the options.
        first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
        self._hold(self.source.said(first), tree)

    def _assign_each(self, pairs: list[tuple[ast.expr, ast.expr]]) -> None:
        """Bind several names; if a value has one of these names, ``h, c = c, h``, all values are read first."""
        if not set().union(*(words(one) for one, _ in pairs)) & set().union(*(words(item) for _, item in pairs)):
            for one, item in pairs:
                self.assign(one, item)
            return
        read = [(one, self.names.known(item), self.value(item, targets(one)), item) for one, item in pairs]
        for one, known, value, item in read:
            if known is MISSING or not small(known):
                self._bind(one, value, item)
            else:
                self.values.forget(self.source.said(one))
                self.names.bound[self.source.said(one)] = known

    def _check_changed(self, target: ast.Attribute, tree: ast.expr) -> None:
        """Note a change of a made layer, such as ``layer.return_sequences = True``."""
        held = self.value(target.value)
        if isinstance(held, Layer) and held.node is not None and target.attr in {*held.node.cls.by_name} - _IDLE:
            what = f"{self.source.said(target)} = {self.source.said(tree)} is not followed"
            self.values.note(f"{what}: give {target.attr} to {held.node.name}(…)", target)

    def _put(self, target: ast.expr, tree: ast.expr) -> None:
        """Update the list or dictionary ``x`` after an assignment of its item, ``x[0] = …``, or ``y = x.pop()``."""
        changes = self.values.growing.changes
        if isinstance(target, ast.Subscript):
            self.values.parted.add(self.source.said(target.value))
            changes.put(target, tree)
        match tree:
            case ast.Call(func=ast.Attribute(value=whole, attr=how)) if how in CHANGING and changes.follows(whole):
                self.values.forget(self.source.said(whole))

    def _put_each(self, name: str, tree: ast.Dict) -> None:
        """Bind the layers and models in ``parts = {"encoder": LSTM(8)}`` to ``parts["encoder"]``."""
        for key, item in zip(tree.keys, tree.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(item, ast.Call) and (made := self.value(item)) is not None:
                self.values.env[f"{name}[{self.source.said(key)}]"] = made
                self.values.parted.add(name)

    def _bind(self, target: ast.expr, value: Any, tree: ast.expr | None) -> None:
        """Bind a value to a name, or its items to the names of a tuple."""
        lost = value is None and tree is not None and self.values.calls.from_a_call(tree)
        if isinstance(target, ast.Tuple | ast.List):
            items = self.values.taken_apart(value, target)
            for index, one in enumerate(target.elts):
                self._bind(one.value if isinstance(one, ast.Starred) else one, items[index], None)
            self.values.lost |= words(target) if lost else set()
            return
        name = self.source.said(target)
        if value is None and isinstance(tree, ast.BinOp | ast.Call) and (name in words(tree) or not makes(tree)):
            computed = self.values.computed(tree)  # X = X / 255
            tree = tree if computed is None else made_array(computed, tree)
        self.values.forget(name)
        if value is not None:
            self.values.bind(name, value)
        elif tree is not None and name not in self.names.reached(tree):  # else it would stand for itself
            self.names.trees[name] = tree
            if makes(tree):
                self.values.when[tree] = self.names.now
        if lost:
            self.values.lost.add(name)
