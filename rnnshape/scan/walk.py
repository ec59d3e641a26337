"""One walk over a file: the reader of pasted code, extended for whole files.

The reader follows values through the code.  The walk also records the place of each call, the indexed parts of
tensors, and calls of ``fit``.  A value that a condition may change is unknown after it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape.layers.operations import SLICE
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.made import Applied, Layer, Model, Tensor
from rnnshape.reading.code.naming import Names
from rnnshape.reading.code.program import Program
from rnnshape.reading.code.syntax import Source, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.reading.code.functions import Closure, Function


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a tensor in the code, such as ``output[:, -1]``."""

    tree: ast.Subscript
    tensor: Tensor


@dataclass(frozen=True, slots=True)
class Fit:
    """A call of ``model.fit``."""

    tree: ast.Call
    model: Model


class Walk(Program):
    """The walk over one file; ``let`` decides each choice that the file leaves open."""

    def __init__(
        self,
        text: str,
        body: list[ast.stmt],
        aliases: Mapping[str, str],
        held: Mapping[str, Any],
        let: Mapping[str, Any],
    ) -> None:
        super().__init__(Names(Source(text), let))
        self.values.classes.aliases.update(aliases)
        self.names.bound.update(held)
        self.calls: dict[int, ast.Call] = {}
        self.parts: list[Part] = []
        self.fits: list[Fit] = []
        self._calling = 0
        self._unsure = _changed_by_several(body)
        self.read(body)

    @property
    def made(self) -> list[Layer | Model | Applied]:
        return self.values.made

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        """Do nothing: ``Imports`` has handled the imports of the whole file."""

    def value(self, tree: ast.expr, targets: int | None = None) -> Any:
        self._calling += 1
        found = super().value(tree, targets)
        self._calling -= 1
        if isinstance(tree, ast.Call):
            self._saw(tree, found)
        elif isinstance(tree, ast.Subscript):
            whole = super().value(tree.value) if found is None else _cut(found)
            if isinstance(whole, Tensor) and whole.call is not None:
                self.parts.append(Part(tree, whole))
        return found

    def _saw(self, tree: ast.Call, found: Any) -> None:
        if isinstance(found, Tensor) and found.call is not None:
            self.calls.setdefault(id(found.call), tree)
        function = tree.func
        if isinstance(function, ast.Attribute):
            if function.attr == "fit" and isinstance(model := super().value(function.value), Model):
                self.fits.append(Fit(tree, model))
            elif function.attr == "pop" and isinstance(model := super().value(function.value), Model):
                del model.layers[-1:]

    # -- methods that the file does not call ----------------------------------------------------

    def _instance(self, own: str, call: ast.Call | None) -> None:
        before = self._unsure, self._calling
        self._unsure, self._calling = _changed_by_several([*self.waiting[own].values()]), 0
        super()._instance(own, call)
        self._unsure, self._calling = before

    def _enter(self, function: Function, given: dict[str, ast.expr], closure: Closure | None = None) -> Any:
        """Read a function.

        If only other files call it, the order of such calls is unknown.  Then names that several functions change are
        unknown after it.
        """
        returned = super()._enter(function, given, closure)
        if not self._calling and function.name not in _FIRST:
            for name in self._unsure:
                self.values.forget(name)
        return returned

    # -- unknown values -------------------------------------------------------------------------

    def _compound(self, statement: ast.stmt) -> Any:
        leaves = (isinstance(part, ast.Break | ast.Continue) for part in ast.walk(statement))
        if isinstance(statement, ast.For | ast.While) and any(leaves):
            # With break or continue, it is unknown which statements run in which iteration.
            for name in {*_stored(statement), *_added_to(statement)}:
                self.values.forget(name)
            return None
        returned = super()._compound(statement)
        if returned is None and self._may_change(statement):
            for name in dict.fromkeys(_stored(statement)):
                # Only plain values become unknown, not tensors and layers.
                self.names.bound.pop(name, None)
        return returned

    def _may_change(self, statement: ast.stmt) -> bool:
        """Whether it is unknown if, or how often, the inner statements run."""
        match statement:
            case ast.If(test=test, body=body, orelse=orelse):
                return self.names.known(test) is MISSING and not self._has_layers([*body, *orelse])
            case ast.For(iter=items):
                return self.values.lists.items(items) is None
            case ast.While() | ast.Try():
                return True
        return False


# The methods that Keras itself calls first, in this order.
_FIRST = ("__init__", "build")


def _cut(found: Any) -> Tensor | None:
    """The tensor that this tensor is a slice of; None if it is not a slice."""
    is_part = isinstance(found, Tensor) and found.call is not None and found.call.node.cls is SLICE
    return found.call.inputs[0] if is_part else None


def _changed_by_several(body: list[ast.stmt]) -> set[str]:
    """The attributes that more than one of the functions assigns, and the models to which they add layers."""
    functions = [part for part in body if isinstance(part, ast.FunctionDef) and part.name not in _FIRST]
    changed = [{*_added_to(function), *(name for name in _stored(function) if "." in name)} for function in functions]
    return {name for names in changed for name in names if sum(name in other for other in changed) > 1}


def _added_to(statement: ast.stmt) -> Iterator[str]:
    """The models that a statement adds layers to."""
    for part in ast.walk(statement):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "add":
            yield dotted(part.func.value) or ""


def _stored(statement: ast.stmt) -> Iterator[str]:
    for part in ast.walk(statement):
        if isinstance(part, ast.Name | ast.Attribute) and isinstance(part.ctx, ast.Store):
            yield dotted(part) or ""
