"""What stands between layers: ``a + b``, ``keras.ops.concatenate([a, b])``.

An operation is no layer: it passes on no mask, and compares shapes from the last axis on, batch included, where ``Add``
puts axes of 1 behind the batch (read in 3.15.1: ``keras/src/ops/numpy.py``, ``layers/merging/base_merge.py``).
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rnnshape.layers.around import any_sequence, no_loop
from rnnshape.layers.base import Answer, Leaf
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.merges import MERGES, concatenated
from rnnshape.layers.node import LayerClass
from rnnshape.layers.several import every_dims, shown_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.layers.base import Dims, Given
    from rnnshape.layers.node import Node

_WIDER = {"bfloat16": 0, "float16": 0, "float32": 1, "float64": 2}


def _dtype(given: Given) -> str:
    """The widest; of the two halves neither holds the other."""
    known = {given.dtype, *(dtype for _, dtype in given.others)}
    floats = [dtype for dtype in known if dtype in _WIDER]
    if {"bfloat16", "float16"} <= known:
        floats.append("float32")
    return max(floats, key=lambda dtype: _WIDER[dtype], default=given.dtype)


def _answer(node: Node, given: Given, dims: Dims) -> Answer:
    output = Leaf("output", dims, _dtype(given))
    return Answer((output,), output, cudnn=no_loop(node))


def _elementwise(node: Node, given: Given) -> Answer:
    """Two shapes laid over each other from the last axis on; of two sizes the one that is not 1."""
    one, other = every_dims(given)
    pairs = zip_longest(reversed(one), reversed(other), fillvalue=fixed(1))
    return _answer(node, given, tuple(reversed([_longer(*pair) for pair in pairs])))


def _longer(one: Dim, other: Dim) -> Dim:
    return other if one.size == 1 else one


def _stretchable(node: Node, inputs: Sequence[Dims]) -> str | None:
    one, other = inputs
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left.size != right.size and 1 not in (left.size, right.size):
            layer = next(name for name, operation in OPERATIONS.items() if operation is node.cls)
            instead = (
                f"give both the same axes, or use {layer}()([a, b]), which puts axes of 1 behind the batch"
                if len(one) != len(other)
                else f"make {left.letter} = {left.size} and {right.letter} = {right.size} equal"
            )
            return (
                f"{node.name} compares the shapes from the last axis on, and they are {shown_all(inputs)}: "
                f"{left.letter} = {left.size} meets {right.letter} = {right.size}; {instead}"
            )
    return None


def _concatenate(node: Node, given: Given) -> Answer:
    return _answer(node, given, concatenated(node, every_dims(given)))


def _of(name: str) -> LayerClass:
    return LayerClass(name, "merge", (), _elementwise, any_sequence, check_inputs=_stretchable, operation=True)


OPERATIONS: dict[str, LayerClass] = {
    **{layer: _of(sign) for layer, sign in zip(("Add", "Subtract", "Multiply"), "+-*", strict=True)},
    **{layer: _of(f"keras.ops.{layer.lower()}") for layer in ("Maximum", "Minimum")},
    "Concatenate": LayerClass(
        "keras.ops.concatenate",
        "merge",
        MERGES["Concatenate"].arguments[:1],
        _concatenate,
        any_sequence,
        check_inputs=MERGES["Concatenate"].check_inputs,
        operation=True,
    ),
}
"""The operation that computes what a layer does, under the name of the layer."""
