"""The layers that stand around recurrent ones: Masking, Embedding, Dense, Dropout, TimeDistributed."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from rnnshape.errors import Problem
from rnnshape.layers import arguments as arg
from rnnshape.layers import contents
from rnnshape.layers.base import (
    STEP,
    Answer,
    Given,
    Kernel,
    Leaf,
    Product,
    Refusal,
    Returned,
    Weight,
    compute_dtype,
    flat,
    variable_dtype,
)
from rnnshape.layers.building import halved, unadapted, uninitialized, unregularized
from rnnshape.layers.cells import never_cudnn
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.masking import Mask
from rnnshape.layers.node import LayerClass
from rnnshape.layers.scan import distinct, each

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.base import Dims, Zeros
    from rnnshape.layers.node import Node


def _letters(rank: int, last: tuple[str, ...] = ("C",)) -> tuple[str, ...]:
    """``(N, C)``, ``(N, T, C)``, ``(N, T, X, C)`` … for a layer that takes any rank."""
    middle = ("T", "X", "Y", "Z", *(f"Z{i}" for i in range(2, rank)))
    return ("N", *middle[: rank - 1 - len(last)], *last)


_SOURCES = {"Dropout": "regularization/dropout.py", "TimeDistributed": "rnn/time_distributed.py"}


def no_loop(node: Node) -> list[Kernel]:
    """The verdict on a layer that has no loop over time."""
    source = _SOURCES.get(node.name, f"core/{node.name.lower()}.py")
    decided = f"{node.name} has no loop over time"
    rules = never_cudnn("no change helps: the layer has no loop over time", decided, f"{source}: {node.name}.call")
    return [Kernel("", rules, STEP)]


def _answer(node: Node, given: Given, dims: Dims, dtype: str, *weights: Weight, mask: Mask | None) -> Answer:
    output = Leaf("output", dims, dtype)
    refusals = list(unregularized(node, given, output))
    return Answer((output,), output, weights=list(weights), cudnn=no_loop(node), mask=mask, refusals=refusals)


def _dtype(node: Node, given: Given) -> str:
    """A layer returns its own dtype, unless a wrapper runs its ``call`` on what the wrapper has."""
    return compute_dtype(node["dtype"]) if given.within is None else given.dtype


def _promoted(left: str, right: str) -> str:
    """The dtype of a product, as Keras promotes: the wider one; float16 and bfloat16 meet in float32."""
    if left == right:
        return left
    return "float64" if "float64" in (left, right) else "float32"


def _dense(node: Node, given: Given) -> Answer:
    """``(…, H)``: the last axis becomes ``units``, whatever stands before it; ``glu`` halves it."""
    *before, channels = given.dims
    units = Dim.of(node["units"], given.letter)
    kept = variable_dtype(node["dtype"])
    weights = [Weight("kernel", (channels, units), (), kept), Weight("bias", (units,), (), kept)]
    weights = weights[: 2 if node["use_bias"] else 1]
    dtype = _dtype(node, given)
    if given.within is not None:
        # Only a mixed policy casts the weights that are read under it; an adapted kernel is cast by the layer.
        as_kept = kept if not given.within.startswith("mixed_") else dtype
        by_layer = compute_dtype(node["dtype"]) if node["lora_rank"] else as_kept
        dtype = _promoted(dtype, by_layer)
        dtype = _promoted(dtype, as_kept) if node["use_bias"] else dtype
    refusals = [*uninitialized(node, weights), *unadapted(node, "kernel_constraint")]
    adapted, product = _adapted(node, "kernel", channels, units)
    try:
        width = halved(node["activation"], units.size)
    except ValueError as error:
        width = units.size
        refusals.append(
            Refusal(f"ValueError: activation='glu' halves the last axis: {error}", "use an even number of units")
        )
    out = units if width == units.size else fixed(width)
    answer = _answer(node, given, (*before, out), dtype, *weights, *adapted, mask=given.mask)
    answer.products = [Product((*given.dims, units)), *product]
    answer.refusals += refusals
    return answer


def _adapted(node: Node, weight: str, rows: Dim, columns: Dim) -> tuple[list[Weight], list[Product]]:
    """The two matrices of a low-rank adaptation, and their product; Keras keeps them in float32."""
    if not node["lora_rank"]:
        return [], []
    rank = Dim(node["lora_rank"], "R")
    return [
        Weight(f"lora_{weight}_a", (rows, rank)),
        Weight(f"lora_{weight}_b", (rank, columns)),
    ], [Product((rows, rank, columns))]


def _dropout(node: Node, given: Given) -> Answer:
    """The same shape, unless in training ``noise_shape`` stretches it."""
    dims, refusals = given.dims, []
    if given.training and 0 < node["rate"] < 1 and node["noise_shape"] is not None:
        try:
            dims = _stretched(dims, node["noise_shape"])
        except ValueError:
            sizes = tuple(dim.size for dim in dims)
            message = f"InvalidArgumentError: noise_shape={node['noise_shape']} does not match an input of {sizes}"
            refusals.append(Refusal(message, "give one size for each axis of the input: 1, None or the axis' own"))
    answer = _answer(node, given, dims, _dtype(node, given), mask=given.mask)
    answer.refusals += refusals
    return answer


def _stretched(dims: Dims, noise: tuple[int | None, ...]) -> Dims:
    """Returns when a mask of this shape is laid over the input: of two sizes that differ one must be 1.

    Raises:
        ValueError: they cannot be combined.
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


