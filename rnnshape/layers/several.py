"""Helpers for a layer with several inputs: the dimensions and masks of all, and their text in an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.release import change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.layers.base import Dims, Given
    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import Node


def every_dims(given: Given) -> list[Dims]:
    """The dimensions of all inputs, in order."""
    return [given.dims, *(dims for dims, _ in given.others)]


def every_mask(given: Given) -> list[Mask | None]:
    """The masks attached to all inputs."""
    others = given.masks or (None,) * len(given.others)
    return [given.mask, *others]


def masks_handed_on(given: Given) -> list[Mask | None]:
    """The masks of a list of inputs as the layer gets them for its output mask."""
    masks = every_mask(given)
    return masks if _LOOKS_INTO_LISTS.made else [None] * len(masks)


_LOOKS_INTO_LISTS = change(
    "3.4",
    "a layer that is called on a list attaches a mask to its output, from the masks of the tensors in the list",
    "layers/layer.py: Layer.__call__",
    in_2=True,
)


def shown(dims: Dims) -> str:
    """``(N, T, 2H) = (2, 3, 16)``."""
    letters, sizes = (", ".join(parts) for parts in ([dim.letter for dim in dims], [str(dim.size) for dim in dims]))
    return f"({letters}) = ({sizes})"


def shown_all(inputs: Sequence[Dims]) -> str:
    """All of them, joined by "and"."""
    return " and ".join(map(shown, inputs))


def alone(node: Node, dims: Dims = ()) -> str:
    """The error for a merging layer that gets a single tensor."""
    if node.name == "MultiHeadAttention":
        return f"{node.name} takes a query and a value, one by one: {node.name}(…)(query, value)"
    return f"{node.name} takes several tensors in a list: {node.name}(…)([a, b])"
