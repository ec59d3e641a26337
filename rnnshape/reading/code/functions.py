"""Finds the arguments of functions that the code defines, and the functions that others return."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from rnnshape.reading.code.statements import inside

if TYPE_CHECKING:
    from rnnshape.reading.code.known import Held

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Closure(NamedTuple):
    """A function that another one returns, with the values of the names that it reads."""

    function: Function
    held: Held
    env: dict[str, Any]


def as_function(name: str, tree: ast.Lambda) -> ast.FunctionDef:
    """A lambda as a function with one ``return``."""
    returned = ast.copy_location(ast.Return(tree.body), tree.body)
    return ast.copy_location(ast.FunctionDef(name, tree.args, [returned], []), tree)


def own_names(function: Function) -> list[str]:
    """The names of the positional arguments, without ``self`` and ``cls``."""
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def returns_a_function(function: Function) -> bool:
    """Whether a function returns one that it defines."""
    parts = [*inside(function.body)]
    own = {part.name for part in parts if isinstance(part, Function)}
    returned = [part.value for part in parts if isinstance(part, ast.Return)]
    return any(isinstance(one, ast.Lambda) or (isinstance(one, ast.Name) and one.id in own) for one in returned)


def defaults(function: Function) -> dict[str, ast.expr]:
    """The default values by the names of the arguments."""
    takes = function.args
    places = [arg.arg for arg in (*takes.posonlyargs, *takes.args)]
    found = dict(zip(places[len(places) - len(takes.defaults) :], takes.defaults, strict=True))
    named = zip(takes.kwonlyargs, takes.kw_defaults, strict=True)
    return found | {arg.arg: default for arg, default in named if default is not None}


def passed(
    function: Function, args: list[ast.expr], keywords: list[ast.keyword], call: ast.Call
) -> dict[str, ast.expr]:
    """The arguments of a call by name, with those that the function collects in ``*args`` and ``**kwargs``."""
    places, takes = own_names(function), function.args
    named = {keyword.arg: keyword.value for keyword in keywords if keyword.arg is not None}
    known = {*places, *(arg.arg for arg in takes.kwonlyargs)}
    others = {name: value for name, value in named.items() if name not in known}
    if takes.vararg is not None and (more := args[len(places) :]):
        named[takes.vararg.arg] = ast.copy_location(ast.Tuple(more, ast.Load()), more[0])
    if takes.kwarg is not None and all(keyword.arg is not None for keyword in keywords):
        keys: list[ast.expr | None] = [ast.Constant(name) for name in others]
        named[takes.kwarg.arg] = ast.copy_location(ast.Dict(keys, [*others.values()]), call)
    return {**defaults(function), **dict(zip(places, args, strict=False)), **named}
