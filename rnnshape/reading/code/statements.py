"""Statements as plainer ones that mean the same, and small questions about them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def walruses(statement: ast.stmt) -> list[tuple[ast.expr, ast.expr]]:
    """What ``:=`` binds in a statement itself, and not in those within it."""
    own = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr)]
    parts = (part for child in own for part in ast.walk(child))
    return [(part.target, part.value) for part in parts if isinstance(part, ast.NamedExpr)]


def as_conditions(subject: ast.expr, cases: list[ast.match_case]) -> list[ast.stmt]:
    """``match`` as the conditions that mean the same, as far as its patterns are values."""
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
    """Into how many names a left side unpacks; None where it does not say."""
    if isinstance(target, ast.Tuple | ast.List) and not any(isinstance(one, ast.Starred) for one in target.elts):
        return len(target.elts)
    return None


def words(tree: ast.expr) -> set[str]:
    """The names in an expression."""
    return {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)}


def inside(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The statements and all that is in them."""
    for statement in body:
        yield from ast.walk(statement)
