"""The text of a check is Python over the roles.  It is read here and never given to ``eval``."""

from __future__ import annotations

import ast
import operator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_LONGEST = 500


class FormulaError(ValueError):
    """The text is no equality over roles; the message says what is wrong with it."""


def both_sides(text: str, names: Mapping[str, Any]) -> tuple[Any, Any]:
    """The values of the two sides of ``left == right``.

    ``names`` binds roles to arrays and letters to whole numbers.  What a call such as ``LSTM(...)(x)``
    gave is bound to its text.

    Raises:
        FormulaError: the text is not an equality, or speaks of what is not there.
    """
    left, right = _parsed(text)
    return _value(left, names), _value(right, names)


def names_in(text: str) -> frozenset[str]:
    """The roles and letters that a check speaks of.

    Raises:
        FormulaError: the text is not an equality.
    """
    return frozenset(node.id for side in _parsed(text) for node in ast.walk(side) if isinstance(node, ast.Name))


@lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[ast.expr, ast.expr]:
    if len(text) > _LONGEST:
        raise FormulaError(f"a check has at most {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"{text!r} is not Python") from error
    if not (isinstance(tree, ast.Compare) and len(tree.ops) == 1 and isinstance(tree.ops[0], ast.Eq)):
        raise FormulaError(f"{text!r} is not an equality of two sides, such as output[:, -1, :] == state_h")
    return tree.left, tree.comparators[0]


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() | None as value) if not isinstance(value, bool):
            return value
        case ast.Constant(value=value) if value is ...:
            return value
        case ast.Name(id=name):
            return _known(name, names)
        case ast.Call():
            return _known(ast.unparse(node), names)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, names), _value(right, names))
        case ast.Subscript(value=value, slice=index):
            return _at(node, _value(value, names), _value(index, names))
        case ast.Slice(lower=lower, upper=upper, step=step):
            return slice(*(None if part is None else _value(part, names) for part in (lower, upper, step)))
        case ast.Tuple(elts=items):
            return tuple(_value(item, names) for item in items)
    raise FormulaError(f"{ast.unparse(node)!r} has no place in a check: roles, slices, numbers, + - * / do")


def _known(name: str, names: Mapping[str, Any]) -> Any:
    if name not in names:
        raise FormulaError(f"{name!r} is not returned here; there are {', '.join(sorted(names))}")
    return names[name]


def _at(node: ast.expr, value: Any, index: Any) -> Any:
    try:
        return value[index]
    except (IndexError, TypeError) as error:
        raise FormulaError(f"{ast.unparse(node)!r}: {error}") from error
