"""The contract of a run (``expect:``): the expected results, in roles, letters and numbers.

>>> from rnnshape.reading import make
>>> spec = make("lstm", {"units": 8, "expect": {"output": ("N", "H"), "params": 416}})
>>> spec.expect.shapes, spec.expect.params
((('output', ('N', 'H')),), 416)

This module reads the contract and checks its names: a letter that the layer does not have, or a name that is not a
role, is a mistake in the contract.  A role that the layer does not return is not a mistake; the contract is not met.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rnnshape.errors import Problem, nearest
from rnnshape.formula import FormulaError, names_in
from rnnshape.layers.base import flat
from rnnshape.layers.dims import letters_in, sized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rnnshape.layers.base import Answer, Dims, Leaf
    from rnnshape.layers.node import Node

KEY = "expect"
ROLE = re.compile(r"(forward_|backward_)?(output|(cell[0-9]+_)*state(_h|_c)?)")
ANY = "_"
_ELIGIBLE = {"eligible": True, "ineligible": False}
_KEYS = ("structure", "params", "checks", "cudnn", "error")
_ROLES = ("output", "state", "state_h", "state_c", "forward_output", "forward_state_h", "backward_state_h")
_MOST_SIZES = 10
_ROLES_SAID = "roles (output, state_h, forward_state …)"


class Expectations(Struct, frozen=True):
    """The expected results.

    ``shapes`` has a shape for each role, of whole numbers, letters (``"2H"``) and ``"_"`` for any size.  ``structure``
    is Python over the roles, as in ``(output, [state_h, state_c])``.  ``checks`` are equalities or inequalities.
    ``cudnn`` is whether cuDNN must be eligible.  ``error`` is the kind of the expected error, or a part of its message.
    """

    shapes: tuple[tuple[str, tuple[int | str, ...]], ...] = ()
    structure: str | None = None
    params: int | None = None
    checks: tuple[str, ...] = ()
    cudnn: bool | None = None
    error: str | None = None

    def to_data(self) -> dict[str, Any]:
        """The plain data that reads back to the same expectations."""
        said: dict[str, Any] = {role: list(sizes) for role, sizes in self.shapes}
        cudnn = None if self.cudnn is None else next(word for word, value in _ELIGIBLE.items() if value is self.cudnn)
        rest = {key: getattr(self, key) for key in _KEYS} | {"checks": list(self.checks) or None, "cudnn": cudnn}
        return said | {key: value for key, value in rest.items() if value is not None}


def read(data: Any, problems: list[Problem]) -> Expectations | None:
    """The expectations of plain data; problems of its form are added to ``problems``."""
    if data is None:
        return None
    if not isinstance(data, dict) or not data:
        problems.append(Problem(KEY, "must be a mapping, such as {output: [N, T, H], params: 24}"))
        return None
    found = [problem for key, value in data.items() for problem in _refuse(key, value)]
    if found or not all(isinstance(key, str) and key.isidentifier() for key in data):
        # An unknown key may be a name of wired calls; together with other mistakes, it is reported too.
        found = [problem for key, value in data.items() for problem in (_no_key(key) or _refuse(key, value))]
    if "error" in data and len(data) > 1:
        found.append(Problem(f"{KEY}.error", "must be alone: a rejected layer returns nothing"))
    problems += found
    if found:
        return None
    return Expectations(
        shapes=tuple((key, tuple(sizes)) for key, sizes in data.items() if key not in _KEYS),
        structure=data.get("structure"),
        params=data.get("params"),
        checks=tuple(_listed(data.get("checks", ()))),
        cudnn=_ELIGIBLE.get(data.get("cudnn", "")),
        error=data.get("error"),
    )


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _no_key(key: Any) -> list[Problem]:
    known = isinstance(key, str) and (key in _KEYS or ROLE.fullmatch(key))
    return [] if known else [Problem(f"{KEY}.{key}", _unknown_key(key, set()))]


def _refuse(key: str, value: Any) -> Iterator[Problem]:
    """The problems of one entry, without a layer."""

    def wrong(message: str, *inner: int) -> Problem:
        return Problem(".".join([KEY, key, *map(str, inner)]), message)

    match key:
        case "params":
            good, allowed = isinstance(value, int) and not isinstance(value, bool) and value >= 0, "a whole number"
        case "cudnn":
            good, allowed = isinstance(value, str) and value in _ELIGIBLE, "eligible or ineligible"
        case "error":
            good = isinstance(value, str) and bool(value.strip())
            allowed = "the kind of the error (invalid, keras, device …) or a part of its message"
        case "structure":
            if problem := _no_structure(value):
                yield wrong(problem)
            return
        case "checks":
            yield from _no_checks(value, wrong)
            return
        case _:
            yield from _no_shape(value, wrong)
            return
    if not good:
        yield wrong(f"must be {allowed}")


def _no_shape(value: Any, wrong: Callable[..., Problem]) -> Iterator[Problem]:
    sizes = "whole numbers, letters such as N or 2H, _ for any"
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= _MOST_SIZES:
        yield wrong(f"must be a list of sizes: {sizes}")
        return
    for index, size in enumerate(value):
        if not _is_size(size):
            yield wrong(f"must contain only sizes: {sizes}", index)


def _is_size(value: Any) -> bool:
    if isinstance(value, str):
        try:
            return value == ANY or sized(value, dict.fromkeys(letters_in(value), 1)) is not None
        except ValueError:
            return False
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _no_structure(value: Any) -> str | None:
    allowed = "must be the returned structure in roles, such as (output, [state_h, state_c])"
    if not isinstance(value, str):
        return allowed
    try:
        tree = ast.parse(value.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return allowed
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    known = (ast.Expression, ast.Tuple, ast.List, ast.Name, ast.Load)
    if not names or not all(isinstance(node, known) for node in ast.walk(tree)):
        return allowed
    return None


def _unknown_key(key: Any, names: set[str]) -> str:
    words = ", ".join((_said(names), *_KEYS))
    return f"is not known here{nearest(str(key), (*_KEYS, *(names or _ROLES)))}; known are {words}"


def _said(names: set[str]) -> str:
    """The names that a contract may use: those of wired calls, or the roles of a layer."""
    return f"names ({', '.join(sorted(names))})" if names else _ROLES_SAID


def _no_checks(value: Any, wrong: Callable[..., Problem]) -> Iterator[Problem]:
    checks = _listed(value)
    if not isinstance(checks, list | tuple) or not checks:
        yield wrong("must be a list of checks, such as output[:, -1, :] == state_h")
        return
    for index, check in enumerate(checks):
        inner = () if checks is not value else (index,)
        if not isinstance(check, str):
            yield wrong("must be the text of a check, such as output[:, -1, :] == state_h", *inner)
            continue
        try:
            names_in(check)
        except FormulaError as error:
            yield wrong(f"cannot be read: {error}", *inner)


def names_of_calls(node: Node, answer: Answer) -> set[str]:
    """The names of the results of wired calls; empty for any other layer."""
    return {leaf.role for leaf in _all(answer)} if node.cls.kind == "graph" else set()


def _all(answer: Answer) -> Iterator[Leaf]:
    """The returned tensors, and those of the layers inside."""
    yield from flat(answer.returned)
    for _, returned in answer.flow:
        yield from flat(returned)


def known_letters(answer: Answer, dims: Dims) -> dict[str, int]:
    """The size of each letter in the input, the weights, the states and the returned tensors."""
    weights = (dim for weight in answer.weights for dim in weight.dims)
    leaves = (dim for leaf in (*flat(answer.states), *_all(answer)) for dim in leaf.dims)
    every = (*dims, *weights, *leaves)
    return {dim.letter: dim.size for dim in every if letters_in(dim.letter) == [dim.letter]}


def unknown(expect: Expectations, letters: Mapping[str, int], calls: set[str], names: set[str]) -> Iterator[Problem]:
    """The problems of unknown letters and names.

    ``calls`` are the names that the run adds, such as ``layer(x)``; ``names`` are those of wired calls.
    """
    there = f"its letters are {', '.join(letters)}"
    for name in _names_in(expect.structure):
        if not (ROLE.fullmatch(name) or name in names):
            what = f"uses {name!r}, which is not a role{nearest(name, names or _ROLES)}; known are {_said(names)}"
            yield Problem(f"{KEY}.structure", what)
    for role, sizes in expect.shapes:
        if not (ROLE.fullmatch(role) or role in names):
            yield Problem(f"{KEY}.{role}", _unknown_key(role, names))
        for index, size in enumerate(sizes):
            for letter in letters_in(size) if isinstance(size, str) and size != ANY else ():
                if letter not in letters:
                    yield Problem(f"{KEY}.{role}.{index}", f"has no letter {letter}; {there}")
    yield from _unknown_in_checks(expect, letters, calls, names)


def _unknown_in_checks(
    expect: Expectations, letters: Mapping[str, int], calls: set[str], names: set[str]
) -> Iterator[Problem]:
    for index, check in enumerate(expect.checks):
        for name in sorted(names_in(check) - letters.keys() - calls - names):
            if not ROLE.fullmatch(name):
                known = f"{_said(names)}, letters ({', '.join(letters)}) and {', '.join(sorted(calls))}"
                near = nearest(name, names or _ROLES)
                yield Problem(f"{KEY}.checks.{index}", f"uses {name!r}{near}; known are {known}")


def _names_in(structure: str | None) -> Iterator[str]:
    """The names in a structure, in order."""
    tree = ast.parse((structure or "()").strip(), mode="eval")
    yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
