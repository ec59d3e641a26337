"""Activation, and activations that are layers, such as ReLU (Keras' ``layers/activations``, read in 3.15.1)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers import contents, names
from rnnshape.layers.around import (
    answered,
    axes_problem,
    entry,
    halving,
    softmax_of_many_axes,
    unchanged,
    unlike_its_weights,
)
from rnnshape.layers.base import Refusal, Weight, variable_dtype
from rnnshape.layers.building import uninitialized
from rnnshape.layers.dims import fixed
from rnnshape.layers.release import KERAS_3, asked, change

if TYPE_CHECKING:
    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import Node


def _activation(node: Node, given: Given) -> Answer:
    """The same shape; only ``glu`` halves the last axis."""
    dims, refusals = halving(node["activation"], given.dims)
    answer = answered(node, given, dims)
    answer.refusals += refusals
    if node["activation"] == "softmax":
        answer.refusals += softmax_of_many_axes(given, dims, answer.outputs[0].dtype)
    return answer


def _leaky(node: Node, given: Given) -> Answer:
    answer = unchanged(node, given)
    if node["alpha"] is not None and asked() >= KERAS_3:
        answer.notes = ("alpha is deprecated: Keras 3 calls it negative_slope",)
    return answer


def _alpha(node: Node, dims: Dims) -> Dims | None:
    """The shape of PReLU's slopes: the input's, with 1 along ``shared_axes``; None if the input lacks such an axis."""
    shared = node["shared_axes"]
    found = list(dims[1:])
    for axis in () if shared is None else shared if isinstance(shared, tuple) else (shared,):
        if not -len(found) <= axis - 1 < len(found):
            return None
        found[axis - 1] = fixed(1)
    return tuple(found)


def _prelu(node: Node, given: Given) -> Answer:
    weight = Weight("alpha", _alpha(node, given.dims) or (), (), variable_dtype(node["dtype"]))
    answer = answered(node, given, given.dims, weight)
    answer.refusals += [*uninitialized(node, [weight]), *unlike_its_weights(node, given)]
    return answer


_CHECKS_MASK = change(
    "3.14",
    "Softmax rejects a mask that is larger than its input along an axis; before, it broadcast the output to the mask",
    "layers/activations/softmax.py: Softmax.call",
    in_2=False,
)


def _softmax(node: Node, given: Given) -> Answer:
    """Softmax broadcasts a mask from the last axis on, because it is meant for the axis of the sum."""
    mask, dims = given.mask, given.dims
    axes = () if mask is None else (mask.batch, mask.steps, *mask.behind)
    pairs = list(zip(reversed(axes), (dim.size for dim in reversed(dims)), strict=False))
    stretched = any(size == 1 < one for one, size in pairs) and not _CHECKS_MASK.made
    if stretched:
        behind = [fixed(max(one, size)) for one, size in reversed(pairs)]
        answer = answered(node, given, (*dims[: len(dims) - len(behind)], *behind))
    else:
        answer = unchanged(node, given)
    fits = all(one in (1, size) or (stretched and size == 1) for one, size in pairs)
    if len(axes) > len(dims) or not fits:
        answer.refusals.append(_mask_shape_error(axes))
    if isinstance(node["axis"], int):
        answer.refusals += softmax_of_many_axes(given, dims, answer.outputs[0].dtype)
    return answer


def _mask_shape_error(axes: tuple[int, ...]) -> Refusal:
    raised = "ValueError" if _CHECKS_MASK.made else "InvalidArgumentError"
    return Refusal(
        f"{raised}: the mask {axes} must be broadcastable to the input of Softmax",
        "use Activation('softmax'), which ignores masks",
    )


_activating = partial(entry, keeps_mask=True, built=True)


def _least_zero(name: str, default: float | None) -> arg.Argument:
    kind = arg.Number(0)
    return arg.Argument(name, kind if default is not None else arg.Maybe(kind), default)


ACTIVATIONS = (
    _activating(
        "Activation",
        (arg.Argument("activation", arg.Named.among(names.ACTIVATIONS), cli_default="relu"), *arg.BASE),
        _activation,
        contents=contents.activated,
        source="activations/activation.py",
    ),
    _activating(
        "ReLU",
        (_least_zero("max_value", None), _least_zero("negative_slope", 0.0), _least_zero("threshold", 0.0), *arg.BASE),
        unchanged,
        source="activations/relu.py",
    ),
    _activating(
        "LeakyReLU",
        (
            replace(_least_zero("negative_slope", 0.3), since=KERAS_3),
            *arg.BASE,
            arg.Argument("alpha", arg.Number(0), None, was=0.3),
        ),
        _leaky,
        in_2=("alpha",),
        source="activations/leaky_relu.py",
    ),
    _activating(
        "PReLU",
        (
            arg.initializer("alpha_initializer", "Zeros"),
            arg.regularizer("alpha_regularizer"),
            arg.constraint("alpha_constraint"),
            arg.Argument("shared_axes", arg.Maybe(arg.Axes(empty=True)), None),
            *arg.BASE,
        ),
        _prelu,
        check_input=lambda node, dims: (
            None if _alpha(node, dims) is not None else f"shared_axes={node['shared_axes']} has an unknown axis"
        ),
        source="activations/prelu.py",
        built=False,
    ),
    _activating("ELU", (arg.Argument("alpha", arg.Number(), 1.0), *arg.BASE), unchanged, source="activations/elu.py"),
    _activating(
        "Softmax",
        (arg.Argument("axis", arg.Maybe(arg.Axes()), -1), *arg.BASE),
        _softmax,
        check_input=axes_problem,
        takes_mask=True,
        source="activations/softmax.py",
    ),
)
