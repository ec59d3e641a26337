"""Operations between layers: ``a + b``, ``keras.ops.concatenate([a, b])``, ``y[:, -1]``.

An operation is not a layer: it passes on no mask, and broadcasts from the last axis on, batch included; ``Add`` puts
axes of size 1 after the batch (read in 3.15.1: ``keras/src/ops/numpy.py``, ``layers/merging/base_merge.py``).
"""

from __future__ import annotations

import ast
from types import EllipsisType
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from rnnshape.layers.arguments import Argument
from rnnshape.layers.around import answered
from rnnshape.layers.dims import Dim, broadcast, fixed
from rnnshape.layers.kinds import Kind
from rnnshape.layers.merges import MERGES, concatenated
from rnnshape.layers.several import every_dims, shown_all
from rnnshape.layers.single import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import LayerClass, Node

_WIDER = {"bfloat16": 0, "float16": 0, "float32": 1, "float64": 2}


def _dtype(given: Given) -> str:
    """The widest dtype of the inputs; float32 for float16 and bfloat16."""
    known = {given.dtype, *(dtype for _, dtype in given.others)}
    floats = [dtype for dtype in known if dtype in _WIDER]
    if {"bfloat16", "float16"} <= known:
        floats.append("float32")
    return max(floats, key=lambda dtype: _WIDER[dtype], default=given.dtype)


def _answer(node: Node, given: Given, dims: Dims) -> Answer:
    return answered(node, given, dims, dtype=_dtype(given))


def _elementwise(node: Node, given: Given) -> Answer:
    return _answer(node, given, broadcast(*every_dims(given)))


def _stretchable(node: Node, inputs: Sequence[Dims]) -> str | None:
    one, other = inputs
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left.size != right.size and 1 not in (left.size, right.size):
            layer = next(name for name, operation in OPERATIONS.items() if operation is node.cls)
            instead = (
                "give both the same axes"
                + (f", or use {layer}()([a, b]), which puts axes of 1 after the batch" if layer in MERGES else "")
                if len(one) != len(other)
                else f"make {left.letter} = {left.size} and {right.letter} = {right.size} equal"
            )
            return (
                f"{node.name} compares the shapes from the last axis on, and they are {shown_all(inputs)}: "
                f"{left.letter} = {left.size} and {right.letter} = {right.size} do not match; {instead}"
            )
    return None


def _concatenate(node: Node, given: Given) -> Answer:
    return _answer(node, given, concatenated(node, every_dims(given)))


Place: TypeAlias = int | slice | EllipsisType | None


def key_of(places: Sequence[Place]) -> str:
    """An index as Python source.

    >>> key_of((slice(None), -1, slice(1, None, 2), None, ...))
    ':, -1, 1::2, None, ...'
    """
    return ", ".join(map(_key, places))


def _key(place: Place) -> str:
    if not isinstance(place, slice):
        return "..." if place is ... else str(place)
    first, last, step = ("" if one is None else str(one) for one in (place.start, place.stop, place.step))
    return f"{first}:{last}" + (f":{step}" if step else "")


def places_of(key: str) -> tuple[Place, ...]:
    """The index in a text of ``key_of``.

    >>> places_of(":, -1")
    (slice(None, None, None), -1)
    """
    tree = ast.parse(f"x[{key},]", mode="eval").body
    assert isinstance(tree, ast.Subscript)
    assert isinstance(tree.slice, ast.Tuple)
    return tuple(map(_place, tree.slice.elts))


def _place(tree: ast.expr) -> Place:
    if isinstance(tree, ast.Slice):
        return slice(*(None if one is None else ast.literal_eval(one) for one in (tree.lower, tree.upper, tree.step)))
    place: Place = ast.literal_eval(tree)
    return place


def _axes(node: Node, rank: int) -> list[Place]:
    """The index with one entry for each axis: ``:`` instead of ``...`` and for axes that are left out."""
    places = [*places_of(node["key"])]
    taken = sum(place is not None and place is not ... for place in places)
    at = places.index(...) if ... in places else len(places)
    return [*places[:at], *[slice(None)] * (rank - taken), *places[at + 1 :]]


def _sliced(node: Node, given: Given) -> Answer:
    """A number removes its axis, a slice keeps it, None inserts an axis of size 1."""
    left, dims = iter(given.dims), []
    for place in _axes(node, len(given.dims)):
        if place is None:
            dims.append(fixed(1))
        elif isinstance(dim := next(left), Dim) and isinstance(place, slice):
            size = len(range(*place.indices(dim.size)))
            dims.append(dim if size == dim.size else fixed(size))
    return _answer(node, given, tuple(dims))


def _unsliceable(node: Node, dims: Dims) -> str | None:
    if places_of(node["key"]).count(...) > 1:
        return f"[{node['key']}] has more than one ..."
    places = [place for place in places_of(node["key"]) if place is not None and place is not ...]
    if len(places) > len(dims):
        return f"[{node['key']}] names {len(places)} axes, and the tensor has {len(dims)}"
    whole = [place for place in _axes(node, len(dims)) if place is not None]
    for place, dim in zip(whole, dims, strict=True):
        if isinstance(place, int) and not -dim.size <= place < dim.size:
            return f"the index {place} is out of range: {dim.letter} = {dim.size}"
        if isinstance(place, slice) and place.step == 0:
            return f"[{node['key']}] has a step of 0"
        if isinstance(place, slice) and not range(*place.indices(dim.size)):
            return f"[{node['key']}] leaves nothing of {dim.letter} = {dim.size}"
    return None


SLICE = operation("[]", kind="layer", arguments=(Argument("key", Kind()),), theory=_sliced, check_input=_unsliceable)
"""``y[:, -1]``: a slice of a tensor."""


def _of(name: str) -> LayerClass:
    return operation(name, kind="merge", arguments=(), theory=_elementwise, check_inputs=_stretchable)


OPERATIONS: dict[str, LayerClass] = {
    **{layer: _of(sign) for layer, sign in zip(("Add", "Subtract", "Multiply", "Divide"), "+-*/", strict=True)},
    **{layer: _of(f"keras.ops.{layer.lower()}") for layer in ("Maximum", "Minimum")},
    "Concatenate": operation(
        "keras.ops.concatenate",
        kind="merge",
        arguments=(replace(MERGES["Concatenate"].by_name["axis"], default=0),),
        theory=_concatenate,
        check_inputs=MERGES["Concatenate"].check_inputs,
    ),
}
"""The operations by the name of the layer that computes the same; ``Divide`` has no layer."""
