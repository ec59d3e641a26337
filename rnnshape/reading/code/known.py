"""Finds the values of names: from assignments, from ``--let``, and by arithmetic on both."""

from __future__ import annotations

import ast
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnshape.reading.code.literals import (
    BUILT_IN,
    CASTS,
    CHOSEN,
    MISSING,
    ROUNDED,
    TOTALS,
    arithmetic,
    compared,
    dictionary,
    entry,
    item,
    joined,
    plain,
    signed,
    sliced,
    whole,
)
from rnnshape.reading.code.statements import words
from rnnshape.reading.code.syntax import called, dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rnnshape.reading.code.syntax import Source

_MOST_STEPS = 20


class Held(NamedTuple):
    """The values and expressions of all names at one place of the text."""

    bound: dict[str, Any]
    trees: dict[str, ast.expr]


class KnownNames:
    """The names of one text whose values are known.

    ``let`` has the values of ``--let`` (``used``: the names that were read).  ``bound`` has the values and ``trees``
    the expressions that the text assigns; both change while it is read.
    """

    def __init__(self, source: Source, let: Mapping[str, Any]) -> None:
        self.source = source
        self.let = dict(let)
        self.bound: dict[str, Any] = {}
        self.trees: dict[str, ast.expr] = {}
        self.used: set[str] = set()
        # The name through which an assigned expression was found.
        self.names_of: dict[ast.expr, ast.expr] = {}
        # The number of items of a list of layers or tensors.
        self.count: Callable[[ast.expr], int | None] = lambda tree: None
        # The sizes of ``x.shape`` and similar expressions.
        self.shaped: Callable[[ast.expr], tuple[int | None, ...] | None] = lambda tree: None

    @property
    def now(self) -> Held:
        """A copy of the current values."""
        return Held(dict(self.bound), dict(self.trees))

    @contextmanager
    def at(self, then: Held | None) -> Iterator[None]:
        """In this context, names have the values that they had at ``then``."""
        now = self.bound, self.trees
        self.bound, self.trees = now if then is None else then
        try:
            yield
        finally:
            self.bound, self.trees = now

    def reads(self, tree: ast.expr) -> bool:
        """Whether an expression may have a value without being a literal: a name, a call, arithmetic."""
        if isinstance(tree, ast.List | ast.Tuple):
            return any(map(self.reads, tree.elts))
        if isinstance(tree, ast.UnaryOp) and not isinstance(tree.op, ast.Not):
            return not isinstance(tree.operand, ast.Constant) and self.reads(tree.operand)
        return not isinstance(tree, ast.Constant | ast.Dict | ast.Set | ast.Starred | ast.Lambda | ast.JoinedStr)

    def reached(self, tree: ast.expr) -> set[str]:
        """The names in an expression, and in what these names stand for."""
        found: set[str] = set()
        left = [tree]
        while left:
            new = words(left.pop()) - found
            found |= new
            left += [self.trees[name] for name in new if name in self.trees]
        return found

    def resolved(self, tree: ast.expr, steps: int = _MOST_STEPS) -> ast.expr:
        """The expression that a name was last bound to, if it has no plain value; else the tree itself.

        Of a conditional expression with a known test it is the chosen side, of an indexed list or dictionary the item.
        """
        for left in reversed(range(steps)):
            bound: ast.expr | None = None
            match tree:
                case ast.Name() | ast.Attribute():
                    bound = self._bound_to(tree)
                case ast.NamedExpr(value=value):
                    bound = value
                case ast.IfExp(test=test, body=body, orelse=orelse) if (holds := self.known(test)) is not MISSING:
                    bound = body if holds else orelse
                case ast.BoolOp():
                    bound = self._without_first(tree)
                case ast.Subscript(value=held, slice=key):
                    bound = entry(self.resolved(held, left), self.known(key), self.known)
                case ast.Call(func=ast.Name(id="getattr"), args=[of, key, *_]):
                    name = self.known(key)
                    if isinstance(name, str) and name.isidentifier():
                        bound = ast.copy_location(ast.Attribute(of, name, ast.Load()), tree)
            if bound is None:
                break
            tree = bound
        return tree

    def _bound_to(self, tree: ast.Name | ast.Attribute) -> ast.expr | None:
        bound = self.trees.get(self.source.said(tree))
        if bound is not None:
            self.names_of[bound] = tree
        return bound

    def _without_first(self, tree: ast.BoolOp) -> ast.expr | None:
        """``a or b`` after a known first value: that value if it decides, else the rest; None if it is unknown."""
        first, *others = tree.values
        known = self.known(first)
        if not others or (known is not MISSING and bool(known) is isinstance(tree.op, ast.Or)):
            return first
        return None if known is MISSING else ast.copy_location(ast.BoolOp(tree.op, others), tree)

    def known(self, tree: ast.expr) -> Any:
        """The value of an expression, from ``--let``, assignments and arithmetic; ``MISSING`` if it is unknown."""
        match tree:
            case ast.Constant(value=value):
                return value
            case ast.List() | ast.Tuple() | ast.Dict() | ast.JoinedStr():
                return whole(tree, self.known)
            case ast.UnaryOp(op=op, operand=operand):
                return signed(op, self.known(operand))
            case ast.BinOp(left=left, op=sign, right=right):
                return arithmetic(sign, self.known(left), self.known(right))
            case ast.Compare(left=left, ops=[compare], comparators=[right]):
                return compared(compare, self.known(left), self.known(right))
            case ast.BoolOp(op=op, values=values):
                return joined(op, [self.known(value) for value in values])
            case ast.NamedExpr() | ast.IfExp() if (decided := self.resolved(tree)) is not tree:
                return self.known(decided)
            case ast.Call() if (value := self._computed(tree)) is not MISSING:
                return value
            case ast.Call() | ast.Attribute() if (sizes := self.shaped(tree)) is not None:
                return sizes
        return self._given(tree)

    def _computed(self, tree: ast.Call) -> Any:
        """The result of a built-in function with known arguments; else ``MISSING``."""
        name = called(tree)
        if name == "dict" and isinstance(tree.func, ast.Name):
            keys = [None if keyword.arg is None else ast.Constant(keyword.arg) for keyword in tree.keywords]
            values = [*tree.args, *(keyword.value for keyword in tree.keywords)]
            return dictionary(zip([*[None] * len(tree.args), *keys], values, strict=True), self.known)
        if name == "get" and isinstance(tree.func, ast.Attribute) and 1 <= len(tree.args) <= 2 and not tree.keywords:
            held, default = self.known(tree.func.value), self.known(tree.args[1]) if tree.args[1:] else None
            return item(held, self.known(tree.args[0]), default) if isinstance(held, dict) else MISSING
        if name not in BUILT_IN or tree.keywords or not tree.args:
            return MISSING
        if name == "len" and (count := self.count(tree.args[0])) is not None:
            return count
        value = self._of_numbers(name, [self.known(value) for value in tree.args])
        of_numpy = name in ROUNDED and value is not MISSING and not _of_math(tree.func)
        return float(value) if of_numpy else value

    def _of_numbers(self, name: str, values: list[Any]) -> Any:
        if MISSING in values:
            return MISSING
        if name == "len" and len(values) == 1:
            return len(values[0]) if isinstance(values[0], tuple | list | dict | str) else MISSING
        if name in (*CHOSEN, *TOTALS) and len(values) == 1 and isinstance(values[0], tuple) and len(values[0]) > 1:
            values = [*values[0]]
        if not all(map(plain, values)):
            return MISSING
        if name in TOTALS:
            total = TOTALS[name](values)
            return total if plain(total) else MISSING
        if name in ROUNDED:
            return ROUNDED[name](values[0]) if len(values) == 1 and values[0] >= 0 else MISSING
        if name in CASTS:
            return CASTS[name](values[0]) if len(values) == 1 else MISSING
        return CHOSEN[name](values) if name in CHOSEN and len(values) > 1 else MISSING

    def _given(self, tree: ast.expr) -> Any:
        """The value of a name, an attribute or an item."""
        text = self.source.said(tree)
        # d["units"] of a known d is its item, whatever the name units holds.
        held = item(self.known(tree.value), self.known(tree.slice)) if isinstance(tree, ast.Subscript) else MISSING
        if text not in self.bound and held is not MISSING:
            return held
        if self.bound.get(text, MISSING) is not MISSING:
            return self.bound[text]
        for key in (text, self.plain_name(tree)):
            if key in self.let:
                self.used.add(key)
                return self.let[key]
        if isinstance(tree, ast.Subscript) and isinstance(where := tree.slice, ast.Slice):
            ends = (where.lower, where.upper, where.step)
            return sliced(self.known(tree.value), [None if end is None else self.known(end) for end in ends])
        return MISSING

    def lettered(self, tree: ast.expr) -> bool:
        """Whether a size is shown as a letter: the text does not assign its number, even if ``--let`` gives one."""
        calls = (part for part in ast.walk(tree) if isinstance(part, ast.Call))
        functions = {id(part) for call in calls if called(call) in BUILT_IN for part in _function(call.func)}
        for part in ast.walk(tree):
            if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) and id(part) not in functions:
                return not self._assigned(part)
        return False

    def _assigned(self, tree: ast.expr) -> bool:
        """Whether the text assigns a value to the expression, or to the object of its item or attribute."""
        if self.source.said(tree) in self.bound:
            return True
        if self.shaped(tree) is not None:
            return True
        return isinstance(tree, ast.Subscript | ast.Attribute) and self._assigned(tree.value)

    def plain_name(self, tree: ast.expr) -> str:
        """``units`` for ``self.units``, ``params["units"]``, ``hp.Int("units", 8)``; ``shape_1`` for ``x.shape[1]``."""
        match tree:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return name
            case ast.Subscript(value=value, slice=ast.Constant(value=str() as key)) if key.isidentifier():
                return key
            case ast.Call(
                func=ast.Attribute(attr="Int" | "Choice" | "Fixed"), args=[ast.Constant(value=str() as key), *_]
            ) if key.isidentifier():
                return key
            case ast.Subscript(value=value, slice=ast.Constant(value=int() as index)):
                return f"{self.plain_name(value)}_{index}"
        return identifier(self.source.said(tree))


def _of_math(function: ast.expr) -> bool:
    """Whether a function is built-in or one of ``math``, not of NumPy."""
    return (dotted(function) or "").partition(".")[0] not in ("np", "numpy", "tf", "K")


def _function(function: ast.expr) -> list[ast.AST]:
    """The nodes of a function's name and its module."""
    return [function, function.value] if isinstance(function, ast.Attribute) else [function]


def identifier(text: str) -> str:
    """The text as a Python identifier."""
    words = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:30].strip("_")
    return words if words.isidentifier() else f"size_{words}"
