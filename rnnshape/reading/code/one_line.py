"""Reads one line of code: a layer, or nested calls of layers, with the names on the left."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnshape.reading.code.calling import Called, Reader
from rnnshape.reading.code.chain import Step, beside, in_turn, is_called, stacked
from rnnshape.reading.code.constructors import Constructors
from rnnshape.reading.code.declared import Declared, agreed, warnings_of, where_open
from rnnshape.reading.code.parsed import Parsed
from rnnshape.reading.code.tensors import Tensors

if TYPE_CHECKING:
    from rnnshape.layers import Node
    from rnnshape.reading.code.naming import Names


class OneLine:
    """Reads the expression of one line."""

    def __init__(self, names: Names) -> None:
        self.source = names.source
        self.names = names
        self.tensors = Tensors(names)
        self.layers = Constructors(self.tensors)
        self.calls = Reader(self.tensors)

    def read(self, left: list[ast.expr], value: ast.expr) -> Parsed | None:
        """Read a layer, with its call and the names on the left if there are any."""
        targets = self._unpacked(left)
        if not is_called(value):
            node = self.layers.layer(value)
            return None if node is None else self._parsed(node, [value], None, Called())
        steps, tensor = self._called(value)
        said = None if tensor is None else Declared(self.tensors.fed(tensor), tensor)
        if self.source.problems:
            return None
        called = beside(steps, self.source)
        return self._parsed(stacked(steps), [step.tree for step in steps], said, called, targets)

    def _unpacked(self, left: list[ast.expr]) -> int | None:
        """The number of names on the left; the left sides of ``y = a, b = …`` must agree."""
        known = None
        for side in left:
            if not isinstance(side, ast.Tuple | ast.List) or any(isinstance(name, ast.Starred) for name in side.elts):
                continue  # one name, or a * that takes any number
            if known not in (None, len(side.elts)):
                self.source.wrong(f"{known} names are on the left before, and {len(side.elts)} here", side)
            known = len(side.elts)
        return known

    def _called(self, tree: ast.expr) -> tuple[list[Step], ast.expr | None]:
        """The nested calls of layers, innermost first, and the input of the innermost."""
        steps: list[Step] = []
        left: ast.expr | None = tree
        while left is not None and is_called(left):
            node = self.layers.layer(left.func)
            if node is None:  # its errors are reported; the layers inside are read for theirs
                left = left.args[0] if left.args and is_called(left.args[0]) else None
                continue
            tensor, called = self.calls.read(node, left)
            steps.insert(0, Step(node, left.func, called))
            left = tensor
        return steps, left

    def _parsed(
        self, node: Node, trees: list[ast.expr], said: Declared | None, called: Called, targets: int | None = None
    ) -> Parsed:
        # The layers after an unknown class are not part of the stack.
        places = tuple(self.source.place(part) for tree in trees for part in in_turn(tree))[: len(node.in_turn)]
        fed, own = [said] if said is not None else [], self.layers.declared.of(trees[0])
        known = (*fed, *(own if node.cls.kind == "stack" and len(trees) == 1 else where_open(own, fed)))
        replaced = dict.fromkeys((*self.names.notes, *self.layers.notes))
        return Parsed(
            node,
            self.source.text,
            targets,
            called,
            places,
            agreed(known, self.source),
            (*replaced, *warnings_of(self.layers.declared.warned, known)),
            self.names.standing_in(node),
            self.names.left_open(),
            self.names.there,
        )
