"""Operations on one tensor: ``1 - gate``, ``keras.ops.mean(h, axis=1)``, ``keras.ops.tanh(h)``.

Like those of ``operations``, they pass on no mask (read in Keras 3.15.1: ``keras/src/ops/numpy.py``, ``ops/nn.py``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.layers.arguments import Argument
from rnnshape.layers.around import answered, any_tensor
from rnnshape.layers.dims import fixed
from rnnshape.layers.kinds import Flag, Kind, Number
from rnnshape.layers.node import LayerClass

if TYPE_CHECKING:
    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import Node


class Axes(Kind, frozen=True):
    """One axis or several, except the batch."""

    allowed = "a whole number that is not 0, or a tuple of them"

    def accepts(self, value: Any) -> bool:
        each = value if isinstance(value, tuple) else (value,)
        return bool(each) and all(type(one) is int and one != 0 for one in each)

    def schema(self) -> dict[str, Any]:
        return {"type": ["integer", "array"]}


class Order(Kind, frozen=True):
    """The axes in another order, the batch first."""

    allowed = "a tuple of all axes, 0 first"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple) and value[:1] == (0,) and sorted(value) == list(range(len(value)))

    def schema(self) -> dict[str, Any]:
        return {"type": "array"}


def _axes(node: Node, rank: int) -> list[int]:
    axes = node["axis"] if isinstance(node["axis"], tuple) else (node["axis"],)
    return [axis % rank if -rank <= axis < rank else axis for axis in axes]


def _answer(node: Node, given: Given, dims: Dims) -> Answer:
    return answered(node, given, dims, dtype=given.dtype)


def _unchanged(node: Node, given: Given) -> Answer:
    return _answer(node, given, given.dims)


def _reduced(node: Node, given: Given) -> Answer:
    """The shape after a reduction or a squeeze: the axes are removed, or kept with the size 1."""
    axes, keeps = _axes(node, len(given.dims)), node.has("keepdims") and node["keepdims"]
    left = (fixed(1) if axis in axes else dim for axis, dim in enumerate(given.dims) if keeps or axis not in axes)
    return _answer(node, given, tuple(left))


def _transposed(node: Node, given: Given) -> Answer:
    return _answer(node, given, tuple(given.dims[axis] for axis in node["axes"]))


def _there(node: Node, dims: Dims) -> str | None:
    if node["axis"] is None:  # softmax uses the last axis
        return None
    for axis in _axes(node, len(dims)):
        if not 0 < axis < len(dims):
            return f"there is no axis {axis} except the batch: the tensor has {len(dims)} axes"
    return None


def _of_size_1(node: Node, dims: Dims) -> str | None:
    wrong = (dims[axis] for axis in _axes(node, len(dims)) if 0 < axis < len(dims) and dims[axis].size != 1)
    return _there(node, dims) or next(
        (f"only an axis of size 1 can be removed: {dim.letter} = {dim.size}" for dim in wrong), None
    )


def _of_all(node: Node, dims: Dims) -> str | None:
    count = len(node["axes"])
    return None if count == len(dims) else f"axes={node['axes']} names {count} axes, and the tensor has {len(dims)}"


operation = partial(LayerClass, letters=any_tensor, operation=True)
_operation = partial(operation, kind="layer", theory=_unchanged)

_AXIS = Argument("axis", Axes())
_OF_NUMBER = (Argument("number", Number()), Argument("first", Flag(), False))

_SAME = ("tanh", "sigmoid", "relu", "exp", "log", "sqrt", "square", "abs", "negative")
_MORE = ("softplus", "elu", "selu", "gelu", "silu")

SINGLE: dict[str, LayerClass] = {
    **{name: _operation(f"keras.ops.{name}", arguments=()) for name in (*_SAME, *_MORE)},
    "softmax": _operation("keras.ops.softmax", arguments=(Argument("axis", Axes(), None),), check_input=_there),
    **{
        name: _operation(
            f"keras.ops.{name}",
            arguments=(_AXIS, Argument("keepdims", Flag(), False)),
            theory=_reduced,
            check_input=_there,
        )
        for name in ("mean", "sum", "max", "min")
    },
    "squeeze": _operation("keras.ops.squeeze", arguments=(_AXIS,), theory=_reduced, check_input=_of_size_1),
    "transpose": _operation(
        "keras.ops.transpose", arguments=(Argument("axes", Order()),), theory=_transposed, check_input=_of_all
    ),
    **{sign: _operation(sign, arguments=_OF_NUMBER) for sign in ("+", "-", "*", "/", "**")},
}
"""The operations on one tensor, by their names in ``keras.ops``; a sign is an operation with a number."""
