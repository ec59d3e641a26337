"""Attention, AdditiveAttention and MultiHeadAttention: a query attends to the steps of a value.

Source: ``keras/src/layers/attention/`` of Keras 3.15.1.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers.around import answered, any_sequence
from rnnshape.layers.base import Leaf, Product, Refusal, Weight, compute_dtype, variable_dtype
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.dropping import all_dropped
from rnnshape.layers.masking import attached
from rnnshape.layers.node import LayerClass
from rnnshape.layers.release import KERAS_3, change
from rnnshape.layers.several import alone, every_dims, every_mask, masks_handed_on, shown, shown_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import Node


def _parts(inputs: Sequence[Dims]) -> tuple[Dims, Dims, Dims]:
    """Query, value and key; without a key, the value is used."""
    query, value = inputs[:2]
    return query, value, inputs[2] if len(inputs) > 2 else value


def _scored(node: Node, given: Given, answer: Answer, scores: Dims) -> Answer:
    """The answer, with the scores, which may be dropped, after the output if the call asks for them."""
    answer.refusals += all_dropped(node, makes_mask=given.training)
    if given.scores:
        output = answer.outputs[0]
        answer.returned = (output, Leaf("scores", scores, output.dtype))
    return answer


def _attention(node: Node, given: Given) -> Answer:
    """``(N, Tq, V)``: for each step of the query, a weighted mean of the value's steps."""
    query, value, key = _parts(every_dims(given))
    kept = variable_dtype(node["dtype"])
    scored = node.has("score_mode") and node["score_mode"] == "dot"
    weights = []
    if node["use_scale"]:
        weights.append(Weight("scale", () if node.has("score_mode") else (query[-1],), (), kept))
    if node.has("score_mode") and not scored:
        weights.append(Weight("concat_score_weight", (), (), kept))
    flat = every_mask(given)[1] is not None and not _MASKS_SCORES.made
    # If the query has one step, such a mask broadcasts its scores to the number of its rows.
    asking = (*query[:-2], query[0]) if flat and query[-2].size == 1 else query[:-1]
    mask = attached(masks_handed_on(given)[0])
    answer = answered(node, given, (*asking, value[-1]), *weights, mask=mask)
    answer.refusals += _unlike_masks(node, query) if flat else ()
    # Only score_mode="dot" computes the scores with a matrix product; the others sum the result of tanh.
    scores = [Product((*query[:-1], key[-2], query[-1]))] if scored else []
    answer.products = [*scores, Product((*asking, key[-2], value[-1]))]
    return _scored(node, given, answer, (*asking, key[-2]))


_MASKS_SCORES = change(
    "3.12",
    "Attention and AdditiveAttention take a mask of their value, (N, T), for any N",
    "layers/attention/attention.py: Attention._apply_scores",
    in_2=True,
)


def _unlike_masks(node: Node, query: Dims) -> Iterator[Refusal]:
    """Before 3.12, a mask (N, Tv) was broadcast to the scores (N, Tq, Tv) without an axis for Tq."""
    batch, steps = query[0].size, query[-2].size
    if 1 not in (batch, steps) and batch != steps:
        yield Refusal(
            f"InvalidArgumentError: the value's mask has {batch} rows, applied to the query's {steps} steps",
            f"use MultiHeadAttention, or give the value of {node.name} no mask",
        )


def _multi_head(node: Node, given: Given) -> Answer:
    """``(N, Tq, C)``: the width is that of the query, or ``output_shape``."""
    query, value, key = _parts(every_dims(given))
    heads, key_dim = Dim.of(node["num_heads"], "heads"), Dim.of(node["key_dim"], "key_dim")
    value_dim = Dim.of(node["value_dim"], "value_dim") if node["value_dim"] else key_dim
    out = tuple(map(fixed, _output_shape(node))) or (query[-1],)
    kept = variable_dtype(node["dtype"])
    projections = [("query", query, key_dim), ("key", key, key_dim)]
    projections += [("gate", query, value_dim)] if node["use_gate"] else []
    projections += [("value", value, value_dim)]
    weights: list[Weight] = []
    for name, dims, width in projections:
        weights += _projection(node, name, (dims[-1], heads, width), (heads, width), kept)
    weights += _projection(node, "attention_output", (heads, value_dim, *out), out, kept)
    answer = answered(node, given, (*query[:-1], *out), *weights, mask=attached(given.mask))
    between = (*query[:-1], *key[1:-1], heads)
    answer.products = [
        *(Product((*dims, heads, width)) for _, dims, width in projections),
        Product((*between, key_dim)),
        Product((*between, value_dim)),
        Product((*query[:-1], heads, value_dim, *out)),
    ]
    axes = slice(1, 2 if node["attention_axes"] else len(query) - 1)
    beside = query[axes.stop : -1]  # the axes without attention
    return _scored(node, given, answer, (query[0], *beside, heads, *query[axes], *key[axes]))


def _output_shape(node: Node) -> tuple[int, ...]:
    shape = node["output_shape"]
    return shape if isinstance(shape, tuple) else () if shape is None else (shape,)


def _projection(node: Node, name: str, kernel: Dims, bias: Dims, dtype: str) -> Iterator[Weight]:
    yield Weight(f"{name}_kernel", kernel, (), dtype)
    if node["use_bias"]:
        yield Weight(f"{name}_bias", bias, (), dtype)


def unmasks(node: Node, dtype: str) -> bool:
    """Whether a layer removes the mask from an input tensor of this dtype.

    MultiHeadAttention sets the mask of its inputs to None, unless a cast copies them first.  A later call with the same
    tensor then gets no mask (``multi_head_attention.py: MultiHeadAttention.call``).
    """
    return node.name == "MultiHeadAttention" and dtype == compute_dtype(node["dtype"]) and _UNMASKS.made


