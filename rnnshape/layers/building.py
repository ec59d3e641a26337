"""Errors of Keras about valid arguments in an invalid combination: initializers, activations, regularizers, masks.

An initializer may not fit the rank or the dtype of its weight (``keras/src/initializers/``), an activation may change
the width of a cell's states (``layers/rnn/``), a regularizer may not fit the output (``regularizers/regularizers.py``,
``layers/layer.py: Layer.__call__``), a mask may not fit the steps of a layer (``backend/tensorflow/rnn.py``).  All read
in 3.15.1.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Problem
from rnnshape.layers.base import Refusal, compute_dtype, flat
from rnnshape.layers.kinds import INT64
from rnnshape.layers.names import IDENTITY, L1_REGULARIZER, ORTHOGONAL, ORTHOGONAL_REGULARIZER
from rnnshape.layers.objects import class_of
from rnnshape.layers.release import KERAS_3, asked, change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rnnshape.layers.base import Given, Returned, Weight
    from rnnshape.layers.dims import Dim
    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import LayerClass, Node


def uninitialized(node: Node, weights: Sequence[Weight]) -> Iterable[Refusal]:
    """Weights that their initializers cannot create; of Keras' defaults, only one fails, in bfloat16."""
    said = [name for name, _ in node.given if name.endswith("_initializer")]
    return _uninitialized(node, weights) if said or (weights and weights[0].dtype == "bfloat16") else ()


def _uninitialized(node: Node, weights: Sequence[Weight]) -> Iterator[Refusal]:
    for weight in weights:
        argument = _made_by(node.cls, weight.name)
        if argument is None:
            continue
        name, rank = class_of(node[argument]), len(weight.dims)
        if name in IDENTITY and rank != 2:
            what = f"{argument}={node[argument]!r} makes a matrix, and {weight.name} has {_axes(rank)}"
            yield Refusal(f"ValueError: {what}", _another(argument))
        elif name in ORTHOGONAL and rank < 2:
            what = f"{argument}={node[argument]!r} needs two axes, and {weight.name} has {_axes(rank)}"
            yield Refusal(f"ValueError: {what}", _another(argument))
        elif name in ORTHOGONAL and weight.dtype == "bfloat16":
            yield Refusal(
                f"InvalidArgumentError: the orthogonal {argument} needs Qr, which has no bfloat16",
                f"use mixed_bfloat16 (weights in float32), or another {argument}",
            )
        elif name is None and weight.name == "bias" and node.has("unit_forget_bias") and node["unit_forget_bias"]:
            yield Refusal(
                "TypeError: 'NoneType' object is not callable (bias_initializer=None with unit_forget_bias)",
                "use bias_initializer='zeros', or unit_forget_bias=False",
            )


@cache
def _made_by(layer: LayerClass, weight: str) -> str | None:
    """The name of the argument for a weight's initializer: ``depthwise_initializer`` for a depthwise ``kernel``."""
    stems = (weight, weight.removesuffix("_kernel"), "depthwise" if weight == "kernel" else "")
    return next((f"{stem}_initializer" for stem in stems if f"{stem}_initializer" in layer.by_name), None)


def _axes(rank: int) -> str:
    return f"{rank} {'axis' if rank == 1 else 'axes'}"


def _another(argument: str) -> str:
    return f"use another {argument}, such as 'glorot_uniform' or 'zeros'"


def changes_of_width(node: Node, width: int) -> Iterator[Problem]:
    """Reject activations that change the ``width`` of a cell's states: ``glu`` halves it.

    With some of them, Keras runs one step and fails in the second.
    """
    asked = [name for name in ("activation", "recurrent_activation") if node.has(name) and node[name] == "glu"]
    if asked and not _keeps(node, width):
        what = f"must not be 'glu', which halves the last axis: the states must keep their {width}"
        yield Problem(asked[0], f"{what} (to halve the output, put Dense(…, activation='glu') after the layer)")


def _keeps(node: Node, width: int) -> bool:
    """Whether the new states of a step have the width of the old ones."""
    try:
        candidate = halved(node["activation"], width)
        if not node.has("recurrent_activation"):
            return candidate == width
        gate = halved(node["recurrent_activation"], width)
        # The sum of the old state and the candidate, each times its gate: LSTM's c, GRU's h.
        held = _broadcast(_broadcast(gate, width), _broadcast(gate, candidate))
        hidden = held if node.has("reset_after") else _broadcast(gate, halved(node["activation"], held))
    except ValueError:
        return False
    return held == hidden == width


def halved(activation: str | None, width: int) -> int:
    """The width after an activation.

    Raises:
        ValueError: ``glu`` of an odd width.
    """
    if activation != "glu":
        return width
    if width % 2:
        raise ValueError(f"axis size must be divisible by 2, but it is {width}")
    return width // 2


def _broadcast(left: int, right: int) -> int:
    if left != right and 1 not in (left, right):
        raise ValueError(f"{left} and {right} cannot be combined")
    return max(left, right)


def one_dtype(node: Node) -> Iterator[Problem]:
    """In Keras 2, a cell gets states in the dtype of the layer around it; only its input is cast."""
    if asked() >= KERAS_3:
        return
    dtype = compute_dtype(node["dtype"])
    for cell in node.walk()[1:]:
        if compute_dtype(cell["dtype"]) != dtype:
            yield Problem("", f"{cell.name} must compute in {dtype} as {node.name} does: Keras 2 casts no states")


