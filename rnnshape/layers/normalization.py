"""Layers that scale their input (Keras' ``layers/normalization`` and ``layers/preprocessing``, read in 3.15.1)."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.errors import Problem
from rnnshape.layers import arguments as arg
from rnnshape.layers.around import answered, axes_problem, entry, unchanged
from rnnshape.layers.base import Refusal, Weight, compute_dtype, variable_dtype
from rnnshape.layers.building import uninitialized
from rnnshape.layers.kinds import INT64
from rnnshape.layers.release import KERAS_3, change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import Node


def _weights(node: Node, dims: Dims, names: Sequence[str]) -> list[Weight]:
    kept = variable_dtype(node["dtype"])
    said = {"gamma": "scale", "beta": "center"}
    return [Weight(name, dims, (), kept) for name in names if name not in said or node[said[name]]]


def _normalized(node: Node, given: Given, weights: list[Weight]) -> Answer:
    """The same shape, in the layer's own dtype even inside a wrapper with another one."""
    answer = answered(node, given, given.dims, *weights, dtype=compute_dtype(node["dtype"]))
    answer.refusals += uninitialized(node, weights)
    return answer


def _batch(node: Node, given: Given) -> Answer:
    """Normalizes over all axes but one: in training with the mean of the batch, else with the moving mean."""
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    if node["renorm"]:
        names += ["moving_stddev", "renorm_mean", "renorm_stddev"]
    answer = _normalized(node, given, _weights(node, (given.dims[node["axis"]],), names))
    answer.refusals += [*_mask_rank_error(node, given), *_squeeze_error(node, given), *_renorm_without_variance(node)]
    if given.training and node["trainable"]:
        answer.notes = ("in training the mean and variance are those of this batch",)
    return answer


_CHECKS_MASK = change(
    "3.4",
    "BatchNormalization rejects a mask of another rank in every call; before, it failed in training",
    "layers/normalization/batch_normalization.py: BatchNormalization.call",
)


def _mask_rank_error(node: Node, given: Given) -> Iterator[Refusal]:
    mask, used = given.mask, given.training and node["trainable"]
    if mask is not None and 2 + len(mask.behind) != len(given.dims) - 1 and (used or _CHECKS_MASK.made):
        raised = "ValueError" if _CHECKS_MASK.made else "InvalidArgumentError"
        yield Refusal(
            f"{raised}: The mask provided should be one dimension less than the inputs",
            "put BatchNormalization before the layer that computes the mask",
        )


def _squeeze_error(node: Node, given: Given) -> Iterator[Refusal]:
    """Reject an axis that does not exist after Keras squeezes the mean, which it does under a mask."""
    looked_for = given.training and node["trainable"] and given.mask is not None and node["axis"] != -1
    if looked_for and given.dims[node["axis"]].size == 1:
        yield Refusal(
            "IndexError: under a mask Keras squeezes the mean of one channel to a scalar, which has no first axis",
            "use axis=-1",
        )


def _renorm_without_variance(node: Node) -> Iterator[Refusal]:
    if node["renorm"] and node["moving_variance_initializer"] is None:
        yield Refusal(
            "TypeError: 'NoneType' object is not callable (moving_variance_initializer=None with renorm)",
            "use moving_variance_initializer='ones', or renorm=False",
        )


_SORTS = change(
    "3.14",
    "the weights of LayerNormalization have their axes in order; before, in the order of axis=",
    "layers/normalization/layer_normalization.py: __init__",
)


def _layer(node: Node, given: Given) -> Answer:
    """Normalizes each sample over one or more axes."""
    axis = node["axis"]
    # Keras sorts the axes as written, negative ones first.
    axes = (axis,) if not isinstance(axis, tuple) else sorted(axis) if _SORTS.made else axis
    dims = tuple(given.dims[one] for one in axes)
    return _normalized(node, given, _weights(node, dims, ("gamma", "beta")))


def _preprocessed(node: Node, given: Given, *weights: Weight) -> Answer:
    answer = _normalized(node, given, list(weights))
    for name in ("mean", "variance", "scale", "offset"):
        count = len(node[name]) if node.has(name) and isinstance(node[name], tuple) else 1
        if count not in (1, given.dims[-1].size):
            message = f"InvalidArgumentError: {name} has {count} numbers, the last axis has {given.dims[-1].size}"
            answer.refusals.append(Refusal(message, f"give {name} one number, or one for each channel"))
    return answer if _KEEPS_MASK.made else replace(answer, mask=None)


_KEEPS_MASK = change(
    "3.0",
    "Normalization and Rescaling keep a mask; before, they drop it",
    "layers/preprocessing/rescaling.py: Rescaling.__init__",
)


