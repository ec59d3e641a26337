"""The output masks of Concatenate, and of Add and the other layers that merge element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers.masking import Mask
from rnnshape.layers.release import change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import Node

# Keras 2 lacks it too; Keras 3.3 attaches no mask to what it merges.
_IN_ANY = change(
    "3.4",
    "a merged step is valid if it is valid in any input, not only if it is in all; Add needs a mask in each input",
    "layers/merging/base_merge.py: Merge.compute_mask",
)


def merged_mask(node: Node, masks: Sequence[Mask | None]) -> Mask | None:
    """The mask of inputs that are merged element by element (``base_merge.py: Merge.compute_mask``).

    Raises:
        ValueError: the shapes of the masks cannot be broadcast.
    """
    known = [mask for mask in masks if mask is not None]
    if not known or (_IN_ANY.made and len(known) < len(masks)):
        return None
    first = known[0]
    for mask in known[1:]:
        alike = _IN_ANY.made and 1 in (first.steps, mask.steps)
        if first.steps != mask.steps and not alike:
            raise ValueError(f"{node.text} merges masks of {first.steps} and {mask.steps} steps")
        if first.behind != mask.behind:
            raise ValueError(f"{node.text} merges masks of different ranks")
        steps = max(first.steps, mask.steps)
        rows = tuple(
            _valid(_as_long(one, steps), _as_long(other, steps))
            for one, other in zip(first.rows, mask.rows, strict=True)
        )
        sure = first.sure and mask.sure
        first = replace(Mask.of(rows, argument=False, behind=first.behind), sure=sure)
    return first.passed_on()


def concatenated_mask(masks: Sequence[Mask | None], inputs: Sequence[Dims], axis: int) -> Mask | None:
    """The mask of concatenated inputs; an input without one is all valid (``Concatenate.compute_mask``).

    Along batch and time the masks are concatenated too; along another axis, a step is valid if it is in any input.

    Raises:
        ValueError: Keras 2 has a mask of one value for each step, and of all values for an input without a mask.
    """
    known = [mask for mask in masks if mask is not None]
    if not known:
        return None
    behind, rank = known[0].behind, len(inputs[0])
    open_ = [dims for dims, mask in zip(inputs, masks, strict=True) if mask is None]
    wide = any(len(dims) > 3 or dims[-1].size > 1 for dims in open_) and axis < rank - 1
    if not _IN_ANY.made and (wide or (open_ and rank > 3)):
        raise ValueError("Concatenate puts masks of different shapes together, for not every input has one")
    each = [
        Mask(dims[0].size, dims[1].size, argument=False, behind=behind) if mask is None else mask
        for mask, dims in zip(masks, inputs, strict=True)
    ]
    rows = [mask.rows for mask in each]
    if axis == 0:
        together = tuple(row for one in rows for row in one)
    elif axis == 1:
        together = tuple(tuple(step for part in parts for step in part) for parts in zip(*rows, strict=True))
    else:
        together = tuple(_valid(*parts) for parts in zip(*rows, strict=True))
    # Of a picture the mask has axes behind time, and along one of them the steps of each input stay apart.
    sure = all(mask.sure for mask in each) and (rank == 3 or axis == rank - 1)
    return replace(Mask.of(together, argument=False, behind=behind), sure=sure)


def _valid(*rows: Sequence[bool]) -> tuple[bool, ...]:
    """Which steps are valid in what is merged of one sample."""
    return tuple(map(any if _IN_ANY.made else all, zip(*rows, strict=True)))


def _as_long(row: tuple[bool, ...], steps: int) -> tuple[bool, ...]:
    return row * steps if len(row) == 1 else row
