"""Follows lists and dictionaries that are changed in place: ``layers.insert(0, cell)``, ``config["units"] = 8``.

>>> from rnnshape.reading.code.expression import parse_all
>>> parse_all("cells = [LSTMCell(3), GRUCell(4)]\\ncells.reverse()\\nRNN(cells)")[0].node.text
'RNN([GRUCell(4), LSTMCell(3)])'

Python's own method is called on a copy.  If it needs an unknown value, the list or dictionary becomes unknown.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code.lists import constant
from rnnshape.reading.code.literals import MISSING, small
from rnnshape.reading.code.made import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.code.scope import Scope

_GROW = ("append", "extend")
CHANGING = {*_GROW, "insert", "pop", "remove", "reverse", "sort", "clear", "update", "setdefault", "popitem"}
_FAILS = (TypeError, ValueError, LookupError, AttributeError)


class Changes:
    """Follows the lists and dictionaries of one program; ``value`` reads the items that are added."""

    def __init__(self, scope: Scope, value: Callable[[ast.expr], Any]) -> None:
        self.scope = scope
        self.source = scope.source
        self.names = scope.names
        self.value = value

    def follows(self, tree: ast.expr) -> bool:
        """Whether the value of a name is a list or dictionary in the code."""
        return self._copy(self.source.said(tree)) is not None or self.source.said(tree) in self.names.trees

    def method(self, whole: ast.expr, how: str, call: ast.Call) -> None:
        """Call a method that changes a value; ``append`` and ``extend`` may start a list of layers."""
        name = self.source.said(whole)
        if not self.follows(whole) and (how not in _GROW or name in self.scope.env):
            self._fails(whole, call)
            self.value(call)
            return
        made = [self.value(tree) for tree in call.args]
        if how == "extend":
            made = [self.scope.parts(one) or one if isinstance(one, Tensor) else one for one in made]
        given = [self.names.known(tree) if one is None else one for one, tree in zip(made, call.args, strict=True)]
        named = {str(keyword.arg): self.names.known(keyword.value) for keyword in call.keywords}
        known = not any(one is MISSING for one in (*given, *named.values())) and "None" not in named
        layers = any(one is not None for one in made)
        if self.follows(whole):
            self._change(name, (lambda copy: getattr(copy, how)(*given, **named)) if known else None, layers=layers)
        elif layers and name not in self.scope.env:
            self._change(name, lambda copy: getattr(copy, how)(*given), layers=True, begun=[])

    def put(self, target: ast.Subscript, tree: ast.expr) -> None:
        """Assign an item: ``config["units"] = 8``, ``cells[0] = GRUCell(4)``."""
        name, key = self.source.said(target.value), self.names.known(target.slice)
        copy, made = self._copy(name), self.scope.env.get(self.source.said(target))
        if copy is None and name not in self.names.trees:
            self._fails(target.value, target)
            return
        known = self.names.known(tree)
        if isinstance(self.scope.env.get(name), list | Tensor):
            self._change(name, lambda copy: copy.__setitem__(key, made), layers=True)
        elif made is not None:  # a dictionary of layers: ``env`` has each under the text of its item
            self.names.bound.pop(name, None)
            self.names.trees.pop(name, None)
        elif copy is None or known is MISSING:
            self._write(name, key, tree)
        else:
            self._change(name, lambda copy: copy.__setitem__(key, known))

    def delete(self, target: ast.expr) -> None:
        """Delete an item or a name: ``del config["units"]``, ``del cells[0]``, ``del x``."""
        if isinstance(target, ast.Subscript):
            key = self.names.known(target.slice)
            self._fails(target.value, target)
            self._change(self.source.said(target.value), lambda copy: copy.__delitem__(key))
        else:
            self.scope.forget(self.source.said(target))

    def _fails(self, whole: ast.expr, tree: ast.expr) -> None:
        """Note a change of the tuple that a call returns."""
        held = self.scope.there(whole)
        if isinstance(held, Tensor) and self.scope.parts(held) and not self.follows(whole):
            said = self.source.said(whole)
            self.scope.fails(f"{said} is a tuple, which cannot be changed: write {said} = list({said}) first", tree)

    def _copy(self, name: str) -> Any:
        """A copy of the value of a name, if it is a list or dictionary; else None."""
        held = self.scope.env.get(name, self.names.bound.get(name))
        if isinstance(held, Tensor):  # Keras 2 returns several tensors as a list
            parts = self.scope.parts(held)
            return parts if isinstance(parts, list) and parts else None
        if isinstance(held, dict):
            return dict(held)
        return list(held) if isinstance(held, tuple | list) else None

    def _change(
        self, name: str, change: Callable[[Any], Any] | None, *, layers: bool = False, begun: Any = None
    ) -> None:
        copy = begun if begun is not None else self._copy(name)
        layers = layers or isinstance(self.scope.env.get(name), list | Tensor)
        self.scope.forget(name)
        try:
            if copy is None or change is None:
                return
            change(copy)
        except _FAILS:
            return
        if isinstance(copy, list) and layers:
            self.scope.env[name] = copy
        elif not layers and small(copy):
            self.names.bound[name] = tuple(copy) if isinstance(copy, list) else copy

    def _write(self, name: str, key: Any, tree: ast.expr) -> None:
        """Put an item with an unknown value into the expression of its list or dictionary."""
        whole = self.names.bound.get(name, MISSING)
        written = self.names.trees.get(name) if whole is MISSING else constant(whole, tree)
        self.scope.forget(name)
        if isinstance(written, ast.Dict) and key is not MISSING:
            pairs = [*zip(written.keys, written.values, strict=True)]
            kept = [(one, value) for one, value in pairs if one is None or self.names.known(one) != key]
            keys, values = zip(*kept, (constant(key, tree), tree), strict=True)
            self.names.trees[name] = ast.copy_location(ast.Dict([*keys], [*values]), tree)
        elif isinstance(written, ast.List | ast.Tuple) and type(key) is int and 0 <= key < len(written.elts):
            items = [*written.elts[:key], tree, *written.elts[key + 1 :]]
            self.names.trees[name] = ast.copy_location(ast.List(items, ast.Load()), tree)
