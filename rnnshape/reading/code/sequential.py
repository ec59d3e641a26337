"""What grows statement by statement: a Sequential by ``model.add`` and ``build``, a list of layers by ``append``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code import leftovers
from rnnshape.reading.code.changing import CHANGING, Changes
from rnnshape.reading.code.declared import Declared
from rnnshape.reading.code.made import Layer, Model, Tensor
from rnnshape.reading.code.mistakes import OWN
from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.code.declared import Declarations
    from rnnshape.reading.code.scope import Scope

GROWING = {*CHANGING, "build"}


class Growing:
    """Follows the models and lists of one program; ``value`` reads what is put into them."""

    def __init__(self, scope: Scope, declared: Declarations, value: Callable[[ast.expr], Any]) -> None:
        self.scope = scope
        self.source = scope.source
        self.names = scope.names
        self.declared = declared
        self.tensors = declared.tensors
        self.value = value
        self.changes = Changes(scope, value)

    def add(self, receiver: ast.expr, tree: ast.expr) -> None:
        """``model.add(layer)``; a model that the text does not make begins here."""
        name = self.source.said(receiver)
        before = len(self.source.problems)
        model, added = self.scope.env.get(name), self.value(tree)
        if not isinstance(added, Layer | Model | Tensor):
            if isinstance(model, Model) and not isinstance(tree, ast.Constant):
                said = self.source.said(tree.func if isinstance(tree, ast.Call) else tree)
                gone = leftovers.of_class(called(tree))
                if isinstance(tree, ast.Call) and len(self.source.problems) == before:
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
        held = self.scope.there(whole)
        match how, call.args:
            case "build", _ if isinstance(held, Layer | Model):
                self._build(held, call)
            case "pop", [] if isinstance(held, Model):
                del held.layers[-1:]
            case "build", _:
                self.value(call)
            case _:
                self.changes.method(whole, how, call)

    def _build(self, held: Layer | Model, call: ast.Call) -> None:
        """``model.build((None, 10, 8))`` says what goes in."""
        named = [keyword.value for keyword in call.keywords if keyword.arg in ("input_shape", "input_shapes")]
        for tree in [*call.args, *named][:1]:
            said = Declared(self.tensors.shape(tree), tree)
            if isinstance(held, Model):
                held.said.append(said)
            else:
                self.declared.says[held.tree] = (*self.declared.of(held.tree), said)
