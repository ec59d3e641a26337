"""Reads the conditions and loops of a program: one side of a condition, and a loop's body at each step.

>>> from rnnshape.reading.code.expression import parse_all
>>> parse_all("n = 1\\nwhile n < 10:\\n    n *= 2\\nLSTM(n)")[0].node.text
'LSTM(16)'
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code.changing import CHANGING
from rnnshape.reading.code.definitions import Definitions
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.statements import inside, words
from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from rnnshape.reading.code.functions import Function

# The values of ``break`` and ``continue``, which end the body of a loop.
BREAK, CONTINUE = object(), object()
_SAME, _OTHER = ast.Eq | ast.Is, ast.NotEq | ast.IsNot
_LONGEST_LOOP = 64
# For a loop without layers; the names that a longer one assigns become unknown.
_MOST_IDLE_STEPS = 200


class Loops(Definitions):
    """The conditions and loops of one program."""

    @abstractmethod
    def assign(self, target: ast.expr, tree: ast.expr) -> None:
        """Bind a name, or the names in a tuple."""

    def either(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> Any:
        """Read one side of a condition; if the condition is unknown, the values that either side assigns are too."""
        holds = self.holds(test, [*body, *orelse])
        returned = self.run(body if holds else orelse)
        if holds is None:
            for name in self._assigned([*body, *orelse]):
                self.names.bound.pop(name, None)
        return returned

    def holds(self, test: ast.expr, body: list[ast.stmt]) -> bool | None:
        """Whether a condition holds; an unknown one is an open choice if layers depend on it, else None."""
        self.names.tested.add(self.source.said(test))
        known = self.names.known(test)
        if known is not MISSING:
            return bool(known)
        if isinstance(test, ast.Compare) and self.source.said(test).startswith("__name__"):
            return True
        if (same := self._one_class(test)) is not None:
            return same
        if not self._has_layers(body):
            return None
        return bool(self.names.condition(test))

    def _one_class(self, test: ast.expr) -> bool | None:
        """The value of ``cell == LSTM`` for two names of classes; None for another condition."""
        match test:
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if isinstance(sign, _SAME | _OTHER):
                one, other = self.values.classes.of(left), self.values.classes.of(right)
                if one is not None and other is not None:
                    return (one is other) is isinstance(sign, _SAME)
        return None

    def _has_layers(self, body: list[ast.stmt], within: tuple[Function, ...] = ()) -> bool:
        """Whether statements may create, add or call a layer, directly or in a function of the code."""
        for part in inside(body):
            match part:
                case ast.Assign(value=ast.Name() | ast.Attribute() as held) if self.values.touches(held):
                    return True  # cell = GRUCell, y = x
            if not isinstance(part, ast.Call):
                continue
            function = self._own(part.func)
            if function is None:
                if self.values.touches(part.func):
                    return True
            elif function not in within and self._has_layers(function.body, (*within, function)):
                return True
        return False

    def loop(self, target: ast.expr, items: ast.expr, body: list[ast.stmt]) -> Any:
        values = self.values.lists.items(items)
        many = values is not None and len(values) > _LONGEST_LOOP
        if values is None or (many and self._has_layers(body)):
            return self._read_once(target, items, body)
        if many or (_long(len(values), body) and not self._has_layers(body)):
            self._unknown([*body, ast.Expr(target)])
            return None
        for item in values:
            self.assign(target, item)
            returned = self.run(body)
            if returned is BREAK:
                return None
            if (given := _within_loop(returned)) is not None:
                return given
        return None

    def _read_once(self, target: ast.expr, items: ast.expr, body: list[ast.stmt]) -> Any:
        """Read the body of a loop once, because its number of steps is unknown or too large."""
        if self._has_layers(body):
            self.values.note(self.values.lists.read_once(items), items)
        for name in words(target):
            self.values.forget(name)
        if called(items) == "range":
            self.assign(target, ast.copy_location(ast.Constant(0), items))
        returned = self.run(body)
        self._unknown([*body, ast.Expr(target)])
        return _within_loop(returned)

    def while_(self, test: ast.expr, body: list[ast.stmt]) -> Any:
        """Read a loop while its condition is known to hold; once if it is unknown."""
        for _ in range(_LONGEST_LOOP):
            known = self.names.known(test)
            if not known:
                return None
            returned = self.run(body)
            if (given := _within_loop(returned)) is not None or returned is BREAK:
                return given
            if known is MISSING or isinstance(test, ast.Constant):
                break
        if self._has_layers(body):
            said = self.source.said(test)
            self.values.note(
                f"the loop while {said} is read in part: its number of steps is unknown or too large", test
            )
        self._unknown(body)
        return None

    def _unknown(self, body: list[ast.stmt]) -> None:
        """Forget the values of the names that the statements bind."""
        for name in self._assigned(body):
            self.names.bound.pop(name, None)
            self.names.trees.pop(name, None)

    def _assigned(self, body: list[ast.stmt]) -> set[str]:
        """The names that statements bind, and those of lists and dictionaries that they change."""
        found: set[str] = set()
        for part in inside(body):
            match part:
                case ast.Name(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()):
                    found.add(self.source.said(part))
                case ast.Subscript(value=whole, ctx=ast.Store()):
                    found.add(self.source.said(whole))
                case ast.Call(func=ast.Attribute(value=whole, attr=how)) if how in CHANGING:
                    found.add(self.source.said(whole))
        return found


def _within_loop(returned: Any) -> Any:
    """The value of ``return`` in the body of a loop; None for ``break`` and ``continue``, which only end the body."""
    return None if returned is BREAK or returned is CONTINUE else returned


def _long(times: int, body: list[ast.stmt]) -> bool:
    """Whether a loop has many steps, itself or with the loops in it."""
    inner = any(isinstance(part, ast.For | ast.While) for part in inside(body))
    return times * len(body) > _MOST_IDLE_STEPS or (times > 1 and inner)