_UNMASKS = change(
    "3.8",
    "MultiHeadAttention removes the mask from its inputs",
    "layers/attention/multi_head_attention.py: MultiHeadAttention.call",
)


# -- inputs -------------------------------------------------------------------------------------


def _attends(node: Node, inputs: Sequence[Dims]) -> str | None:
    if wrong := _sequences(node, inputs):
        return wrong
    query, value, key = _parts(inputs)
    if len({tuple(dim.size for dim in dims[:-2]) for dims in inputs}) > 1:
        return f"{node.name} needs the same axes before the time axis, and the inputs are {shown_all(inputs)}"
    if key[-2].size != value[-2].size:
        return f"key and value must have one length, and they are {shown(key)} and {shown(value)}"
    one, other = query[-1], key[-1]
    # A sum broadcasts a width of 1, a matrix product does not.
    stretches = not (node.has("score_mode") and node["score_mode"] == "dot") and 1 in (one.size, other.size)
    if one.size != other.size and not stretches:
        return (
            f"query and {'key' if len(inputs) > 2 else 'value'} must have one width, and they are "
            f"{shown(query)} and {shown(key)}: give both layers the same units, or put a Dense({other.size}) "
            "after the query"
        )
    return None


def _attends_in_heads(node: Node, inputs: Sequence[Dims]) -> str | None:
    if wrong := _sequences(node, inputs):
        return wrong
    query, value, key = _parts(inputs)
    if [dim.size for dim in key[1:-1]] != [dim.size for dim in value[1:-1]]:
        return f"key and value must have one length, and they are {shown(key)} and {shown(value)}"
    if len(query) != len(value):
        return f"query and value must have one rank, and they are {shown(query)} and {shown(value)}"
    if query[-1].size != value[-1].size and _BUILDS_ALIKE.made and not _BUILDS_UNLIKE.made:
        return f"Keras 3.5 and 3.6 need one width of query and value, and they are {shown(query)} and {shown(value)}"
    return None


_BUILDS_ALIKE = change(
    "3.5",
    "MultiHeadAttention takes a query and a value of one width only",
    "layers/attention/multi_head_attention.py: MultiHeadAttention.build",
)
_BUILDS_UNLIKE = change(
    "3.7",
    "MultiHeadAttention takes a query and a value of different widths",
    "layers/attention/multi_head_attention.py: MultiHeadAttention.build",
    in_2=True,
)


def _sequences(node: Node, inputs: Sequence[Dims]) -> str | None:
    called = "attention(query, value)" if node.name == "MultiHeadAttention" else "attention([query, value])"
    if len(inputs) not in (2, 3):
        return f"{node.name} takes a query, a value and perhaps a key: call it as {called}"
    if short := next((dims for dims in inputs if len(dims) < 3), None):
        return (
            f"{node.name} needs sequences (N, T, C), and one input is {shown(short)}: "
            "give its layer `return_sequences=True`"
        )
    if len({dims[0].size for dims in inputs}) > 1:
        return f"{node.name} needs one batch size in all inputs, and they are {shown_all(inputs)}"
    return None


class OutputShape(arg.Kind, frozen=True):
    """The output sizes after the time axis: one, or a tuple of them."""

    allowed = "a whole number, 1 or more, a tuple of them, or None"

    def accepts(self, value: Any) -> bool:
        each = value if isinstance(value, tuple) and value else (value,)
        return value is None or all(map(arg.Whole().accepts, each))


_DROPOUT = arg.Argument("dropout", arg.DropRate(), 0.0)
_PLACED = replace(_DROPOUT, placed=KERAS_3)
_WIDTH = arg.Maybe(arg.Whole())

_attending = partial(LayerClass, kind="merge", letters=any_sequence, check_input=alone)

ATTENTIONS = (
    _attending(
        "Attention",
        arguments=(
            arg.Argument("use_scale", arg.Flag(), False),
            arg.Argument("score_mode", arg.OneOf(("dot", "concat")), "dot"),
            *(_PLACED, arg.NAMED_SEED, *arg.BASE),
        ),
        theory=_attention,
        check_inputs=_attends,
        source="attention/attention.py: Attention.call",
    ),
    _attending(
        "AdditiveAttention",
        arguments=(arg.Argument("use_scale", arg.Flag(), True), _PLACED, arg.NAMED_SEED, *arg.BASE),
        theory=_attention,
        check_inputs=_attends,
        source="attention/additive_attention.py: AdditiveAttention.call",
    ),
    _attending(
        "MultiHeadAttention",
        arguments=(
            arg.Argument("num_heads", arg.Whole()),
            arg.Argument("key_dim", arg.Whole()),
            arg.Argument("value_dim", _WIDTH, None),
            _DROPOUT,
            arg.USE_BIAS,
            arg.Argument("output_shape", OutputShape(), None),
            arg.Argument("attention_axes", arg.OneOf((None, 1, (1,))), None),
            arg.Argument("sliding_window", _WIDTH, None, since=(3, 15)),
            arg.Argument("flash_attention", arg.OneOf((None, False)), None, since=(3, 7)),
            *arg.of_weights("kernel", "bias"),
            arg.Argument("use_gate", arg.Flag(), False, since=(3, 14)),
            replace(arg.SEED, since=(3, 4)),
            *arg.EVERY_LAYER,
        ),
        theory=_multi_head,
        check_inputs=_attends_in_heads,
        source="attention/multi_head_attention.py: MultiHeadAttention.call",
    ),
)
