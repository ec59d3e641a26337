"""The result of a rule: a code, a message and the part of the syntax tree."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnshape.scan.finding import Edit

if TYPE_CHECKING:
    from rnnshape.reading.code.syntax import Source


@dataclass(frozen=True, slots=True)
class Hit:
    """One problem with the edits that fix it; ``layer`` is the call of the layer, if that is not ``tree``."""

    code: str
    message: str
    tree: ast.expr | ast.keyword | ast.alias
    edits: tuple[Edit, ...] = ()
    layer: ast.expr | None = None


def with_argument(source: Source, call: ast.expr, argument: str) -> tuple[Edit, ...]:
    """The edit that appends an argument to a constructor call; empty if ``call`` is not a call."""
    if not isinstance(call, ast.Call) or any(keyword.arg is None for keyword in call.keywords):
        return ()
    parts: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    last = max((source.place(part)[1] for part in parts), default=None)
    if last is None:
        end = source.place(call)[1] - 1
        return (Edit(end, end, argument),)
    return (Edit(last, last, f", {argument}"),)


def without(source: Source, call: ast.Call, keyword: ast.keyword) -> tuple[Edit, ...]:
    """The edit that removes a keyword of a call and its comma."""
    parts: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    places = sorted(map(source.place, parts))
    own = source.place(keyword)
    at = places.index(own)
    if at > 0:
        return (Edit(places[at - 1][1], own[1], ""),)
    return (Edit(own[0], places[1][0] if len(places) > 1 else own[1], ""),)
