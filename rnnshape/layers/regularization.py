"""Dropout and noise layers: they return their input, and in training a random change of it.

From Keras' ``layers/regularization`` (read in 3.15.1).
"""

from __future__ import annotations

from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers import contents
from rnnshape.layers.around import answered, entry, own_dtype, unchanged
from rnnshape.layers.base import Refusal, compute_dtype
from rnnshape.layers.dims import fixed
from rnnshape.layers.dropping import all_dropped
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.space import DATA_FORMAT, picture, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import Node


def _stretching(node: Node, given: Given) -> Answer:
    """The same shape; in training, ``noise_shape`` may broadcast it."""
    dims, refusals = given.dims, [*_rate_of_one(node, given)]
    drops = node["rate"] > 0 and (node["rate"] < 1 or node.name == "AlphaDropout")
    if given.training and drops and node["noise_shape"] is not None:
        try:
            dims = _stretched(dims, node["noise_shape"])
            if node.name == "AlphaDropout" and None in node["noise_shape"]:
                # tf.keras has an older class of this name.
                message = "ValueError: Attempt to convert a value (None) with an unsupported type to a Tensor"
                refusals.append(Refusal(message, "write the sizes of noise_shape out"))
        except ValueError:
            sizes = tuple(dim.size for dim in dims)
            message = f"InvalidArgumentError: noise_shape={node['noise_shape']} does not match an input of {sizes}"
            refusals.append(Refusal(message, "give one size for each axis of the input: 1, None or the axis' own"))
    answer = answered(node, given, dims)
    answer.refusals += refusals
    return answer


def _stretched(dims: Dims, noise: tuple[int | None, ...]) -> Dims:
    """The broadcast of the input and a noise mask.

    Raises:
        ValueError: they cannot be broadcast.
    """
    if any(size is None for size in noise[len(dims) :]):
        raise ValueError(noise)
    mask = [dims[axis] if size is None else fixed(size) for axis, size in enumerate(noise)]
    out = []
    for own, other in zip_longest(reversed(dims), reversed(mask), fillvalue=fixed(1)):
        if own.size != other.size and 1 not in (own.size, other.size):
            raise ValueError(noise)
        out.append(own if own.size >= other.size else other)
    return tuple(reversed(out))


def _rate_of_one(node: Node, given: Given) -> Iterator[Refusal]:
    """Reject a rate of 1 in training: the layer divides by zero, or, in old releases, TensorFlow rejects it."""
    if node.name not in ("AlphaDropout", "GaussianDropout"):
        yield from all_dropped(node, makes_mask=given.training)
    elif given.training and node["rate"] == 1 and asked() >= KERAS_3:
        yield Refusal("ZeroDivisionError: a rate of 1 leaves nothing to divide by", "use a rate below 1")


def _dropping(node: Node, given: Given) -> Answer:
    answer = unchanged(node, given)
    answer.refusals += _rate_of_one(node, given)
    return answer


def _noisy(node: Node, given: Given) -> Answer:
    """The same shape; in training, the noise has the layer's own dtype."""
    answer = unchanged(node, given)
    answer.refusals += _rate_of_one(node, given)
    amount, own = node["stddev" if node.has("stddev") else "rate"], compute_dtype(node["dtype"])
    if given.training and amount and own_dtype(node, given) != own:
        answer.refusals.append(
            Refusal(
                f"InvalidArgumentError: TimeDistributed passes {given.dtype}, but the noise of {node.name} is {own}",
                "give TimeDistributed and its layer one dtype",
            )
        )
    return answer


RATE = arg.Argument("rate", arg.DropRate(), help="Fraction to drop in training.", flag=True, cli_default=0.5)
NOISE_SHAPE = arg.Argument("noise_shape", arg.Maybe(arg.NoiseShape()), None)
# The spatial dropouts take only these keywords of the base class; in Keras 2 all of them.
_OF_BASE_2 = (arg.TRAINABLE, arg.AUTOCAST, arg.ACTIVITY_REGULARIZER)
SPATIAL = (arg.NAMED_SEED, arg.PLACED_NAME, arg.DTYPE, *(replace(one, until=KERAS_3) for one in _OF_BASE_2))


_regularizing = partial(entry, contents=contents.unchanged, keeps_mask=True, built=True)

REGULARIZATION = (
    _regularizing("Dropout", (RATE, NOISE_SHAPE, arg.SEED, *arg.BASE), _stretching, source="regularization/dropout.py"),
    _regularizing("SpatialDropout1D", (RATE, *SPATIAL), _dropping, steps, source="regularization/spatial_dropout.py"),
    _regularizing(
        "SpatialDropout2D",
        (RATE, DATA_FORMAT, *SPATIAL),
        _dropping,
        picture,
        source="regularization/spatial_dropout.py",
    ),
    _regularizing(
        "GaussianNoise",
        (arg.Argument("stddev", arg.Number(0, 1), cli_default=0.1), arg.SEED, *arg.BASE),
        _noisy,
        contents=contents.noisy,
        source="regularization/gaussian_noise.py",
    ),
    _regularizing("GaussianDropout", (RATE, arg.SEED, *arg.BASE), _noisy, source="regularization/gaussian_dropout.py"),
    _regularizing(
        "AlphaDropout",
        (RATE, NOISE_SHAPE, arg.SEED, *arg.BASE),
        _stretching,
        contents=contents.noisy,
        source="regularization/alpha_dropout.py",
    ),
    _regularizing(
        "ActivityRegularization",
        (*(arg.Argument(name, arg.Maybe(arg.Number(0)), 0.0) for name in ("l1", "l2")), *arg.EVERY_LAYER),
        unchanged,
        source="regularization/activity_regularization.py",
    ),
)
