"""What a pasted line says of its input, from every place: the call's tensor, Input, ``input_shape``, ``input_dim``.

Where several places say it, they must agree; what one leaves open, another may say.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnshape.layers.arguments import Nested
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code.syntax import called, is_none
from rnnshape.reading.code.tensors import INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rnnshape.layers.node import LayerClass, Node
    from rnnshape.reading.code.lists import Lists
    from rnnshape.reading.code.syntax import Source, Span
    from rnnshape.reading.code.tensors import Sizes, Tensors

# What gives the whole shape, or all that Keras builds on.
WHOLE = ("input_shape", "input_dim", "batch_input_shape", "batch_shape")
DECLARING = (*WHOLE, "batch_size", "input_length")
# What Keras 3 no longer takes; it is read, for it says what the code is about.
REMOVED = ("batch_input_shape", "batch_shape", "batch_size", "input_length")
# Their layer or cell gets one step of their input.
_BY_STEP = ("RNN", "TimeDistributed")


@dataclass(frozen=True, slots=True)
class Declared:
    """What one place says: sizes, batch first (None where they are not in the line), and where it stands.

    ``built`` is ``layer.build(shape)``: it makes the weights, and a call may have another shape.
    """

    sizes: Sizes | None
    tree: ast.expr | ast.keyword
    built: bool = False

    @property
    def name(self) -> str | None:
        """The constructor's argument that says it, if one does."""
        return self.tree.arg if isinstance(self.tree, ast.keyword) else None


@dataclass(frozen=True, slots=True)
class Fed:
    """The input as the line has it: its sizes, batch first (None is open), where it stands, and what stands there."""

    sizes: Sizes
    span: Span
    text: str

    def otherwise(self, shape: tuple[int, ...]) -> bool:
        """Whether a shape is another than this one, as far as this one is known."""
        return len(self.sizes) != len(shape) or any(
            said is not None and int(said) != size for said, size in zip(self.sizes, shape, strict=True)
        )


def by_step(place: Declared) -> Declared:
    """What a cell, or the layer in a TimeDistributed, says of the whole input: it gets one step of it."""
    return Declared(place.sizes and (place.sizes[0], None, *place.sizes[1:]), place.tree)


def text(sizes: Sizes | None) -> str:
    """The sizes as they are told: ``(N, 10, 8)`` for ``(None, 10, 8)``."""
    behind = ["None" if size is None else str(size) for size in (sizes or ())[1:]]
    return f"({', '.join([str((sizes or (None,))[0] or 'N'), *behind])})"


def agreed(places: Sequence[Declared], source: Source) -> Fed | None:
    """The input that all places say together; where two contradict one another, both are told."""
    known = [place for place in places if place.sizes is not None]
    known = [place for place in known if not place.built] or known
    if not known:
        return None
    first = known[0]
    sizes = first.sizes
    for other in known[1:]:
        assert sizes is not None
        assert other.sizes is not None
        if len(sizes) != len(other.sizes) or any(a and b and a != b for a, b in zip(sizes, other.sizes, strict=True)):
            for place in (first, other):
                source.wrong(f"the input is {text(place.sizes)} here, but different elsewhere: keep one", place.tree)
            return None
        sizes = tuple(a or b for a, b in zip(sizes, other.sizes, strict=True))
    assert sizes is not None
    return Fed(sizes, source.place(first.tree), source.said(first.tree))


def warnings_of(warned: Sequence[ast.keyword], used: Sequence[Declared]) -> tuple[str, ...]:
    """What Keras 3 says of ``input_shape`` and ``input_dim``, and what it does with them behind the first layer."""
    notes = []
    if asked() < KERAS_3:
        return ()
    arguments = list(dict.fromkeys(str(keyword.arg) for keyword in warned))
    if names := " and ".join(name for name in arguments if name not in REMOVED):
        notes.append(f"Keras 3 warns of {names} and recommends keras.Input in front of the first layer")
    if names := " and ".join(name for name in arguments if name in REMOVED):
        notes.append(f"Keras 3 rejects {names}: it is read here as the input; write keras.Input(batch_shape=…) instead")
    counted = [place.tree for place in used]
    if ignored := [str(keyword.arg) for keyword in warned if keyword not in counted]:
        notes.append(f"{ignored[0]} applies to the first layer only: Keras ignores it elsewhere")
    return tuple(notes)


