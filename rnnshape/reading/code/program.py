"""Reads several statements: assignments, ``model.add``, calls, loops, functions; nothing is evaluated.

>>> from rnnshape.reading.code.expression import parse_all
>>> [parsed.node.text for parsed in parse_all("cell = LSTMCell(8)\\nlayer = RNN(cell, return_sequences=True)")]
['RNN(LSTMCell(8), return_sequences=True)']
>>> [parsed.node.text for parsed in parse_all("model = Sequential()\\nmodel.add(LSTM(8))\\nmodel.add(Dense(1))")]
['LSTM(8) | Dense(1)']

The statements are read in order.  Those without layers are skipped.  If one with a layer cannot be read, a note says
so with its line, and the rest is still read.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code.binding import Binding
from rnnshape.reading.code.functions import Closure, as_function, calls_of_classes, defaults, handed_on, objects_in
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.loops import BREAK, CONTINUE
from rnnshape.reading.code.made import Model, Tensor
from rnnshape.reading.code.merging import MERGING
from rnnshape.reading.code.methods import former
from rnnshape.reading.code.models import is_known
from rnnshape.reading.code.sequential import GROWING
from rnnshape.reading.code.statements import as_conditions, inside, walruses
from rnnshape.reading.code.syntax import Unknown, dotted
from rnnshape.reading.code.tensors import INPUTS

if TYPE_CHECKING:
    from rnnshape.errors import Problem
    from rnnshape.reading.code.naming import Names

# Classes and functions that the readers know by name: an import under another name is undone.
_BY_NAME = {*INPUTS, *MERGING, "Model", "Sequential"}
# Methods of models and layers that show their weights, or how many there are.
_COUNTING = {"summary", "count_params", "get_weights"}
_MOST_STEPS = 20_000
_MOST_LAYERS = 1_000


class Program(Binding):
    """Reads the statements of one text."""

    def __init__(self, names: Names) -> None:
        super().__init__(names)
        self.unknown: list[Problem] = []
        self.steps = 0

    def read(self, body: list[ast.stmt]) -> None:
        """Read the whole text, and the classes and functions that it does not call itself."""
        parts = [*inside(body)]
        imports = [part for part in parts if isinstance(part, ast.Import | ast.ImportFrom)]
        aliases = {alias.asname: alias.name for one in imports for alias in one.names if alias.name in _BY_NAME}
        for part in parts:
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                self.instances.setdefault(part.func.id, part)
                part.func.id = aliases.get(part.func.id, part.func.id)
        self.values.counted = any(map(_counts, parts))
        self.applied, self.methods = objects_in(parts), calls_of_classes(parts)
        self.handed_on = handed_on(parts)
        self.run(body)
        self._read_uncalled()
        for call in self.values.layers.settings.left_out(parts):
            what = f"{self.source.said(call)} is not followed: it is in a branch that is not taken here"
            self.values.note(what, call)

    def _read_uncalled(self) -> None:
        """Read the classes and functions that the code does not call itself."""
        while self.waiting:
            left_out = next(iter(self.waiting))
            self._instance(left_out, self.instances.get(left_out))
        while left := [function for function in self.functions.values() if function not in self.called]:
            before = len(self.values.made)
            self.values.functional.returned(self._enter(left[0], defaults(left[0])))
            if len(self.values.made) > before:
                self._note_defaults(left[0].name, left[0])

    @property
    def stopped(self) -> bool:
        """Whether the text is longer than what is read of it."""
        return self.steps > _MOST_STEPS

    def run(self, body: list[ast.stmt]) -> Any:
        """Read statements; the value of the first ``return``."""
        for statement in body:
            self.steps += 1
            if self.steps > _MOST_STEPS:
                if self.steps == _MOST_STEPS + 1:
                    what = f"more than {_MOST_STEPS:,} statements are read here, with the steps of loops: paste fewer"
                    self.source.wrong(what, statement)
                return None
            before = len(self.source.problems)
            ends = isinstance(statement, ast.Return)
            returned = self._returned(statement) if isinstance(statement, ast.Return) else self._statement(statement)
            self._as_notes(before)
            if len(self.values.made) > _MOST_LAYERS and self.steps <= _MOST_STEPS:
                self.source.wrong(f"there are more than {_MOST_LAYERS:,} layers and calls here: paste fewer", statement)
                self.steps = _MOST_STEPS + 1
            if ends or returned is not None:
                return returned
        return None

    def _returned(self, statement: ast.Return) -> Any:
        match statement.value:
            case None:
                return None
            case ast.Name(id=name) if name in self.functions and self.depth:
                return self._closure(self.functions[name])
            case ast.Lambda() as tree if self.depth:
                return self._closure(as_function("", tree))
        value = self.value(statement.value)
        self.returns = statement.value
        if self.within == "call" and not is_known(value) and self.values.calls.from_a_call(statement.value):
            self.values.note(f"{self.source.said(statement.value)} is not followed: the answer ends there", statement)
        return value

    def _as_notes(self, before: int) -> None:
        """Turn the problems of a statement into notes, if each is about an unknown class or name."""
        new = self.source.problems[before:]
        if new and all(isinstance(problem, Unknown) for problem in new):
            del self.source.problems[before:]
            self.unknown += new
            for problem in new:
                line = self.source.text.count("\n", 0, problem.span[0] if problem.span else 0) + 1
                self.values.notes[f"line {line}: {problem.message}"] = None

    def _statement(self, statement: ast.stmt) -> Any:
        """Read one statement; the value of a ``return`` in it."""
        for target, bound in walruses(statement):
            self.assign(target, bound)
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=whole, attr=how)) as call) if how in GROWING:
                self.values.growing.grow(whole, how, call)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=receiver, attr="add")) as value):
                self.value(value)
                self._check_length(receiver)
            case ast.Expr(value=value):
                self.value(value)
                if isinstance(value, ast.Call):
                    self.options.added(value)
                    self.values.layers.settings.read(value)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Delete():
                self._assignment(statement)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.functions[name] = statement
            case ast.Import() | ast.ImportFrom():
                self._import(statement)
            case ast.Break() | ast.Continue():
                return BREAK if isinstance(statement, ast.Break) else CONTINUE
            case _:
                return self._compound(statement)
        return None

    def _assignment(self, statement: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Delete) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self.assign(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, value)
            case ast.AugAssign(target=target, op=op, value=value):
                held = self.values.env.get(self.source.said(target), self.names.known(target))
                if isinstance(op, ast.Add) and isinstance(held, list | tuple) and self.names.known(value) is MISSING:
                    # += takes a tuple, too: it adds the items.
                    item: ast.expr = ast.copy_location(ast.Starred(value, ast.Load()), value)
                    value = ast.copy_location(ast.List([item], ast.Load()), value)
                self.assign(target, ast.copy_location(ast.BinOp(target, op, value), value))
            case ast.Delete(targets=targets):
                for target in targets:
                    self.values.growing.changes.delete(target)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        module = f"{statement.module or ''}." if isinstance(statement, ast.ImportFrom) else ""
        for alias in statement.names:
            if alias.asname or module:
                self.values.classes.aliases[alias.asname or alias.name] = f"{module}{alias.name}".strip(".")
                self.values.classes.shadowed.discard(alias.asname or alias.name)

    def _compound(self, statement: ast.stmt) -> Any:
        match statement:
            case ast.ClassDef(name=name, bases=bases, body=body):
                if not any((dotted(base) or "").rpartition(".")[2] == name for base in bases):
                    self.values.classes.shadowed.add(name)  # class Attention(Layer) is not Keras' Attention
                return self._class(name, bases, body)
            case ast.For(target=target, iter=items, body=body):
                return self.loop(target, items, body)
            case ast.If(test=test, body=body, orelse=orelse):
                return self.either(test, body, orelse)
            case ast.Match(subject=subject, cases=cases):
                return self.run(as_conditions(subject, cases))
            case ast.While(test=test, body=body):
                return self.while_(test, body)
            case ast.With(body=body) | ast.AsyncWith(body=body) | ast.Try(body=body):
                return self.run(body)
        return None

    def _check_length(self, receiver: ast.expr) -> None:
        """Reject a model with too many layers: one that is added to itself doubles."""
        model = self.values.env.get(self.source.said(receiver))
        if isinstance(model, Model) and len(model.layers) > _MOST_LAYERS:
            self.source.wrong(f"a model has at most {_MOST_LAYERS:,} layers here", receiver)
            self.steps = _MOST_STEPS + 1

    # -- values ---------------------------------------------------------------------------------

    def value(self, tree: ast.expr, targets: int | None = None) -> Any:
        """A layer, a model, a tensor, or tuples and lists of them; None for anything else."""
        if isinstance(tree, ast.Call) and (function := self._own(tree.func)) is not None:
            return self._enter(function, self._given(function, tree))
        if isinstance(tree, ast.Call) and isinstance(closure := self._returned_function(tree.func), Closure):
            return self._enter(closure.function, self._given(closure.function, tree), closure)
        if isinstance(tree, ast.Call) and (applied := self._applied(tree)) is not None:
            return applied
        if isinstance(tree, ast.Call) and (why := former(tree, self.value)) is not None:
            self.values.fails(why, tree)
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in self.waiting:
            self._instance(tree.func.id, tree)
        if isinstance(tree, ast.Tuple | ast.List):
            items = [value for item in tree.elts for value in self._items(item)]
            found = [item for item in items if item is not None]
            return (tuple(items) if isinstance(tree, ast.Tuple) else items) if found else None
        if isinstance(tree, ast.Await):
            return self.value(tree.value)
        if isinstance(tree, ast.BoolOp) and (decided := self.names.resolved(tree)) is not tree:
            return self.value(decided)  # cells or [LSTMCell(8)]
        if isinstance(tree, ast.IfExp):
            return self.value(tree.body if self.holds(tree.test, [ast.Expr(tree)]) else tree.orelse)
        return self.values.of(tree, targets)

    def _items(self, tree: ast.expr) -> list[Any]:
        """The values of an item of a list: several for ``*states``, which may be the results of a call."""
        if not isinstance(tree, ast.Starred):
            return [self.value(tree)]
        held = self.value(tree.value)
        return [*(self.values.parts(held) if isinstance(held, Tensor) else held or ())] or [None]


def _counts(part: ast.AST) -> bool:
    """Whether it is ``model.summary()``, ``layer.weights[0]``, or the like."""
    match part:
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _COUNTING
        case ast.Subscript(value=ast.Attribute(attr="weights")):
            return True
    return False
