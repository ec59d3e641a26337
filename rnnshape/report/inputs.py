"""The inputs of an answer, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rnnshape.form import formed
from rnnshape.layers.entries import entries

if TYPE_CHECKING:
    from rnnshape.spec import Spec


@formed(shape="The sizes.", symbolic="The symbolic sizes, such as 2H.", dtype="A Keras dtype.")
class Input(NamedTuple):
    """The input of the layer."""

    shape: tuple[int, ...]
    symbolic: tuple[str, ...]
    dtype: str


@formed(
    "fed",
    name="The name of the input in the code.",
    shape="The sizes.",
    symbolic="The symbolic sizes, such as 2H.",
    dtype="A Keras dtype.",
)
class Fed(NamedTuple):
    """An input with its name."""

    name: str
    shape: tuple[int, ...]
    symbolic: tuple[str, ...]
    dtype: str


def inputs_of(spec: Spec) -> tuple[Fed, ...]:
    """The inputs of wired calls; the one input of another layer is ``x``."""
    if spec.graph is None:
        return (Fed("x", spec.input, spec.symbolic, spec.input_dtype),)
    found = entries(spec.graph, spec.dims).values()
    return tuple(
        Fed(
            leaf.role,
            tuple(dim.size for dim in leaf.dims),
            tuple(dim.letter for dim in leaf.dims),
            spec.input_dtype if number == 0 else leaf.dtype,
        )
        for number, leaf in enumerate(found)
    )