def unregularized(node: Node, given: Given, returned: Returned) -> Iterable[Refusal]:
    """Reject an activity regularizer that does not fit one of the returned tensors.

    A wrapper that runs ``call`` itself does not apply the regularizer; SimpleRNN never passes its own to its base class
    (``docs/keras-quirks.md``).
    """
    asked = node["activity_regularizer"] if node.has("activity_regularizer") else None
    if asked is None or given.within is not None or node.name == "SimpleRNN":
        return ()
    if class_of(asked) in L1_REGULARIZER and not _FOLLOWS_DTYPE.made:
        return _unlike_float32(asked, returned)
    return _unlike_a_matrix(asked, returned) if class_of(asked) in ORTHOGONAL_REGULARIZER else ()


_FOLLOWS_DTYPE = change(
    "3.14",
    "the regularizer l1 takes an activity of any dtype; before, only of float32",
    "regularizers/regularizers.py: L1.__call__",
    in_2=True,
)


def _unlike_float32(asked: Any, returned: Returned) -> Iterator[Refusal]:
    for leaf in flat(returned):
        if leaf.dtype != "float32":
            yield Refusal(
                f"InvalidArgumentError: activity_regularizer={asked!r} needs float32, and {leaf.role} is {leaf.dtype}",
                "use 'l2' or float32",
            )


def _unlike_a_matrix(asked: Any, returned: Returned) -> Iterator[Refusal]:
    for leaf in flat(returned):
        if len(leaf.dims) != 2:
            yield Refusal(
                f"ValueError: activity_regularizer={asked!r} needs two axes, and {leaf.role} has {len(leaf.dims)}",
                "use 'l1', 'l2' or 'l1l2'",
            )
        elif leaf.dtype != "float32":
            yield Refusal(
                f"InvalidArgumentError: activity_regularizer={asked!r} needs float32, and {leaf.role} is {leaf.dtype}",
                "use 'l1', 'l2' or 'l1l2', or float32",
            )


def unmaskable(node: Node, mask: Mask, time: Dim, stepped: Returned) -> Iterator[Refusal]:
    """Reject a mask that cannot be broadcast to the output of a step.

    Keras appends axes of size 1 to the mask and repeats it over them.  On an axis that both have, the sizes must be
    equal, or 1 in the mask (``_expand_mask`` in ``keras/src/backend/tensorflow/rnn.py``).  Unrolled, Keras repeats the
    mask over all axes, also over those that it has.
    """
    if not mask.behind and mask.steps == time.size:
        return
    fit = mask.steps == time.size and all(
        len(mask.behind) < len(leaf.dims)
        and all(
            size == 1 or (size == dim.size and not node["unroll"])
            for size, dim in zip(mask.behind, leaf.dims[1:], strict=False)
        )
        for leaf in flat(stepped)
    )
    if not fit:
        shape = ", ".join(map(str, (mask.batch, mask.steps, *mask.behind)))
        yield Refusal(
            f"ValueError: a mask of shape ({shape}) does not match the steps of {node.name}",
            f"the mask attached to the tensor, ({shape}), must be (N, T) or have the sizes of the output's axes: pass "
            "mask= of shape (N, T), or keep the spatial size (padding='same', strides=1, channels_last, no unroll)",
        )


def lora_with_constraint(node: Node, constraint: str) -> Iterator[Refusal]:
    """Reject a low-rank adaptation of a weight with a constraint."""
    if node["lora_rank"] and node[constraint] is not None:
        yield Refusal(
            f"ValueError: lora_rank={node['lora_rank']} and {constraint} cannot be combined",
            f"drop lora_rank or {constraint}",
        )


def too_many_values(weights: Iterable[Weight]) -> Iterator[Refusal]:
    """Reject weights with more elements than TensorFlow can count."""
    for weight in weights:
        if weight.size > INT64:
            yield Refusal(
                f"InvalidArgumentError: {weight.name} has more elements than TensorFlow can count, at most {INT64}",
                "make the layer or its input smaller",
            )


# Valid names of scopes and operations in a graph (tensorflow/python/framework/ops.py, core/graph/tensor_id.cc).
_INNER = re.compile(r"(?:[A-Za-z0-9_.-]|>(?=[A-Za-z0-9_.]))*")
_OUTER = re.compile(r"(?![_>-])" + _INNER.pattern)


def names_invalid_in_graphs(node: Node) -> Iterator[Refusal]:
    """Reject layer names that are invalid in a TensorFlow graph."""
    # The layer in TimeDistributed uses its name in the graph only when it is built there, not if it is built before.
    silent = [part["layer"] for part in node.walk() if part.name == "TimeDistributed"]
    for part in node.walk():
        if part.cls.built and any(part is inner for inner in silent):
            continue
        # A loop over time is a graph of its own, with the cell as its outermost scope.
        pattern = _OUTER if part in node.in_turn or part.cls.kind == "cell" else _INNER
        if part.has("name") and part["name"] is not None and not pattern.fullmatch(part["name"]):
            yield Refusal(
                f"ValueError: name={part['name']!r} is not a valid operation name in a graph",
                "use letters, digits, '.', '_' and '-', a letter or digit first, or --execution eager",
            )
