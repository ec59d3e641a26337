"""What a pasted line says of its input, from every place: the call's tensor, Input, ``input_shape``, ``input_dim``.

Where several places say it, they must agree; what one leaves open, another may say.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnshape.layers.release import KERAS_3, asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.reading.code.syntax import Source, Span
    from rnnshape.reading.code.tensors import Sizes

# What gives the whole shape, or all that Keras builds on.
WHOLE = ("input_shape", "input_dim", "batch_input_shape", "batch_shape")
DECLARING = (*WHOLE, "batch_size", "input_length")
# What Keras 3 no longer takes; it is read, for it says what the code is about.
REMOVED = ("batch_input_shape", "batch_shape", "batch_size", "input_length")


@dataclass(frozen=True, slots=True)
class Declared:
    """What one place says: sizes, batch first (None where they are not in the line), and where it stands."""

    sizes: Sizes | None
    tree: ast.expr | ast.keyword

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
