"""Predicts which time steps of a tensor are all zeros, because a later Masking masks them.

True: all zeros; False: not; None: only the values can tell.  A step that is computed with random weights is not zero,
unless the activation is flat at zero, the weights are initialized with zeros, or dropout is active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.arguments import KERNEL_INITIALIZERS
from rnnshape.layers.scan import ZERO, ZEROS, distinct, each

if TYPE_CHECKING:
    from rnnshape.layers.base import Answer, Dims, Given, Zeros
    from rnnshape.layers.node import Node

# Activations that are zero only at zero, and those that are never zero.
_THROUGH_ZERO = {
    *("celu", "elu", "gelu", "leaky_relu", "linear", "mish", "selu", "silu", "softsign", "swish", "tanh"),
    None,
}
_NEVER_ZERO = {"exponential", "log_sigmoid", "sigmoid", "softplus"}
_ACTIVATIONS = ("activation", "recurrent_activation")
_DROPS = ("dropout", "recurrent_dropout", "rate")
_INITIALIZERS = (*(argument.name for argument in KERNEL_INITIALIZERS[:2]), "embeddings_initializer")


def reached(given: Given) -> Zeros:
    """The zero steps of a layer's input; the input of the whole is random, so it has none."""
    batch, *steps = (dim.size for dim in given.dims[:2])
    unknown = None if given.zeros is None and not given.raw else False
    return given.zeros or ((unknown,) * (steps or [1])[0],) * batch


def lively(node: Node, *, training: bool) -> bool:
    """Whether a step that is computed from nonzero numbers is nonzero, except by a rare coincidence."""
    for part in node.walk():
        if any(part.has(name) and part[name] not in _THROUGH_ZERO | _NEVER_ZERO for name in _ACTIVATIONS):
            return False
        if any(part.has(name) and part[name] != part.cls.defaults[name] for name in _INITIALIZERS):
            return False
        if training and any(part.has(name) and part[name] for name in _DROPS):
            return False
    return True


def unchanged(node: Node, answer: Answer, given: Given) -> Zeros:
    """Dropout: zero steps stay zero; in training, others may become zero."""
    return _alone(node, given, zero=True)


def noisy(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """Noise: in training it changes zeros too."""
    amount = node["stddev" if node.has("stddev") else "rate"]
    return None if given.training and amount else unchanged(node, answer, given)


def activated(node: Node, answer: Answer, given: Given) -> Zeros:
    """An activation layer."""
    return _alone(node, given, zero=True if node["activation"] in _THROUGH_ZERO else None)


def dense(node: Node, answer: Answer, given: Given) -> Zeros:
    """Dense: zeros stay zeros, unless the bias or the activation changes them."""
    biased = node["use_bias"] and node["bias_initializer"] != "zeros"
    stays = node["activation"] in _THROUGH_ZERO and not biased
    return _alone(node, given, zero=True if stays else None)


def looked_up(node: Node, answer: Answer, given: Given) -> Zeros:
    """Embedding: index 0 gives a vector like any other."""
    return _alone(node, given, zero=False)


def masked(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """Masking: masked steps become zeros."""
    if answer.mask is None:
        return None
    if not answer.mask.sure:
        return _every(None, given.dims)
    if answer.mask.said is None:
        return reached(given)
    rows = zip(answer.mask.said, reached(given), strict=True)
    return tuple(tuple(zero if valid else True for valid, zero in zip(*row, strict=True)) for row in rows)


def recurrent(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """A recurrent layer: masked steps may be zeros, and so may steps that are computed from zeros."""
    dims = answer.outputs[0].dims
    if len(dims) < 3 or answer.scan is None:
        return None
    computed = _computed(node, answer, given)
    if answer.scan.mask is None:
        return _every(computed, dims)
    if not node["return_sequences"]:
        return each(lambda row: (True if row.output == ZERO else computed,) * dims[1].size, answer.scan.rows)
    return each(lambda row: tuple(True if token == ZERO else computed for token in row.steps), answer.scan.rows)


def both_ways(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """Bidirectional: a step is zero if it is zero in all strips."""
    dims = answer.outputs[0].dims
    if len(dims) < 3:
        return None
    computed = _computed(node, answer, given)
    if answer.scan is None or answer.scan.mask is None:
        return _every(computed, dims)
    if not answer.strips or not node["layer"]["return_sequences"]:
        return _every(None, dims)
    parts = zip(*(strip.steps for strip in answer.strips), strict=True)
    return tuple(
        tuple(True if all(kind == ZEROS for kind in step) else computed for step in zip(*rows, strict=True))
        for rows in parts
    )


def _every(zero: bool | None, dims: Dims) -> Zeros:
    """The same for every step of a tensor."""
    return ((zero,) * dims[1].size,) * dims[0].size


def _alone(node: Node, given: Given, *, zero: bool | None) -> Zeros:
    """The steps after a layer that treats each of them alone; a zero step becomes ``zero``."""
    computed = False if lively(node, training=given.training) else None
    becomes = {True: zero, False: computed, None: computed if zero == computed else None}
    return each(lambda row: tuple(becomes[step] for step in row), reached(given))


def _computed(node: Node, answer: Answer, given: Given) -> bool | None:
    """False if all steps that a recurrent layer computes are known to be nonzero, else None."""
    if not lively(node, training=given.training):
        return None
    mask, fed = None if answer.scan is None else answer.scan.mask, reached(given)
    if mask is None:
        return False if all(zero is False for row in distinct(fed) for zero in row) else None
    pairs = {(id(row), id(steps)): (row, steps) for row, steps in zip(fed, mask.rows, strict=True)}.values()
    used = (zero for row, steps in pairs for zero, valid in zip(row, steps, strict=True) if valid)
    return False if all(zero is False for zero in used) else None