def _masking(node: Node, given: Given) -> Answer:
    """The same shape, and an output mask.

    The mask that is asked for is laid into the data that the first layer is fed; what a layer before this one hands on
    is masked where it is known to be zero.  The mask that came with it is not looked at.
    """
    mask = _made(given, given.dims[2:-1])
    if mask is not None and not given.raw:
        mask = _of_zeros(mask, contents.reached(given), node["mask_value"])
    return _answer(node, given, given.dims, _dtype(node, given), mask=mask)


def _made(given: Given, behind: Dims) -> Mask | None:
    """The mask that a layer makes of its input's values, if it has a time axis."""
    if len(given.dims) < 3:
        return None
    between = tuple(dim.size for dim in behind)
    if given.mask is not None and given.raw:
        return replace(given.mask, argument=False, behind=between)
    return Mask(given.dims[0].size, given.dims[1].size, argument=False, behind=between)


def _of_zeros(mask: Mask, zeros: Zeros, value: float) -> Mask:
    """The same mask, made of a tensor of which theory knows which steps are zero throughout."""
    sure = all(zero is not None for row in distinct(zeros) for zero in row)
    if value != 0 or not sure:
        return replace(mask, sure=sure)
    rows = each(lambda row: tuple(not zero for zero in row), zeros)
    return Mask.of(rows, argument=False, behind=mask.behind)


def _embedding(node: Node, given: Given) -> Answer:
    """``(N, T)`` whole numbers become ``(N, T, D)``; they are looked up.

    Nothing is multiplied but the matrices of a low-rank adaptation.
    """
    words, width = Dim.of(node["input_dim"], "V"), Dim.of(node["output_dim"], "D")
    table = Weight("embeddings", (words, width), (), variable_dtype(node["dtype"]))
    mask = _made(replace(given, dims=(*given.dims, width)), given.dims[2:]) if node["mask_zero"] else None
    if mask is not None and 0 in _tokens(node):
        # 0 is the only number that can be fed: every step is padding.
        mask = replace(mask, said=((False,) * mask.steps,) * mask.batch)
    adapted, products = _adapted(node, "embeddings", words, width)
    answer = _answer(node, given, (*given.dims, width), compute_dtype(node["dtype"]), table, *adapted, mask=mask)
    answer.products = products
    answer.refusals += [*uninitialized(node, [table]), *unadapted(node, "embeddings_constraint")]
    if node["input_length"] is not None:
        answer.notes = ("input_length is not used: Keras 3 takes the length from the input",)
    return answer


def _tokens(node: Node) -> range:
    """The numbers that may be fed; 0 is padding where ``mask_zero`` says so, unless there is no other."""
    words = node["input_dim"]
    return range(1 if node["mask_zero"] and words > 1 else 0, words)


def _inner_letters(node: Node, rank: int | None) -> tuple[str, ...]:
    """The inner layer's letters with one more time axis in front: its T is T2 here."""
    inner: Node = node["layer"]
    batch, *rest = inner.cls.letters(inner, None if rank is None else max(rank - 1, 2))
    return (batch, "T", *(_later(letter) for letter in rest))


def _later(letter: str) -> str:
    return f"T{int(letter[1:] or 1) + 1}" if letter.startswith("T") else letter


def _time_distributed(node: Node, given: Given) -> Answer:
    """The inner layer's output with the time axis put back: ``(N, T, …)``.

    Keras stacks what the inner ``call`` returns over time.  Where that is a tuple of tensors of one
    shape, TensorFlow packs it into one tensor whose first axis counts them; where the shapes
    differ it cannot (``docs/keras-quirks.md``).
    """
    inner: Node = node["layer"]
    batch, time, *rest = given.dims
    inside = replace(given, dims=(batch, *rest), mask=_of_a_step(given.mask, batch.size, rest), initial=None)
    if given.within is None:
        inside = replace(inside, dtype=compute_dtype(node["dtype"]), within=node["dtype"] or "float32")
    answer = inner.cls.theory(inner, inside)
    leaves = flat(answer.returned)
    first = leaves[0]
    if isinstance(answer.returned, Leaf):
        dims: Dims = (first.dims[0], time, *first.dims[1:])
    else:
        dims = (fixed(len(leaves)), time, *first.dims)
    result = _answer(node, given, dims, first.dtype, *answer.weights, mask=given.mask)
    if any(part.cls.kind == "recurrent" for part in inner.walk()):
        result.cudnn = [kernel._replace(layer=kernel.layer or inner.short) for kernel in answer.cudnn]
    result.notes = answer.notes
    result.products = [product.repeated(time) for product in answer.products]
    result.refusals += [*_unmaskable(inner, given), *answer.refusals, *_unpackable(inner, answer.returned)]
    return result


