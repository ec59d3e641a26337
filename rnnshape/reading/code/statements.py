"""Helpers for statements: conditions instead of ``match``, the names and targets in a statement."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnshape.reading.code.syntax import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator


def walruses(statement: ast.stmt) -> list[tuple[ast.expr, ast.expr]]:
    """The targets and values of ``:=`` in a statement, not in the statements inside it."""
    own = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr)]
    parts = (part for child in own for part in ast.walk(child))
    return [(part.target, part.value) for part in parts if isinstance(part, ast.NamedExpr)]


def as_conditions(subject: ast.expr, cases: list[ast.match_case]) -> list[ast.stmt]:
    """``match`` as equivalent conditions; cases with a pattern that is not a value are left out."""
    otherwise: list[ast.stmt] = []
    for case in reversed(cases):
        patterns = case.pattern.patterns if isinstance(case.pattern, ast.MatchOr) else [case.pattern]
        values = [one.value for one in patterns if isinstance(one, ast.MatchValue)]
        if len(values) < len(patterns):
            anything = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
            otherwise = case.body if anything else otherwise
            continue
        tests: list[ast.expr] = [ast.copy_location(ast.Compare(subject, [ast.Eq()], [one]), one) for one in values]
        test = tests[0] if len(tests) == 1 else ast.copy_location(ast.BoolOp(ast.Or(), tests), values[0])
        otherwise = [ast.copy_location(ast.If(test, case.body, otherwise), subject)]
    return otherwise


def targets(target: ast.expr) -> int | None:
    """The number of names on a left side; None for a single name or with ``*``."""
    if isinstance(target, ast.Tuple | ast.List) and not any(isinstance(one, ast.Starred) for one in target.elts):
        return len(target.elts)
    return None


def in_pairs(target: ast.expr, given: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """The targets of ``a, *b = 1, 2, 3`` with their values: a list for the one after ``*``; else empty."""
    if not (isinstance(target, ast.Tuple | ast.List) and isinstance(given, ast.Tuple | ast.List)):
        return []
    behind = [isinstance(one, ast.Starred) for one in target.elts]
    more = len(given.elts) - len(target.elts)
    if any(isinstance(one, ast.Starred) for one in given.elts) or (more != 0 and (True not in behind or more < -1)):
        return []
    if True not in behind:
        return [*zip(target.elts, given.elts, strict=True)]
    at = behind.index(True)
    middle: ast.expr = ast.copy_location(ast.List(given.elts[at : at + more + 1], ast.Load()), given)
    named = [one.value if isinstance(one, ast.Starred) else one for one in target.elts]
    return [*zip(named, [*given.elts[:at], middle, *given.elts[at + more + 1 :]], strict=True)]


def words(tree: ast.expr) -> set[str]:
    """The names in an expression: ``x``, and ``self`` and ``self.x``."""
    return {dotted(part) or "" for part in ast.walk(tree) if isinstance(part, ast.Name | ast.Attribute)}


def inside(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes of the statements."""
    for statement in body:
        yield from ast.walk(statement)
