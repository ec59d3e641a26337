"""Dense, Embedding, Masking and Identity: the layers of Keras' ``layers/core`` (read in 3.15.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers import contents
from rnnshape.layers.around import (
    answered,
    any_rank,
    any_sequence,
    as_read,
    entry,
    halving,
    own_dtype,
    promoted,
    softmax_of_many_axes,
    unchanged,
)
from rnnshape.layers.base import Product, Weight, compute_dtype, variable_dtype
from rnnshape.layers.building import lora_with_constraint, uninitialized
from rnnshape.layers.dims import Dim
from rnnshape.layers.masking import Mask
from rnnshape.layers.scan import distinct, each

if TYPE_CHECKING:
    from rnnshape.layers.base import Answer, Dims, Given, Zeros
    from rnnshape.layers.node import Node


def _dense(node: Node, given: Given) -> Answer:
    """``(…, H)``: the last axis becomes ``units``, the others are kept; ``glu`` halves it."""
    *before, channels = given.dims
    units = Dim.of(node["units"], given.letter)
    kept = variable_dtype(node["dtype"])
    weights = [Weight("kernel", (channels, units), (), kept), Weight("bias", (units,), (), kept)]
    weights = weights[: 2 if node["use_bias"] else 1]
    dtype = own_dtype(node, given)
    if given.within is not None:
        found = as_read(node, given)
        # The layer itself casts an adapted kernel.
        dtype = promoted(dtype, compute_dtype(node["dtype"]) if node["lora_rank"] else found)
        dtype = promoted(dtype, found) if node["use_bias"] else dtype
    dims, refusals = halving(node["activation"], (*before, units))
    adapted, product = adapted_by(node, "kernel", (channels, units))
    answer = answered(node, given, dims, *weights, *adapted, dtype=dtype)
    answer.products = [Product((*given.dims, units)), *product]
    answer.refusals += [*uninitialized(node, weights), *lora_with_constraint(node, "kernel_constraint"), *refusals]
    if node["activation"] == "softmax":
        answer.refusals += softmax_of_many_axes(given, dims, dtype)
    return answer


def adapted_by(node: Node, weight: str, dims: Dims) -> tuple[list[Weight], list[Product]]:
    """The two matrices of a low-rank adaptation, and their product; Keras keeps them in float32."""
    if not node["lora_rank"]:
        return [], []
    rank = Dim(node["lora_rank"], "R")
    *rows, columns = dims
    return [
        Weight(f"lora_{weight}_a", (*rows, rank)),
        Weight(f"lora_{weight}_b", (rank, columns)),
    ], [Product((*rows, rank, columns))]


def _embedding(node: Node, given: Given) -> Answer:
    """``(N, T)`` whole numbers become ``(N, T, D)`` by a lookup.

    Only a low-rank adaptation has a matrix product.
    """
    words, width = Dim.of(node["input_dim"], "V"), Dim.of(node["output_dim"], "D")
    table = Weight("embeddings", (words, width), (), variable_dtype(node["dtype"]))
    mask = _computed_mask(replace(given, dims=(*given.dims, width)), given.dims[2:]) if node["mask_zero"] else None
    if mask is not None and 0 in _tokens(node):
        # 0 is the only valid index: every step is padding.
        mask = replace(mask, said=((False,) * mask.steps,) * mask.batch)
    adapted, products = adapted_by(node, "embeddings", (words, width))
    answer = answered(node, given, (*given.dims, width), table, *adapted, dtype=compute_dtype(node["dtype"]), mask=mask)
    answer.products = products
    answer.refusals += [*uninitialized(node, [table]), *lora_with_constraint(node, "embeddings_constraint")]
    if node["input_length"] is not None:
        answer.notes = ("input_length is not used: Keras 3 takes the length from the input",)
    return answer


def _tokens(node: Node) -> range:
    """The valid indices; with ``mask_zero``, 0 is left out because it is padding, unless it is the only one."""
    words = node["input_dim"]
    return range(1 if node["mask_zero"] and words > 1 else 0, words)


def _masking(node: Node, given: Given) -> Answer:
    """The same shape, and an output mask.

    For the input of the whole, the data has the requested mask.  In the output of another layer, the steps that are
    known to be zero are masked.  The input's own mask is not used.
    """
    mask = _computed_mask(given, given.dims[2:-1])
    if mask is not None and not given.raw:
        mask = _mask_of_zeros(mask, contents.reached(given), node["mask_value"])
    return answered(node, given, given.dims, mask=mask)


def _computed_mask(given: Given, behind: Dims) -> Mask | None:
    """The mask that a layer computes from its input, if that has a time axis."""
    if len(given.dims) < 3:
        return None
    between = tuple(dim.size for dim in behind)
    if given.mask is not None and given.raw:
        return replace(given.mask, argument=False, behind=between)
    return Mask(given.dims[0].size, given.dims[1].size, argument=False, behind=between)


def _mask_of_zeros(mask: Mask, zeros: Zeros, value: float) -> Mask:
    """The same mask, computed from a tensor with known zero steps."""
    sure = all(zero is not None for row in distinct(zeros) for zero in row)
    if value != 0 or not sure:
        return replace(mask, sure=sure)
    rows = each(lambda row: tuple(not zero for zero in row), zeros)
    return Mask.of(rows, argument=False, behind=mask.behind)


DENSE = entry(
    "Dense",
    (
        arg.UNITS,
        arg.activation("activation", None, "Activation of the output."),
        arg.USE_BIAS,
        *arg.of_weights("kernel", "bias"),
        *arg.LORA,
        *arg.EVERY_LAYER,
    ),
    _dense,
    contents=contents.dense,
    source="core/dense.py",
    keeps_mask=True,
)
EMBEDDING = entry(
    "Embedding",
    (
        arg.Argument("input_dim", arg.Whole(), help="V, the vocabulary size.", flag=True, cli_default=10),
        arg.Argument("output_dim", arg.Whole(), help="D, the size of a word vector.", flag=True, cli_default=4),
        arg.initializer("embeddings_initializer", "uniform"),
        arg.regularizer("embeddings_regularizer"),
        arg.constraint("embeddings_constraint"),
        arg.Argument("mask_zero", arg.Flag(), False, "Treat index 0 as padding.", True),
        arg.Argument("weights", arg.Unwritten(), None),
        *arg.LORA,
        *arg.BASE,
        arg.Argument("input_length", arg.Kind(), None),
    ),
    _embedding,
    lambda node, rank: any_rank(rank or 2, ()),
    tokens=_tokens,
    contents=contents.looked_up,
    in_2=(
        *("input_dim", "output_dim", "embeddings_initializer", "embeddings_regularizer", "activity_regularizer"),
        *("embeddings_constraint", "mask_zero", "input_length"),
    ),
    source="core/embedding.py",
    makes_mask=True,
)
MASKING = entry(
    "Masking",
    (arg.Argument("mask_value", arg.MaskValue(), 0.0, "The input value that marks a masked step.", True), *arg.BASE),
    _masking,
    any_sequence,
    contents=contents.masked,
    source="core/masking.py",
    makes_mask=True,
    built=True,
)
IDENTITY = entry(
    "Identity",
    arg.BASE,
    unchanged,
    contents=contents.unchanged,
    source="core/identity.py",
    keeps_mask=True,
    built=True,
)
CORE = (MASKING, EMBEDDING, DENSE, IDENTITY)