def _of_a_step(mask: Mask | None, batch: int, rest: Sequence[Dim]) -> Mask | None:
    """The mask that the inner layer's call gets: of each step a column, which has one axis less."""
    if mask is None or not mask.behind or len(rest) < 2:
        return None
    steps, *behind = mask.behind
    inner = Mask(batch, steps, argument=False, behind=tuple(behind), sure=mask.sure)
    return inner if mask.said is None else replace(inner, said=((False,) * steps, *inner.rows[1:]))


def _unmaskable(inner: Node, given: Given) -> Iterator[Refusal]:
    """A column of a mask has no time axis, and what loops over time asks for one (``docs/keras-quirks.md``).

    What TimeDistributed makes of a layer with several outputs has another first axis than its mask.
    """
    mask, (batch, time, *_) = given.mask, given.dims
    if mask is not None and (mask.batch, mask.steps) != (batch.size, time.size):
        yield Refusal(
            "ValueError: The `mask` passed to the `TimeDistributed` layer does not have the shape of the input",
            "TimeDistributed takes a layer that returns one tensor: drop return_state",
        )
    if mask is None or mask.behind:
        return
    fix = "mask the output of TimeDistributed, or the time axis inside it"
    if inner.name == "TimeDistributed":
        yield Refusal("ValueError: The `mask` passed to the `TimeDistributed` layer must be at least 2D", fix)
    elif inner.cls.kind == "recurrent" or inner.name == "Bidirectional":
        yield Refusal("IndexError: list assignment index out of range (a mask without a time axis)", fix)


def _distributed(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """Of each step what the inner layer makes of it, where that layer looks at nothing else."""
    inner: Node = node["layer"]
    return inner.cls.contents(inner, answer, given) if inner.name in ("Dense", "Dropout") else None


def _unpackable(inner: Node, returned: Returned) -> Iterator[Refusal]:
    if isinstance(returned, Leaf):
        return
    kinds = {(*(dim.size for dim in leaf.dims), leaf.dtype) for leaf in flat(returned)}
    if len(kinds) > 1 or any(not isinstance(item, Leaf) for item in returned):
        yield Refusal(
            f"InvalidArgumentError: TimeDistributed stacks what {inner.name} returns, tensors that differ in shape",
            "TimeDistributed takes a layer that returns one tensor: drop return_state",
        )


def _check_time_distributed(node: Node) -> Iterator[Problem]:
    if node["layer"].cls.kind == "stack":
        yield Problem("layer", "must be one layer: rnnshape runs a stack layer by layer")


_KERNEL = (arg.KERNEL_INITIALIZERS[0], arg.KERNEL_INITIALIZERS[2])

DENSE = LayerClass(
    "Dense",
    "layer",
    (
        arg.UNITS,
        arg.activation("activation", None, "Activation of the output."),
        arg.USE_BIAS,
        *_KERNEL,
        arg.REGULARIZERS[0],
        arg.REGULARIZERS[2],
        arg.ACTIVITY_REGULARIZER,
        arg.CONSTRAINTS[0],
        arg.CONSTRAINTS[2],
        *arg.LORA,
        *arg.EVERY_LAYER,
    ),
    _dense,
    lambda node, rank: _letters(rank or 2),
    contents=contents.dense,
)
DROPOUT = LayerClass(
    "Dropout",
    "layer",
    (
        arg.Argument("rate", arg.Number(0, 1), help="Fraction to drop in training.", flag=True, cli_default=0.5),
        arg.Argument("noise_shape", arg.Maybe(arg.NoiseShape()), None),
        arg.SEED,
        *arg.BASE,
    ),
    _dropout,
    lambda node, rank: _letters(rank or 2),
    contents=contents.unchanged,
)
MASKING = LayerClass(
    "Masking",
    "layer",
    (arg.Argument("mask_value", arg.MaskValue(), 0.0, "The input value that marks a masked step.", True), *arg.BASE),
    _masking,
    lambda node, rank: _letters(rank or 3),
    contents=contents.masked,
)
EMBEDDING = LayerClass(
    "Embedding",
    "layer",
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
    lambda node, rank: _letters(rank or 2, ()),
    tokens=_tokens,
    contents=contents.looked_up,
)
TIME_DISTRIBUTED = LayerClass(
    "TimeDistributed",
    "layer",
    (arg.Argument("layer", arg.Nested("layer"), help="The layer applied to each step."), *arg.BASE),
    _time_distributed,
    _inner_letters,
    check=_check_time_distributed,
    check_input=lambda node, dims: node["layer"].cls.check_input(node["layer"], (dims[0], *dims[2:])),
    tokens=lambda node: node["layer"].cls.tokens(node["layer"]),
    contents=_distributed,
)
AROUND = (TIME_DISTRIBUTED, MASKING, EMBEDDING, DENSE, DROPOUT)
