"""Collects the input shapes that code declares: the call's tensor, Input, ``input_shape``, ``input_dim``.

Several declarations must agree; one may give a size that another leaves open.
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
    from rnnshape.reading.code.sizes import Sizes
    from rnnshape.reading.code.syntax import Source, Span
    from rnnshape.reading.code.tensors import Tensors

# Arguments that give the shape from which Keras builds the layer.
WHOLE = ("input_shape", "input_dim", "batch_input_shape", "batch_shape")
DECLARING = (*WHOLE, "batch_size", "input_length")
_WITH_BATCH = ("batch_input_shape", "batch_shape")
# Arguments that Keras 3 removed.  They are read because they still give the shape.
REMOVED = ("batch_input_shape", "batch_shape", "batch_size", "input_length")
# The layer or cell in these gets one time step of the input.
_BY_STEP = ("RNN", "TimeDistributed")


@dataclass(frozen=True, slots=True)
class Declared:
    """One declaration: sizes, batch first (None if the code does not give them), and its place in the tree.

    ``steps`` tells whether it declares the shape of one step instead of the whole input.  ``built`` tells whether it
    is ``layer.build(shape)``: this makes the weights, and a call may have another shape.
    """

    sizes: Sizes | None
    tree: ast.expr | ast.keyword
    steps: bool = False
    built: bool = False

    @property
    def name(self) -> str | None:
        """The name of the constructor argument; None if the declaration is a tensor."""
        return self.tree.arg if isinstance(self.tree, ast.keyword) else None


@dataclass(frozen=True, slots=True)
class Fed:
    """The declared input: its sizes, batch first (None: open), and the place and text of its first declaration.

    ``symbolic`` tells whether an Input declares it, ``built`` whether a Sequential with these layers is built on it.
    """

    sizes: Sizes
    span: Span
    text: str
    symbolic: bool = False
    built: bool = False

    def otherwise(self, shape: tuple[int, ...]) -> bool:
        """Whether a shape differs from the known sizes."""
        return len(self.sizes) != len(shape) or any(
            said is not None and int(said) != size for said, size in zip(self.sizes, shape, strict=True)
        )


def by_step(place: Declared) -> Declared:
    """The whole input for a cell or a layer in TimeDistributed: its declaration is for one time step."""
    return Declared(place.sizes and (place.sizes[0], None, *place.sizes[1:]), place.tree, steps=True)


def text(sizes: Sizes | None) -> str:
    """The sizes as an error shows them: ``(N, 10, 8)`` for ``(None, 10, 8)``."""
    behind = ["None" if size is None else str(size) for size in (sizes or ())[1:]]
    return f"({', '.join([str((sizes or (None,))[0] or 'N'), *behind])})"


def agreed(places: Sequence[Declared], source: Source) -> Fed | None:
    """The input from all declarations; None if there are none, or after an error for two that contradict each other."""
    known = [place for place in places if place.sizes is not None]
    known = [place for place in known if not place.built] or known
    if not known:
        return None
    first = known[0]
    sizes = first.sizes
    for other in known[1:]:
        assert sizes is not None
        assert other.sizes is not None
        if not _agree(sizes, other.sizes):
            for place in (first, other):
                source.wrong(f"the input is {text(place.sizes)} here, but different elsewhere: keep one", place.tree)
            return None
        sizes = tuple(a or b for a, b in zip(sizes, other.sizes, strict=True))
    assert sizes is not None
    symbolic = any(isinstance(place.tree, ast.Call) and called(place.tree) in INPUTS for place in known)
    built = symbolic or any(place.name in WHOLE and not place.steps for place in known)
    return Fed(sizes, source.place(first.tree), source.said(first.tree), symbolic, built)


def where_open(own: Sequence[Declared], fed: Sequence[Declared]) -> list[Declared]:
    """What a layer declares, without what contradicts its input: Keras ignores it in a call on a tensor."""
    return [one for one in own if all(_agree(one.sizes, other.sizes) for other in fed)]


def _agree(sizes: Sizes | None, others: Sizes | None) -> bool:
    if sizes is None or others is None:
        return True
    return len(sizes) == len(others) and all(a == b or None in (a, b) for a, b in zip(sizes, others, strict=True))


def warnings_of(warned: Sequence[ast.keyword], used: Sequence[Declared]) -> tuple[str, ...]:
    """Notes on arguments that declare the input: what Keras 3 warns about or rejects, and those that it ignores."""
    notes = []
    if asked() < KERAS_3:
        return ("Keras 2 takes input_length only for recurrent layers: drop it",) if warned else ()
    wide = [place for place in used if not place.steps and len(place.sizes or ()) > 2]
    narrow = {place.tree: place.sizes for place in wide if place.name == "input_dim"}
    for sizes in narrow.values():
        width, axes = (sizes or ())[-1], ", ".join(map(str, (sizes or ())[1:]))
        what = f"Keras 3 reads input_dim={width} as input_shape=({width},), which fails in a Sequential"
        notes.append(f"{what}: write input_shape=({axes})")
    warned = [keyword for keyword in warned if keyword not in narrow]
    arguments = list(dict.fromkeys(str(keyword.arg) for keyword in warned))
    if names := " and ".join(name for name in arguments if name not in REMOVED):
        notes.append(f"Keras 3 warns about {names} and recommends keras.Input in front of the first layer")
    if names := " and ".join(name for name in arguments if name in REMOVED):
        are = "they are" if " and " in names else "it is"
        notes.append(f"Keras 3 rejects {names}: {are} read here as the input; write keras.Input(batch_shape=…) instead")
    counted = [place.tree for place in used]
    if ignored := [str(keyword.arg) for keyword in warned if keyword not in counted]:
        notes.append(f"{ignored[0]} applies to the first layer only: Keras ignores it elsewhere")
    return tuple(notes)


class Declarations:
    """The input shapes that the constructor calls of one source declare."""

    def __init__(self, tensors: Tensors, lists: Lists) -> None:
        self.tensors = tensors
        self.lists = lists
        self.source = tensors.source
        self.wrong = tensors.source.wrong
        # The declarations in a call and in the calls inside it, by the call.
        self.says: dict[ast.expr, tuple[Declared, ...]] = {}
        # The arguments that Keras 3 warns about, in the order in which they are read.
        self.warned: list[ast.keyword] = []
        # The expression that creates the input in a name.
        self.fed: Callable[[ast.expr], ast.expr | None] = lambda tree: None

    def of(self, tree: ast.expr) -> tuple[Declared, ...]:
        """The declarations for a layer's expression."""
        return self.says.get(tree, ())

    def behind_input(self, trees: list[ast.expr]) -> list[ast.expr]:
        """The layers without the Input that may be in front of them; its shape is recorded as their input."""
        made = trees[0] if trees and called(trees[0]) in INPUTS else self.fed(trees[0]) if trees else None
        if made is None:
            return trees
        self.says[trees[0]] = (Declared(self.tensors.fed(made), made),)
        return trees[1:]

    def together(self, tree: ast.expr, trees: list[ast.expr], layers: list[ast.expr]) -> None:
        """Record the declarations for the first of several layers under the expression that contains them all."""
        said = (place for first in {*trees[:1], *layers[:1]} for place in self.of(first))
        self.says[tree] = tuple(sorted(said, key=lambda place: self.source.place(place.tree)))

    def read(self, node: Node, call: ast.Call) -> None:
        """Record the declarations in a constructor call and in the calls inside it."""
        said: list[Declared] = []
        for keyword in self.lists.keywords(call):
            known = keyword.arg in node.cls.by_name and keyword.arg != "input_length"
            if keyword.arg not in DECLARING or known or is_none(keyword.value):
                continue
            own = keyword.arg in node.cls.by_name  # Embedding takes input_length, and ignores it
            in_2 = keyword.arg != "input_length" or node.cls.kind == "recurrent"
            if not own and (asked() >= KERAS_3 or not in_2):
                self.warned.append(keyword)
            given = {place.name for place in said if place.name in WHOLE} | {keyword.arg}
            # Keras 2 takes the shape with the batch, if there is one.
            if len(given) > 1 and given <= {"input_shape", "input_dim"}:
                self.wrong(f"{node.name} takes either input_shape or input_dim, once", keyword)
            else:
                said.append(Declared(self._sizes(node, keyword), keyword))
        if whole := [place for place in said if place.name in _WITH_BATCH]:  # then Keras 2 reads no other
            others = [place.tree for place in said if place not in whole]
            self.warned = [keyword for keyword in self.warned if keyword not in others]
            said = whole
        inner = _inside(node.cls, call)
        within = self.of(inner) if inner is not None else ()
        self.says[call] = (*said, *(map(by_step, within) if node.name in _BY_STEP else within))

    def _sizes(self, node: Node, keyword: ast.keyword) -> Sizes | None:
        """The input's sizes from one argument of a constructor call."""
        rank = len(node.cls.letters(node, 2))
        if keyword.arg in _WITH_BATCH:
            return self.tensors.shape(keyword.value)
        if keyword.arg == "input_shape":
            behind = self.tensors.shape(keyword.value)
            return None if behind is None else (None, *behind)
        if keyword.arg in node.cls.by_name and self.tensors.is_no_size(keyword.value):
            return None  # the input_length of Embedding, which Keras ignores
        if keyword.arg == "input_dim" and isinstance(self.tensors.names.resolved(keyword.value), ast.Tuple | ast.List):
            self.wrong(f"input_dim is one size: write input_shape={self.source.said(keyword.value)}", keyword.value)
            return None
        axis = {"batch_size": 0, "input_length": 1, "input_dim": rank - 1}[keyword.arg or ""]
        size = self.tensors.size(keyword.value)
        return tuple(size if index == axis else None for index in range(rank))

    def built_on(self, tree: ast.expr, first: Node) -> None:
        """Reject input_dim in the first layer of a Sequential: Keras reads input_dim=8 as the whole shape, (8,)."""
        for said in self.of(tree):
            own = isinstance(tree, ast.Call) and said.tree in tree.keywords
            if own and said.name == "input_dim" and said.sizes is not None and len(said.sizes) > 2:
                what = f"Keras reads this as input_shape=({said.sizes[-1]},), which {first.name} does not take"
                self.wrong(f"{what}: write input_shape={said.sizes[1:]}", said.tree)


def _inside(layer: LayerClass, call: ast.Call) -> ast.expr | None:
    """The layer, the cell or the list of them in a constructor call: its first argument."""
    first = layer.arguments[0]
    if not isinstance(first.kind, Nested):
        return None
    named = (keyword.value for keyword in call.keywords if keyword.arg == first.name)
    return call.args[0] if call.args else next(named, None)
