"""Computes the text of a check, which is Python over the roles; it never uses ``eval``.

>>> import numpy as np
>>> left, right = both_sides("output[:, -1] == 2 * state", {"output": np.ones((2, 3)), "state": np.ones(2)})
>>> left.tolist(), right.tolist(), claims_equality("output != state")
([1.0, 1.0], [2.0, 2.0], False)
"""

from __future__ import annotations

import ast
import operator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_SIGNS: dict[Any, Any] = {ast.USub: operator.neg, ast.Invert: operator.invert}
_LONGEST = 500
_ALLOWED = "use roles, slices, numbers and + - * / ~"
_SYNTAX = (
    ast.Compare, ast.Eq, ast.NotEq, ast.Constant, ast.Name, ast.Load, ast.Call, ast.keyword, ast.UnaryOp, ast.BinOp,
    ast.Subscript, ast.Slice, ast.Tuple, *_OPERATORS, *_SIGNS,
)  # fmt: skip


class FormulaError(ValueError):
    """The text is not a check over roles, or its sides cannot be computed; the message says why."""


def both_sides(text: str, names: Mapping[str, Any]) -> tuple[Any, Any]:
    """The values of the two sides of ``left == right``, or of ``left != right``.

    ``names`` maps roles to arrays, letters to whole numbers, and the text of a call, such as ``LSTM(...)(x)``, to its
    result.

    Raises:
        FormulaError: the text is not a check, or it uses an unknown name.
    """
    import numpy as np

    tree = _parsed(text)
    try:
        with np.errstate(all="ignore"):  # values may overflow here as in the layer
            return _value(tree.left, names), _value(tree.comparators[0], names)
    except FormulaError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:  # shapes that cannot be combined, a division by zero
        raise FormulaError(f"{text!r}: {error}") from error


def value_of(text: str, names: Mapping[str, Any]) -> Any:
    """The value of a single side, such as ``output[:, :, :H]``.

    Raises:
        FormulaError: as ``both_sides``.
    """
    return both_sides(f"{text} == 0", names)[0]


def claims_equality(text: str) -> bool:
    """Whether the check says that its sides are equal (``==``), not that they differ (``!=``).

    Raises:
        FormulaError: the text is not a check.
    """
    return isinstance(_parsed(text).ops[0], ast.Eq)


def canonical(text: str) -> str:
    """The check as ``ast.unparse`` writes it, so that blanks do not matter.

    Raises:
        FormulaError: the text is not a check.
    """
    return ast.unparse(_parsed(text))


def names_in(text: str) -> frozenset[str]:
    """The roles and letters in a check; a call counts as one name, ``layer(x)``.

    Raises:
        FormulaError: the text is not a check.
    """
    return frozenset(_names(_parsed(text)))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name | ast.Call):
        yield ast.unparse(node)
        return
    for child in ast.iter_child_nodes(node):
        yield from _names(child)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> ast.Compare:
    if len(text) > _LONGEST:
        raise FormulaError(f"a check has at most {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"{text!r} is not a Python comparison, such as a == b") from error
    if not (isinstance(tree, ast.Compare) and len(tree.ops) == 1 and isinstance(tree.ops[0], ast.Eq | ast.NotEq)):
        raise FormulaError(f"{text!r} does not compare two sides, such as output[:, -1, :] == state_h")
    for node in ast.walk(tree):
        if not isinstance(node, _SYNTAX):
            raise FormulaError(f"{_written(node)} is not allowed in a check: {_ALLOWED}")
    return tree


def _written(node: ast.AST) -> str:
    if isinstance(node, ast.operator):  # ast.unparse writes only whole expressions
        return repr(ast.unparse(ast.BinOp(ast.Name("a"), node, ast.Name("b")))[2:-2])
    return repr(ast.unparse(node)) if isinstance(node, ast.expr) else type(node).__name__


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
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
            return _SIGNS[type(op)](_value(operand, names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            one, other = _value(left, names), _value(right, names)
            return _OPERATORS[type(op)](_beside(one, other), _beside(other, one))
        case ast.Subscript(value=value, slice=index):
            return _at(node, _value(value, names), _value(index, names))
        case ast.Slice(lower=lower, upper=upper, step=step):
            return slice(*(None if part is None else _value(part, names) for part in (lower, upper, step)))
        case ast.Tuple(elts=items):
            return tuple(_value(item, names) for item in items)
    raise FormulaError(f"{ast.unparse(node)!r} is not allowed in a check: {_ALLOWED}")


def _beside(value: Any, other: Any) -> Any:
    """A number in the dtype of the other operand if that is a float: NumPy 2.0 does not do this for bfloat16."""
    dtype = getattr(other, "dtype", None)
    if isinstance(value, int | float) and dtype is not None and "float" in dtype.name:
        return dtype.type(value)
    return value


def _known(name: str, names: Mapping[str, Any]) -> Any:
    if name not in names:
        raise FormulaError(f"{name!r} is not returned here; available: {', '.join(sorted(names))}")
    return names[name]


def _at(node: ast.expr, value: Any, index: Any) -> Any:
    try:
        return value[index]
    except (IndexError, TypeError) as error:
        raise FormulaError(f"{ast.unparse(node)!r}: {error}") from error
