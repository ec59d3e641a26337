"""Paste what you wrote: Keras layers, called or not, read and never evaluated.

>>> parse("tf.keras.layers.Bidirectional(LSTM(64, return_sequences=True), merge_mode='sum')").node.text
"Bidirectional(LSTM(64, return_sequences=True), merge_mode='sum')"
>>> parse("a, b = LSTM(8, return_state=True)(x)").targets
2
>>> parsed = parse("Dense(1)(LSTM(8)(keras.Input((10, 4))))")
>>> parsed.node.text, parsed.fed.sizes
('LSTM(8) | Dense(1)', (None, 10, 4))

The text becomes a syntax tree by way of ``ast`` and the tree is walked: constructor calls of classes
in the table, calls of what they make, and literals.  Whatever else stands there is an error with its place.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from rnnshape.errors import Invalid, Problem
from rnnshape.reading.calling import Called, Reader
from rnnshape.reading.chain import Step, beside, in_turn, is_called, stacked
from rnnshape.reading.constructors import Constructors
from rnnshape.reading.declared import Declared, Fed, agreed, warnings_of
from rnnshape.reading.syntax import Source
from rnnshape.reading.tensors import Tensors

if TYPE_CHECKING:
    from rnnshape.layers import Node
    from rnnshape.reading.syntax import Span

_BRACKET = re.compile(r"[()\[\]{}]")
LONGEST = 5_000
DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a line asks for: its layer, into how many names it unpacks (None: it does not say), and its calls.

    ``places`` is where each layer of a stack stands, in the order in which they are called; ``fed`` what the line says
    of the input's shape, and ``notes`` what is to be said of how it says so.
    """

    node: Node
    text: str
    targets: int | None = None
    called: Called = field(default_factory=Called)
    places: tuple[Span, ...] = ()
    fed: Fed | None = None
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def parse(text: str) -> Parsed:
    """Read an expression: ``LSTM(8)``, ``LSTM(8, return_sequences=True) | GRU(4)``, ``y, h = GRU(4)(x)``.

    Many runs often ask for one layer: its text is read once.

    Raises:
        Invalid: with every problem at once, each with its span in the stripped text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > LONGEST:
        raise Invalid([Problem("", f"an expression has at most {LONGEST:,} characters, this one {len(text):,}")])
    if (deep := _too_deep(text)) is not None:
        raise Invalid([Problem("", f"brackets nest at most {DEEPEST} deep", (deep, deep + 1))], text)
    source = Source(text)
    parsed = _Line(source).read()
    if parsed is None or source.problems:
        raise Invalid(source.problems, text)
    return parsed


def _too_deep(text: str) -> int | None:
    """Where brackets nest too deep; told before anything recursive sees the text."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket[0] in "([{" else -1
        if depth > DEEPEST:
            return bracket.start()
    return None


class _Line:
    """One pass over one text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tensors = Tensors(source)
        self.layers = Constructors(source, self.tensors)
        self.calls = Reader(source, self.tensors)

    def read(self) -> Parsed | None:
        """The whole text: a layer, perhaps called on an input, perhaps unpacked into names."""
        match self.source.statement():
            case ast.Expr(value=value):
                targets = None
            case ast.Assign(targets=left, value=value):
                targets = self._unpacked(left)
            case _:
                return None
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
        """Into how many names the left side unpacks; ``y = a, b = …`` has two left sides, and must agree."""
        known = None
        for side in left:
            if not isinstance(side, ast.Tuple | ast.List) or any(isinstance(name, ast.Starred) for name in side.elts):
                continue  # one name, or a * that takes any number
            if known not in (None, len(side.elts)):
                self.source.wrong(f"{known} names stand on the left before, and {len(side.elts)} here", side)
            known = len(side.elts)
        return known

    def _called(self, tree: ast.expr) -> tuple[list[Step], ast.expr | None]:
        """The layers that are called on one another, innermost first, and what the innermost is called on."""
        steps: list[Step] = []
        left: ast.expr | None = tree
        while left is not None and is_called(left):
            node = self.layers.layer(left.func)
            if node is None:  # its mistakes are told, and those of the layers inside with them
                left = left.args[0] if left.args and is_called(left.args[0]) else None
                continue
            tensor, called = self.calls.read(node, left)
            steps.insert(0, Step(node, left.func, called))
            left = tensor
        return steps, left

    def _parsed(
        self, node: Node, trees: list[ast.expr], said: Declared | None, called: Called, targets: int | None = None
    ) -> Parsed:
        places = tuple(self.source.place(part) for tree in trees for part in in_turn(tree))
        known = (*(() if said is None else (said,)), *self.layers.says.get(trees[0], ()))
        notes = warnings_of(self.layers.warned, known)
        return Parsed(node, self.source.text, targets, called, places, agreed(known, self.source), notes)
