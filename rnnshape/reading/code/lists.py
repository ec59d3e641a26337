"""Finds the items of lists: literals, comprehensions, sums, and what a loop runs over; nothing is evaluated."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rnnshape.layers import Node
    from rnnshape.reading.code.naming import Names

_LONGEST = 64
# The parts of a (key, value) pair in each view of a dictionary.
_VIEWS = {"keys": (0,), "values": (1,), "items": (0, 1)}


class Lists:
    """Reads the lists of one source."""

    def __init__(self, names: Names) -> None:
        self.names = names
        # The number of layers or tensors in a named list; None for anything else.
        self.held: Callable[[ast.expr], int | None] = lambda tree: None
        # Whether an expression makes a layer.
        self.makes: Callable[[ast.expr], bool] = lambda tree: False

    def listed(self, tree: ast.expr) -> list[ast.expr] | None:
        """The items of a list, in any form; None for anything else."""
        tree = self.names.resolved(tree)
        if isinstance(tree, ast.List | ast.Tuple):
            return self.spread(tree.elts)
        if isinstance(tree, ast.ListComp | ast.GeneratorExp):
            return self.unrolled(tree)
        if isinstance(tree, ast.IfExp):
            return self._either(tree)
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
            left, right = self.listed(tree.left), self.listed(tree.right)
            return None if left is None or right is None else left + right
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult):
            left, times = self.listed(tree.left), self.names.known(tree.right)
            if left is not None and type(times) is int and 0 <= times * len(left) <= _LONGEST:
                return left * times
        return None

    def spread(self, trees: list[ast.expr]) -> list[ast.expr]:
        """The items, those of a list after ``*`` one by one."""
        items: list[ast.expr] = []
        for item in trees:
            inner = self.items(item.value) if isinstance(item, ast.Starred) else None
            items += [item] if inner is None else inner
        return items

    def keywords(self, call: ast.Call) -> Iterator[ast.keyword]:
        """The keywords of a call, with those of a known dictionary after ``**``."""
        for keyword in call.keywords:
            tree = self.names.resolved(keyword.value) if keyword.arg is None else None
            known = MISSING if tree is None else self.names.known(tree)
            if isinstance(known, dict):
                for key, value in known.items():
                    yield ast.copy_location(ast.keyword(str(key), constant(value, keyword.value)), keyword)
                continue
            keys = [self.names.known(key) if key else None for key in getattr(tree, "keys", ())]
            if not isinstance(tree, ast.Dict) or not all(isinstance(key, str) for key in keys):
                yield keyword
                continue
            for key, each in zip(keys, tree.values, strict=True):
                yield ast.copy_location(ast.keyword(key, each), keyword)

    def _either(self, tree: ast.IfExp) -> list[ast.expr] | None:
        """One of two lists; an unknown condition becomes an open choice."""
        sides = self.listed(tree.body), self.listed(tree.orelse)
        if None in sides:
            return None
        known = self.names.known(tree.test)
        holds = self.names.condition(tree.test) if known is MISSING else known
        return sides[0] if holds else sides[1]

    def items(self, tree: ast.expr) -> list[ast.expr] | None:
        """The items of a loop: of a list, a ``range``, or ``enumerate`` and ``zip`` of these; None if unknown."""
        if (found := self.listed(tree)) is not None:
            return found
        known = self.names.known(tree)
        if isinstance(known, tuple | list):
            return [constant(item, tree) for item in known]
        if (count := self.held(tree)) is not None and count <= _LONGEST:
            return [
                ast.copy_location(ast.Subscript(tree, constant(index, tree), ast.Load()), tree)
                for index in range(count)
            ]
        return self._made(tree) if isinstance(tree, ast.Call) else None

    def _made(self, tree: ast.Call) -> list[ast.expr] | None:
        """The items of a call of ``range``, ``enumerate``, ``zip`` and similar functions."""
        name = called(tree)
        if name == "range":
            return self._range(tree)
        if name in _VIEWS and isinstance(tree.func, ast.Attribute) and not tree.args:
            return self._view(tree.func.value, _VIEWS[name])
        inner = [items for argument in tree.args if (items := self.items(argument)) is not None]
        if name == "enumerate" and inner and (first := self._first(tree)) is not None:
            return _paired(tree, [[constant(index, tree), item] for index, item in enumerate(inner[0], first)])
        if not inner or len(inner) < len(tree.args):
            return None
        if name == "zip":
            return _paired(tree, [list(items) for items in zip(*inner, strict=False)])
        if name in ("list", "tuple", "reversed") and len(inner) == 1:
            return inner[0][::-1] if name == "reversed" else inner[0]
        return None

    def _first(self, tree: ast.Call) -> int | None:
        """The start value of ``enumerate``."""
        named = [keyword.value for keyword in tree.keywords if keyword.arg == "start"]
        known = self.names.known([*tree.args[1:], *named, ast.Constant(0)][0])
        return known if type(known) is int else None

    def _view(self, tree: ast.expr, what: tuple[int, ...]) -> list[ast.expr] | None:
        """The keys, values or both of a dictionary."""
        whole = self.names.known(tree)
        written = self.names.resolved(tree)
        if isinstance(whole, dict):
            pairs = [(constant(key, tree), constant(value, tree)) for key, value in whole.items()]
        elif isinstance(written, ast.Dict) and None not in written.keys:
            pairs = [(key, value) for key, value in zip(written.keys, written.values, strict=True) if key is not None]
        else:
            return None
        if len(what) == 1:
            return [pair[what[0]] for pair in pairs]
        return _paired(tree, [[*pair] for pair in pairs])

    def _range(self, tree: ast.Call) -> list[ast.expr] | None:
        numbers = [self.names.known(argument) for argument in tree.args]
        if not 1 <= len(numbers) <= 3 or any(type(number) is not int for number in numbers) or numbers[2:] == [0]:
            return None
        return [constant(number, tree) for number in range(*numbers)[: _LONGEST + 1]]

    def read_once(self, items: ast.expr) -> str:
        """The note about a loop whose length is not known."""
        said = self.names.source.said(items)
        return f"the loop over {said} is read once: its number of steps is unknown or too large"

    def unrolled(self, tree: ast.ListComp | ast.GeneratorExp) -> list[ast.expr] | None:
        """The items of a comprehension over one known sequence; of layers over an unknown one a single item."""
        if len(tree.generators) != 1 or tree.generators[0].ifs:
            return None
        loop = tree.generators[0]
        items = self.items(loop.iter)
        if items is None or len(items) > _LONGEST:
            if not self.makes(tree.elt):
                return None
            self.names.notes.append(self.read_once(loop.iter))
            first = ast.copy_location(ast.Subscript(loop.iter, ast.Constant(0), ast.Load()), loop.iter)
            numbers = called(loop.iter) == "range" and ast.copy_location(ast.Constant(0), first)
            items = [items[0] if items else numbers or first]
        return [_with(tree.elt, loop.target, item) for item in items]


def _paired(tree: ast.expr, pairs: list[list[ast.expr]]) -> list[ast.expr]:
    return [ast.copy_location(ast.Tuple(pair, ast.Load()), tree) for pair in pairs]


def constant(value: Any, tree: ast.expr) -> ast.expr:
    """A value as the tree of a literal, at the place of another tree."""
    made: ast.expr = ast.Constant(value)
    if isinstance(value, tuple | list):
        made = ast.Tuple([constant(item, tree) for item in value], ast.Load())
    elif isinstance(value, dict):
        keys: list[ast.expr | None] = [constant(key, tree) for key in value]
        made = ast.Dict(keys, [constant(item, tree) for item in value.values()])
    return ast.copy_location(made, tree)


class _Put(ast.NodeTransformer):
    """Replaces names by expressions."""

    def __init__(self, trees: dict[str, ast.expr]) -> None:
        self.trees = trees

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.trees[node.id]) if node.id in self.trees else node


def _with(tree: ast.expr, target: ast.expr, item: ast.expr) -> ast.expr:
    """The expression with the loop's names replaced by an item, or by its parts."""
    put: ast.expr = _Put(dict(_names(target, item))).visit(copy.deepcopy(tree))
    return put


def _names(target: ast.expr, item: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """The names in a loop's target, ``i, (a, b)``, each with its part of the item."""
    if isinstance(target, ast.Name):
        yield target.id, item
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(item, ast.Tuple | ast.List):
        for one, part in zip(target.elts, item.elts, strict=False):
            yield from _names(one, part)


def shared(nodes: Sequence[Node | None], trees: Sequence[ast.expr]) -> list[str]:
    """A note about a cell or layer that stands at several places of a list, as in ``[LSTMCell(8)] * 2``."""
    objects = [tree if isinstance(tree, ast.Call) else node for node, tree in zip(nodes, trees, strict=True)]
    for place, node in enumerate(nodes):
        loops = node is not None and any(part.cls.kind in ("recurrent", "cell") for part in node.walk())
        if node is not None and loops and any(one is objects[place] for one in objects[:place]):
            what = f"{node.text} is one object at several places of the list"
            once = "Keras makes its weights once, and fails if the places have inputs of different widths"
            return [f"{what}: {once}; here each place has its own"]
    return []
