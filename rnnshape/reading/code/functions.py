"""Finds the arguments of functions that the code defines, and the functions that others return."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from rnnshape.reading.code.statements import inside
from rnnshape.reading.code.syntax import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rnnshape.reading.code.known import Held

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Closure(NamedTuple):
    """A function that another one returns, with the values of the names that it reads."""

    function: Function
    held: Held
    env: dict[str, Any]


def objects_in(parts: Sequence[ast.AST]) -> dict[str, ast.Call]:
    """The first call of an object of each class: ``encoder = Encoder(8)``, ``encoder(x)`` or ``encoder.build(shape)``.

    Only names that have one value, assigned or passed to a function, are followed.  Of several calls, which may differ
    in the other arguments, only the first argument counts.  The shape of ``build`` is that of an input which the object
    is called on.
    """
    assigned: dict[str, list[ast.expr]] = {}
    handed: dict[str, list[ast.expr]] = {}
    functions = {part.name: part for part in parts if isinstance(part, Function)}
    for part in parts:
        match part:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assigned.setdefault(name, []).append(value)
            case ast.Call(func=ast.Name(id=name)) if name in functions:
                for argument, value in passed(functions[name], part.args, part.keywords, part).items():
                    handed.setdefault(argument, []).append(value)
    once = {name: values[0] for name, values in (handed | assigned).items() if len(values) == 1}
    calls: dict[str, list[ast.Call]] = {}
    for part in parts:
        match part:
            case ast.Call(func=ast.Name(id=name)) if own := _class_of(once.get(name)):
                given = [once.get(one.id, one) if isinstance(one, ast.Name) else one for one in part.args]
                calls.setdefault(own, []).append(ast.copy_location(ast.Call(part.func, given, part.keywords), part))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="build")) if own := _class_of(
                once.get(name)
            ):
                match [*part.args, *(keyword.value for keyword in part.keywords)]:
                    case [ast.Tuple() | ast.List() as shape] if not any(map(_is_nested, shape.elts)):
                        fed = ast.Call(ast.Name("Input", ast.Load()), [], [ast.keyword("batch_shape", shape)])
                        called = ast.copy_location(ast.Call(part.func, [fed], []), part)
                        calls.setdefault(own, []).append(ast.fix_missing_locations(called))
    return {
        own: of[0] if len(of) == 1 else ast.copy_location(ast.Call(of[0].func, of[0].args[:1], []), of[0])
        for own, of in calls.items()
    }


def calls_of_classes(parts: Sequence[ast.AST]) -> dict[tuple[str, str], list[ast.Call]]:
    """The calls of the methods of each class of the text, by class and method.

    ``Builder(8)`` calls ``("Builder", "__init__")``; ``Builder.make(8)``, ``Builder().make(8)`` and, after
    ``builder = Builder()``, ``builder.make(8)`` call ``("Builder", "make")``.
    """
    own = {part.name: part.name for part in parts if isinstance(part, ast.ClassDef)}
    for part in parts:
        match part:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if (of := _class_of(value)) in own:
                own[name] = of
    found: dict[tuple[str, str], list[ast.Call]] = {}
    for part in parts:
        match part:
            case ast.Call(func=ast.Name(id=name)) if own.get(name) == name:
                found.setdefault((name, "__init__"), []).append(part)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name in own:
                found.setdefault((own[name], method), []).append(part)
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if (of := _class_of(value)) in own:
                found.setdefault((of, method), []).append(part)
    return found


def other_than_first(calls: Sequence[ast.Call]) -> ast.Call | None:
    """The first call that is written with other arguments than the first one; None if all are alike."""
    said = [[*map(ast.dump, (*one.args, *one.keywords))] for one in calls]
    return next((one for one, given in zip(calls, said, strict=True) if given != said[0]), None)


def handed_on(parts: Sequence[ast.AST]) -> set[str]:
    """The functions that the text uses without a call by name, ``MODELS = {"small": build}``, and its base classes."""
    functions = {part.name: part for part in parts if isinstance(part, Function)}
    called = {id(part.func) for part in parts if isinstance(part, ast.Call)}
    loaded = {part.id for part in parts if isinstance(part, ast.Name) and id(part) not in called}
    own = {name for name, part in functions.items() if any(_root(one) in functions for one in part.decorator_list)}
    bases = {_root(base) or "" for part in parts if isinstance(part, ast.ClassDef) for base in part.bases}
    return (loaded & set(functions)) | own | bases


def _root(tree: ast.expr) -> str | None:
    return dotted(tree.func if isinstance(tree, ast.Call) else tree)


def _class_of(tree: ast.expr | None) -> str:
    """The name that is called to make an object, such as the name of a class; empty for any other value."""
    return tree.func.id if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) else ""


def _is_nested(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Tuple | ast.List)


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


def assigned_twice(methods: Iterable[Function]) -> set[str]:
    """The attributes that methods assign in more than one place."""
    stored = stored_in(methods)
    return {name for name in stored if stored.count(name) > 1}


def stored_in(methods: Iterable[Function]) -> list[str]:
    """The attributes that methods assign."""
    parts = [part for method in methods for part in ast.walk(method) if isinstance(part, ast.Attribute)]
    return [dotted(part) or "" for part in parts if isinstance(part.ctx, ast.Store)]


def of_self(held: dict[str, Any]) -> dict[str, Any]:
    """The attributes of ``self`` and their values."""
    return {name: value for name, value in held.items() if name.startswith("self.")}