class Declarations:
    """What the constructor calls of one source say of their layers' input."""

    def __init__(self, tensors: Tensors, lists: Lists) -> None:
        self.tensors = tensors
        self.lists = lists
        self.source = tensors.source
        self.wrong = tensors.source.wrong
        # What is said in a call and in those within it, under the call.
        self.says: dict[ast.expr, tuple[Declared, ...]] = {}
        # Where Keras 3 warns of it, in the order in which it is read.
        self.warned: list[ast.keyword] = []
        # Where the inputs are made that names hold.
        self.fed: Callable[[ast.expr], ast.expr | None] = lambda tree: None

    def of(self, tree: ast.expr) -> tuple[Declared, ...]:
        """What is said where a layer stands."""
        return self.says.get(tree, ())

    def behind_input(self, trees: list[ast.expr]) -> list[ast.expr]:
        """The layers behind the Input that may stand in front of them, and gives their input's shape."""
        made = trees[0] if trees and called(trees[0]) in INPUTS else self.fed(trees[0]) if trees else None
        if made is None:
            return trees
        self.says[trees[0]] = (Declared(self.tensors.fed(made), made),)
        return trees[1:]

    def together(self, tree: ast.expr, trees: list[ast.expr], layers: list[ast.expr]) -> None:
        """What layers one after another say of the first one's input, under the tree that holds them."""
        said = (place for first in {*trees[:1], *layers[:1]} for place in self.of(first))
        self.says[tree] = tuple(sorted(said, key=lambda place: self.source.place(place.tree)))

    def read(self, node: Node, call: ast.Call) -> None:
        """What a constructor call says of its layer's input, and what the calls within it say."""
        said: list[Declared] = []
        for keyword in self.lists.keywords(call):
            known = keyword.arg in node.cls.by_name and keyword.arg != "input_length"
            if keyword.arg not in DECLARING or known or is_none(keyword.value):
                continue
            if keyword.arg not in node.cls.by_name:  # Embedding takes input_length, and does not look at it
                self.warned.append(keyword)
            if any(place.name in WHOLE for place in said) and keyword.arg in WHOLE:
                self.wrong(f"{node.name} takes either input_shape or input_dim, once", keyword)
            else:
                said.append(Declared(self._sizes(node, keyword), keyword))
        inner = _inside(node.cls, call)
        within = self.of(inner) if inner is not None else ()
        self.says[call] = (*said, *(map(by_step, within) if node.name in _BY_STEP else within))

    def _sizes(self, node: Node, keyword: ast.keyword) -> Sizes | None:
        """The input's sizes as one argument of a constructor call has them."""
        rank = len(node.cls.letters(node, 2))
        if keyword.arg in ("batch_input_shape", "batch_shape"):
            return self.tensors.shape(keyword.value)
        if keyword.arg == "input_shape":
            behind = self.tensors.shape(keyword.value)
            return None if behind is None else (None, *behind)
        if isinstance(keyword.value, ast.List | ast.Tuple) and keyword.arg == "input_length":
            return None  # Keras does not look at it
        axis = {"batch_size": 0, "input_length": 1, "input_dim": rank - 1}[keyword.arg or ""]
        size = self.tensors.size(keyword.value)
        return tuple(size if index == axis else None for index in range(rank))

    def built_on(self, tree: ast.expr, first: Node) -> None:
        """Keras builds a Sequential on what its first layer says: input_dim=8 is then the whole shape, (8,)."""
        for said in self.of(tree):
            own = isinstance(tree, ast.Call) and said.tree in tree.keywords
            if own and said.name == "input_dim" and said.sizes is not None and len(said.sizes) > 2:
                what = f"Keras reads this as input_shape=({said.sizes[-1]},), which {first.name} does not take"
                self.wrong(f"{what}: write input_shape={said.sizes[1:]}", said.tree)


def _inside(layer: LayerClass, call: ast.Call) -> ast.expr | None:
    """The layer, the cell or the list of them that a constructor call must hold: its first argument."""
    first = layer.arguments[0]
    if not isinstance(first.kind, Nested):
        return None
    named = (keyword.value for keyword in call.keywords if keyword.arg == first.name)
    return call.args[0] if call.args else next(named, None)