def _adapted(node: Node, given: Given) -> Answer:
    """Normalizes with a mean and variance of the data: arguments, or weights that ``adapt`` computes."""
    axes = () if node["axis"] is None else node["axis"] if isinstance(node["axis"], tuple) else (node["axis"],)
    dims = tuple(given.dims[axis] for axis in sorted(axis % len(given.dims) for axis in axes))
    if node["mean"] is not None:
        answer = _preprocessed(node, given)
        counts = {len(node[name]) if isinstance(node[name], tuple) else 1 for name in ("mean", "variance")}
        if not _SPREADS.made and counts != {size := prod(dim.size for dim in dims)}:
            message = f"InvalidArgumentError: Input to reshape is a tensor with {min(counts)} values, not {size}"
            answer.refusals.append(Refusal(message, "give mean and variance a number for each channel"))
        return answer
    kept = (variable_dtype if _AS_BUILT.made else compute_dtype)(node["dtype"])
    weights = (("mean", dims, kept), ("variance", dims, kept), ("count", (), "int64"))
    answer = _preprocessed(node, given, *(Weight(name, of, (), dtype, trainable=False) for name, of, dtype in weights))
    if given.execution != "eager" and _AS_BUILT.made:
        message = "TypeError: the mean of Normalization is out of scope, because the layer was built in a graph"
        hint = "in your code, build or adapt the layer first; here, use --execution eager"
        answer.refusals.append(Refusal(message, hint))
    return answer


_SPREADS = change(
    "3.8",
    "the mean and the variance of Normalization may be one number for all channels",
    "layers/preprocessing/normalization.py: Normalization.build",
    in_2=True,
)
_AS_BUILT = change(
    "3.0",
    "Normalization has weights in float32 under a mixed policy, and fails in a graph if it is not built earlier; "
    "before, it has weights in the dtype in which it computes, and is built outside the graph",
    "layers/preprocessing/normalization.py: Normalization.build",
)


def _mean_without_variance(node: Node) -> Iterator[Problem]:
    for given, missing in (("mean", "variance"), ("variance", "mean")):
        if node[given] is not None and node[missing] is None:
            yield Problem(given, f"{given} needs {missing} too: give both, or neither to adapt the layer to data")


_normalizing = partial(entry, check_input=axes_problem, keeps_mask=True)
_RENORM = (3, 14)
_SHIFT = (
    arg.Argument("center", arg.Flag(), True),
    arg.Argument("scale", arg.Flag(), True),
    arg.initializer("beta_initializer", "zeros"),
    arg.initializer("gamma_initializer", "ones"),
)
_KEPT_SMALL = (
    arg.regularizer("beta_regularizer"),
    arg.regularizer("gamma_regularizer"),
    arg.constraint("beta_constraint"),
    arg.constraint("gamma_constraint"),
)
_EPSILON = arg.Argument("epsilon", arg.Maybe(arg.Number()), 0.001)
_AXES = arg.Argument("axis", arg.Axes(), -1)

NORMALIZATION = (
    _normalizing(
        "BatchNormalization",
        (
            arg.Argument("axis", arg.Whole(-INT64 - 1), -1),
            arg.Argument("momentum", arg.Number(), 0.99),
            arg.Argument("epsilon", arg.Number(), 0.001),
            *_SHIFT,
            arg.initializer("moving_mean_initializer", "zeros"),
            arg.initializer("moving_variance_initializer", "ones"),
            *_KEPT_SMALL,
            arg.Argument("renorm", arg.Flag(), False, since=_RENORM),
            arg.Argument("renorm_clipping", arg.OneOf((None,)), None, since=_RENORM),
            arg.Argument("renorm_momentum", arg.Number(), 0.99, since=_RENORM),
            arg.Argument("synchronized", arg.Flag(), False),
            *arg.BASE,
        ),
        _batch,
        takes_mask=True,
        source="normalization/batch_normalization.py",
    ),
    _normalizing(
        "LayerNormalization",
        (
            *(_AXES, _EPSILON, *_SHIFT[:2]),
            arg.Argument("rms_scaling", arg.OneOf((False,)), False, since=KERAS_3, until=(3, 11)),
            *(*_SHIFT[2:], *_KEPT_SMALL, *arg.BASE),
        ),
        _layer,
        source="normalization/layer_normalization.py",
    ),
    _normalizing(
        "UnitNormalization",
        (_AXES, *arg.BASE),
        unchanged,
        source="normalization/unit_normalization.py",
        built=True,
    ),
    _normalizing(
        "Normalization",
        (
            arg.Argument("axis", arg.Maybe(arg.Axes(empty=True)), -1),
            *(arg.Argument(name, arg.Maybe(arg.Numbers()), None) for name in ("mean", "variance")),
            arg.Argument("invert", arg.Flag(), False),
            *arg.BASE,
        ),
        _adapted,
        check=_mean_without_variance,
        source="preprocessing/normalization.py",
    ),
    entry(
        "Rescaling",
        (arg.Argument("scale", arg.Numbers(), cli_default=0.5), arg.Argument("offset", arg.Numbers(), 0.0), *arg.BASE),
        _preprocessed,
        keeps_mask=True,
        source="preprocessing/rescaling.py",
    ),
)
