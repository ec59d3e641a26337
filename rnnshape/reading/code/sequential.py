"""Follows models and lists that grow statement by statement: ``model.add``, ``model.build``, ``layers.append``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code import leftovers
from rnnshape.reading.code.changing import CHANGING, Changes
from rnnshape.reading.code.declared import Declared
from rnnshape.reading.code.made import Applied, Functional, Layer, Model, Tensor, tensors_in
from rnnshape.reading.code.mistakes import OWN, is_unread, unknown_class
from rnnshape.reading.code.syntax import called, made_input
from rnnshape.reading.code.tensors import INPUTS, makes

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.code.declared import Declarations
    from rnnshape.reading.code.scope import Scope

GROWING = {*CHANGING, "build"}


class Growing:
    """Follows the models and lists of one program; ``value`` reads what is added to them."""

    def __init__(self, scope: Scope, declared: Declarations, value: Callable[[ast.expr], Any]) -> None:
        self.scope = scope
        self.source = scope.source
        self.names = scope.names
        self.declared = declared
        self.tensors = declared.tensors
        self.value = value
        self.changes = Changes(scope, value)
        # Whether an expression is a Lambda whose function can be read; the result of calling a layer.
        self.is_lambda: Callable[[ast.expr], bool] = lambda tree: False
        self.called: Callable[[Layer | Model, ast.Call, int | None], Tensor | None] = lambda layer, call, targets: None

    def add(self, receiver: ast.expr, tree: ast.expr) -> None:
        """Read ``model.add(layer)``; a model that the code does not create starts here."""
        name = self.source.said(receiver)
        before = len(self.source.problems)
        model = self.scope.env.get(name)
        if isinstance(model, Model) and not model.missing and self._is_calls(tree):
            model = self.as_calls(model, tree)
            self.scope.env[name] = model
        if isinstance(model, Functional):
            self._call_on(model, tree)
            return
        added = self.value(tree)
        if not isinstance(added, Layer | Model | Tensor):
            if isinstance(model, Model) and not isinstance(tree, ast.Constant):
                said = self.source.said(tree.func if isinstance(tree, ast.Call) else tree)
                if isinstance(tree, ast.Call) and len(self.source.problems) == before:
                    named = leftovers.of_class(called(tree)) or is_unread(called(tree))
                    why = unknown_class(said, called(tree)) if named else f"{said} is not known; {OWN}"
                    self.source.unknown(why, tree)
                self.scope.note(f"{said} is left out; the layers after it are a separate answer", tree)
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
        model.nested = model.nested or isinstance(added, Model)
        model.layers += [added] if isinstance(added, Layer) else added.layers

    def through(self, trees: list[ast.expr]) -> Functional | None:
        """The layers of a Sequential as calls, if a Lambda or a functional model is among them; else None."""
        if not any(map(self._is_calls, trees)):
            return None
        first, *rest = trees
        held = self.value(first) if called(first) in INPUTS else self.scope.there(first)
        model = Functional([held], held, []) if isinstance(held, Tensor) else self._without_calls(first)
        for tree in rest if isinstance(held, Tensor) else trees:
            self._call_on(model, tree)
        return model

    def _is_calls(self, tree: ast.expr) -> bool:
        """Whether an expression is a Lambda whose function can be read, or a functional model."""
        return self.is_lambda(tree) or isinstance(self.scope.there(tree), Functional)

    def as_calls(self, model: Model, tree: ast.expr) -> Functional:
        """The layers of a Sequential as calls: then a Lambda can be added, and its tensors have names."""
        said = [_entry(one.tree) for one in model.said if one.sizes is not None and isinstance(one.tree, ast.expr)]
        begun = self._without_calls(tree) if not said or model.layers else None
        entry = Tensor(root=said[0], then=self.names.now) if said else None
        flow = Functional([entry], entry, []) if entry is not None else begun or self._without_calls(tree)
        for layer in model.layers:
            self._add_calls(flow, lambda on, layer=layer: self.called(layer, on(layer.tree), None))  # type: ignore[misc]
        if model in self.scope.made:
            self.scope.made.remove(model)
        flow.name, flow.sequential, flow.nested = model.name, True, model.nested
        return flow

    def _without_calls(self, first: ast.expr) -> Functional:
        """A model without calls, with the input of its first layer: declared in the Lambda, or that of the model."""
        if isinstance(held := self.scope.there(first), Functional) and len(held.inputs) == 1:
            return Functional(held.inputs, held.inputs[0], [])
        older = {"input_shape": "shape", "batch_input_shape": "batch_shape"}
        keywords = first.keywords if isinstance(first, ast.Call) and self.is_lambda(first) else []
        shape = [ast.keyword(older[one.arg], one.value) for one in keywords if one.arg in older]
        root = made_input(shape, first) if shape else ast.copy_location(ast.Name("x", ast.Load()), first)
        tensor = Tensor(root=root, name="x", then=self.names.now)
        return Functional([tensor], tensor, [])

    def _call_on(self, model: Functional, tree: ast.expr) -> None:
        """Call one more layer on the result of a model."""
        self._add_calls(model, lambda on: self.value(on(tree)))

    def _add_calls(self, model: Functional, made: Callable[[Callable[[ast.expr], ast.Call]], Any]) -> None:
        before = len(self.scope.made)
        places: list[ast.expr] = []

        def on(tree: ast.expr) -> ast.Call:
            places.append(ast.copy_location(ast.Name("x", ast.Load()), tree))
            # The tensor is bound to an empty name, which no text has.
            place = {"lineno": tree.lineno, "col_offset": tree.col_offset}
            name = ast.Name("", ast.Load(), **place, end_lineno=tree.lineno, end_col_offset=tree.col_offset)
            self.scope.env[""] = model.outputs
            return ast.copy_location(ast.Call(tree, [name], []), tree)

        outputs = made(on)
        self.scope.env.pop("", None)
        model.calls += [call for call in self.scope.made[before:] if isinstance(call, Applied)]
        known = isinstance(outputs, Tensor) or (isinstance(outputs, tuple | list) and any(tensors_in(outputs)))
        model.outputs = outputs if known else Tensor(root=places[-1], name="x")

    def grow(self, whole: ast.expr, how: str, call: ast.Call) -> None:
        """Call a method that changes a list or a model."""
        held = self.scope.there(whole)
        match how, call.args:
            case "build", [shape] if isinstance(held, Functional) and len(held.inputs) == 1:
                if held.inputs[0].root is not None and not makes(held.inputs[0].root):
                    held.inputs[0].root = made_input([ast.keyword("batch_shape", shape)], call)
            case "build", _ if isinstance(held, Layer | Model):
                self._build(held, call)
            case "pop", [] if isinstance(held, Model):
                del held.layers[-1:]
            case "build", _:
                self.value(call)
            case _:
                self.changes.method(whole, how, call)

    def _build(self, held: Layer | Model, call: ast.Call) -> None:
        """Read the input shape in ``model.build((None, 10, 8))``."""
        named = [keyword.value for keyword in call.keywords if keyword.arg in ("input_shape", "input_shapes")]
        for tree in [*call.args, *named][:1]:
            said = Declared(self.tensors.shape(tree), tree, built=isinstance(held, Layer))
            if isinstance(held, Model):
                held.said.append(said)
            else:
                self.declared.says[held.tree] = (*self.declared.of(held.tree), said)


def _entry(tree: ast.expr) -> ast.expr:
    """The input of a model, from its ``Input`` or from the shape that it is built with."""
    return tree if makes(tree) else made_input([ast.keyword("batch_shape", tree)], tree)
