"""Computes Python's operators and items of containers on known values; text is never evaluated.

>>> import ast
>>> arithmetic(ast.Mult(), 2, 32), compared(ast.Eq(), 3, MISSING) is MISSING, item({"units": 8}, "units")
(64, True, 8)
"""

from __future__ import annotations

import ast
import math
import operator
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Known: TypeAlias = Callable[[ast.expr], Any]

MISSING = object()
"""Marks an unknown value."""

SIGNS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//"}
_COMPARES: dict[type, Any] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
}
CASTS: dict[str, Any] = {"int": int, "float": float, "bool": bool, "round": round, "abs": abs}
ROUNDED: dict[str, Any] = {"ceil": math.ceil, "floor": math.floor, "sqrt": math.sqrt}
"""Functions of ``math`` and NumPy; NumPy's return floats."""
CHOSEN: dict[str, Any] = {"max": max, "min": min}
TOTALS: dict[str, Any] = {"sum": sum, "prod": math.prod}
BUILT_IN = {*CASTS, *ROUNDED, *CHOSEN, *TOTALS, "len", "dict"}
# Results above 64 bits are not computed.
HUGE = 2**63
_HIGHEST_POWER = 62
_LONGEST = 1_000
_MOST_PARTS = 10_000


def signed(op: ast.unaryop, value: Any) -> Any:
    """``not x``, ``-x``."""
    if value is MISSING:
        return MISSING
    if isinstance(op, ast.Not):
        return not value
    return -value if isinstance(op, ast.USub) and type(value) in (int, float) else MISSING


def compared(op: ast.cmpop, left: Any, right: Any) -> Any:
    """``a == b`` and the other comparisons."""
    if left is MISSING or right is MISSING or type(op) not in _COMPARES:
        return MISSING
    try:
        return _COMPARES[type(op)](left, right)
    except TypeError:  # such as a string and a number
        return MISSING


def joined(op: ast.boolop, values: list[Any]) -> Any:
    """``and`` and ``or``: the first value that decides, else the last; after an unknown value only a bool decides."""
    decisive = isinstance(op, ast.Or)
    for index, value in enumerate(values):
        if value is not MISSING and bool(value) is decisive and (type(value) is bool or MISSING not in values[:index]):
            return value
    return MISSING if MISSING in values else values[-1]


def small(value: Any) -> bool:
    """Whether a value has few enough items and characters to keep: each ``s = s + s`` doubles them."""
    parts, left = 0, [value]
    while left and parts <= _MOST_PARTS:
        one = left.pop()
        parts += 1 + (len(one) if isinstance(one, str) else 0)
        left += one if isinstance(one, tuple | list) else [*one, *one.values()] if isinstance(one, dict) else ()
    return parts <= _MOST_PARTS


def plain(value: Any) -> bool:
    """Whether a value is a number that is small enough to compute with."""
    return type(value) in (int, float, bool) and abs(value) < HUGE


def arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    """The result of an operator; ``MISSING`` if it is not supported for these values, or the result is too large."""
    if isinstance(op, ast.Add) and isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(op, ast.Add) and isinstance(left, tuple) and isinstance(right, tuple):
        return (*left, *right)
    if isinstance(op, ast.BitOr) and isinstance(left, dict) and isinstance(right, dict):
        return left | right
    if isinstance(op, ast.Mult) and isinstance(left, tuple) and type(right) is int:
        return left * right if 0 <= right * len(left) <= _LONGEST else MISSING
    if not (plain(left) and plain(right)):
        return MISSING
    if isinstance(op, ast.Div):
        return left / right if right else MISSING
    if isinstance(op, ast.Mod):
        return left % right if right else MISSING
    if isinstance(op, ast.Pow):
        small = type(right) is int and 0 <= right <= _HIGHEST_POWER and abs(left) <= _HIGHEST_POWER
        return left**right if small else MISSING
    sign = SIGNS.get(type(op))
    return MISSING if sign is None or (sign == "//" and not right) else applied(sign, left, right)


def applied(sign: str, left: Any, right: Any) -> Any:
    """Two numbers joined by ``+``, ``-``, ``*`` or ``//``."""
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    return left * right if sign == "*" else left // right


def item(value: Any, key: Any, default: Any = MISSING) -> Any:
    """An item of a literal list or dictionary."""
    if value is MISSING or key is MISSING:
        return MISSING
    if isinstance(value, dict):
        return value.get(key, default) if isinstance(key, str | int | float | None) else MISSING
    if isinstance(value, tuple | list) and type(key) is int and -len(value) <= key < len(value):
        return value[key]
    return MISSING


def sliced(value: Any, ends: list[Any]) -> Any:
    """A slice of a literal list or text."""
    if not isinstance(value, tuple | str) or any(type(end) is not int and end is not None for end in ends):
        return MISSING
    return value[slice(*ends)] if ends[2] != 0 else MISSING


def whole(tree: ast.List | ast.Tuple | ast.Dict | ast.JoinedStr, known: Known) -> Any:
    """The value of a list, dictionary or f-string; ``MISSING`` if a part is unknown."""
    if isinstance(tree, ast.Dict):
        return dictionary(zip(tree.keys, tree.values, strict=True), known)
    if isinstance(tree, ast.JoinedStr):
        return _formatted(tree.values, known)
    items = tuple(map(known, tree.elts))
    return MISSING if MISSING in items else items


def dictionary(pairs: Iterable[tuple[ast.expr | None, ast.expr]], known: Known) -> Any:
    """The value of a dictionary (a pair without a key is after ``**``); ``MISSING`` if a part is unknown."""
    made: dict[Any, Any] = {}
    for key, tree in pairs:
        name, value = None if key is None else known(key), known(tree)
        if value is MISSING or name is MISSING or isinstance(name, tuple | dict):
            return MISSING
        if key is None and not isinstance(value, dict):
            return MISSING
        made |= value if key is None else {name: value}
    return made


def _formatted(parts: Iterable[ast.expr], known: Known) -> Any:
    """The text of an f-string; ``MISSING`` if a part is unknown or has a format."""
    said = ""
    for part in parts:
        value = known(part.value if isinstance(part, ast.FormattedValue) else part)
        odd = isinstance(part, ast.FormattedValue) and (part.format_spec is not None or part.conversion >= 0)
        if odd or not isinstance(value, str | int | float | None):
            return MISSING
        said += str(value)
    return said


def entry(held: ast.expr, key: Any, known: Known) -> ast.expr | None:
    """The expression of an item in a dictionary or list, by a known key; else None."""
    if isinstance(held, ast.Dict) and key is not MISSING:
        pairs = zip(held.keys, held.values, strict=True)
        return next((value for name, value in pairs if name is not None and known(name) == key), None)
    if isinstance(held, ast.List | ast.Tuple) and type(key) is int and -len(held.elts) <= key < len(held.elts):
        return None if any(isinstance(one, ast.Starred) for one in held.elts) else held.elts[key]
    return None
