"""What grows statement by statement: a Sequential by ``model.add`` and ``build``, a list of layers by ``append``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code import leftovers
from rnnshape.reading.code.declared import Declared
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.made import Layer, Model, Tensor
from rnnshape.reading.code.mistakes import OWN
from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.code.declared import Declarations
    from rnnshape.reading.code.scope import Scope

GROWING = ("append", "extend", "insert", "pop", "build")


class Growing:
    """Follows the models and lists of one program; ``value`` reads what is put into them."""

    def __init__(self, scope: Scope, declared: Declarations, value: Callable[[ast.expr], Any]) -> None:
        self.scope = scope
        self.source = scope.source
        self.names = scope.names
        self.declared = declared
        self.tensors = declared.tensors
        self.value = value

    def add(self, receiver: ast.expr, tree: ast.expr) -> None:
        """``model.add(layer)``; a model that the text does not make begins here."""
        name = self.source.said(receiver)
        before = len(self.source.problems)
        model, added = self.scope.env.get(name), self.value(tree)
        if not isinstance(added, Layer | Model | Tensor):
            if isinstance(tree, ast.Call) and isinstance(model, Model):
                said = self.source.said(tree.func)
                gone = leftovers.of_class(called(tree))
                if len(self.source.problems) == before:
                    self.source.unknown(f"{said} {gone}" if gone else f"{said} is not known; {OWN}", tree)
                self.scope.note(f"{said} is left out; the layers behind it are answered as a model of their own", tree)
                self.scope.bind(name, self.scope.new(Model(name=model.name, missing="front")))
            return
        if not isinstance(model, Model) or model.missing == "behind":
            model = self.scope.new(Model(missing="front" if isinstance(model, Model) else ""))
            self.scope.bind(name, model)
        if isinstance(added, Tensor):
            if added.root is not None:
                model.said.append(Declared(self.tensors.fed(added.root), added.root))
            return
        added.used = True
        if not model.layers:
            model.said += self.declared.of(added.tree) if isinstance(added, Layer) else added.said
        model.layers += [added] if isinstance(added, Layer) else added.layers

    def grow(self, whole: ast.expr, how: str, call: ast.Call) -> None:
        """What a method of a list or a model puts into it or takes out of it."""
        match how, call.args:
            case "append" | "extend", [item]:
                self._append(whole, item, how)
            case "insert", [place, item]:
                self._insert(whole, place, item)
            case "build", _ if isinstance(held := self.scope.there(whole), Layer | Model):
                self._build(held, call)
            case "pop", [] if not call.keywords:
                self._pop(whole)
            case _:
                self.value(call)

    def _build(self, held: Layer | Model, call: ast.Call) -> None:
        """``model.build((None, 10, 8))`` says what goes in."""
        named = [keyword.value for keyword in call.keywords if keyword.arg in ("input_shape", "input_shapes")]
        for tree in [*call.args, *named][:1]:
            said = Declared(self.tensors.shape(tree), tree)
            if isinstance(held, Model):
                held.said.append(said)
            else:
                self.declared.says[held.tree] = (*self.declared.of(held.tree), said)

    def _append(self, whole: ast.expr, item: ast.expr, how: str) -> None:
        """A list grows: of layers, or of values that are known."""
        name, value = self.source.said(whole), self.value(item)
        before = self.scope.env.get(name)
        known = self.names.bound.get(name)
        if value is None:
            if isinstance(known, tuple | list) and (one := self.names.known(item)) is not MISSING:
                self.names.bound[name] = (*known, *(one if how == "extend" and isinstance(one, tuple) else (one,)))
            return
        held = before if isinstance(before, list) else []
        if before is None or isinstance(before, list):
            self.scope.forget(name)
            more = value if how == "extend" and isinstance(value, tuple | list) else [value]
            self.scope.env[name] = [*held, *more]

    def _insert(self, whole: ast.expr, place: ast.expr, item: ast.expr) -> None:
        """A list of layers gets another one at a known place."""
        held, where, value = self.scope.env.get(self.source.said(whole)), self.names.known(place), self.value(item)
        if isinstance(held, list) and type(where) is int and value is not None:
            held.insert(where, value)

    def _pop(self, whole: ast.expr) -> None:
        """A model or a list loses its last layer."""
        held = self.scope.env.get(self.source.said(whole))
        items = held.layers if isinstance(held, Model) else held
        if isinstance(items, list) and items:
            items.pop()
