"""Which steps of a tensor are zero throughout, as far as theory can know: what a Masking further on finds.

True is zero, False is not, None is what only the values tell.  A step that is computed from random weights is not zero,
unless an activation has a flat place at zero, weights are made of zeros, or dropout drops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.arguments import KERNEL_INITIALIZERS
from rnnshape.layers.scan import ZERO, ZEROS, each

if TYPE_CHECKING:
    from rnnshape.layers.base import Answer, Given, Zeros
    from rnnshape.layers.node import Node
    from rnnshape.layers.scan import Row

# Activations that give zero at zero and nowhere else, and those that never do.
_THROUGH_ZERO = {
    "celu",
    "elu",
    "gelu",
    "leaky_relu",
    "linear",
    "mish",
    "selu",
    "silu",
    "softsign",
    "swish",
    "tanh",
    None,
}
_NEVER_ZERO = {"exponential", "log_sigmoid", "sigmoid", "softplus"}
_DROPS = ("dropout", "recurrent_dropout", "rate")
_INITIALIZERS = (*(argument.name for argument in KERNEL_INITIALIZERS[:2]), "embeddings_initializer")


def reached(given: Given) -> Zeros:
    """What reaches a layer: random numbers, where it is what was fed."""
    batch, *steps = (dim.size for dim in given.dims[:2])
    unknown = None if given.zeros is None and not given.raw else False
    return given.zeros or ((unknown,) * (steps or [1])[0],) * batch


def lively(node: Node, *, training: bool) -> bool:
    """Whether nothing but a rare accident makes a step zero that is computed from numbers that are not."""
    for part in node.walk():
        if any(part.has(name) and part[name] not in _THROUGH_ZERO | _NEVER_ZERO for name in _ACTIVATIONS):
            return False
        if any(part.has(name) and part[name] != part.cls.defaults[name] for name in _INITIALIZERS):
            return False
        if training and any(part.has(name) and part[name] for name in _DROPS):
            return False
    return True


_ACTIVATIONS = ("activation", "recurrent_activation")


def unchanged(node: Node, answer: Answer, given: Given) -> Zeros:
    """Dropout: what is zero stays so, and in training more may become it."""
    computed = False if lively(node, training=given.training) else None
    return _each(reached(given), computed, zero=True)


def noisy(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """What adds something to zeros too, in training."""
    amount = node["stddev" if node.has("stddev") else "rate"]
    return None if given.training and amount else unchanged(node, answer, given)


def activated(node: Node, answer: Answer, given: Given) -> Zeros:
    """An activation alone."""
    computed = False if lively(node, training=given.training) else None
    return _each(reached(given), computed, zero=True if node["activation"] in _THROUGH_ZERO else None)


def dense(node: Node, answer: Answer, given: Given) -> Zeros:
    """Zeros times a kernel are zeros; what bias and activation make of these is not always."""
    biased = node["use_bias"] and node["bias_initializer"] != "zeros"
    stays = node["activation"] in _THROUGH_ZERO and not biased
    computed = False if lively(node, training=given.training) else None
    return _each(reached(given), computed, zero=True if stays else None)


def looked_up(node: Node, answer: Answer, given: Given) -> Zeros:
    """An Embedding: the word 0 is a vector like any other."""
    return _each(reached(given), False if lively(node, training=given.training) else None, zero=False)


def masked(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """A Masking makes zeros of what it masks."""
    if answer.mask is None:
        return None
    if not answer.mask.sure:
        return _each(reached(given), None, zero=None)
    if answer.mask.said is None:
        return reached(given)
    made = each(lambda row: tuple(not valid for valid in row), answer.mask.said)
    return _either(made, reached(given))


def recurrent(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """Masked steps may be zero; a step that is computed from zeros may be zero too."""
    dims = answer.outputs[0].dims
    if len(dims) < 3 or answer.scan is None:
        return None
    batch, steps = dims[0].size, dims[1].size
    computed = False if lively(node, training=given.training) and _fed(answer, given) else None
    if answer.scan.mask is None:
        return ((computed,) * steps,) * batch
    if not node["return_sequences"]:
        return each(lambda row: (True if row.output == ZERO else computed,) * steps, answer.scan.rows)

    def told(row: Row) -> tuple[bool | None, ...]:
        return tuple(True if token == ZERO else computed for token in row.steps)

    return each(told, answer.scan.rows)


def both_ways(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """A Bidirectional: zero where both directions are, or where one of two factors is."""
    dims = answer.outputs[0].dims
    if len(dims) < 3:
        return None
    computed = False if lively(node, training=given.training) and _fed(answer, given) else None
    if answer.scan is None or answer.scan.mask is None:
        return ((computed,) * dims[1].size,) * dims[0].size
    if not answer.strips or not node["layer"]["return_sequences"]:
        return ((None,) * dims[1].size,) * dims[0].size
    parts = zip(*(strip.steps for strip in answer.strips), strict=True)
    return tuple(
        tuple(True if all(kind == ZEROS for kind in step) else computed for step in zip(*rows, strict=True))
        for rows in parts
    )


def _fed(answer: Answer, given: Given) -> bool:
    """Whether no step is known, or feared, to be zero that the layer computes with."""
    mask = None if answer.scan is None else answer.scan.mask
    fed = reached(given)
    if mask is None:
        return all(zero is False for row in {id(row): row for row in fed}.values() for zero in row)
    return all(
        zero is False or not valid
        for row, steps in {(id(a), id(b)): (a, b) for a, b in zip(fed, mask.rows, strict=True)}.values()
        for zero, valid in zip(row, steps, strict=True)
    )


def _each(before: Zeros, computed: bool | None, *, zero: bool | None) -> Zeros:
    """What becomes of each step: of a zero one, and of one that is not."""
    becomes = {True: zero, False: computed, None: computed if zero == computed else None}
    return each(lambda row: tuple(becomes[step] for step in row), before)


def _either(made: Zeros, before: Zeros) -> Zeros:
    return tuple(
        tuple(True if new else old for new, old in zip(row, steps, strict=True))
        for row, steps in zip(made, before, strict=True)
    )
