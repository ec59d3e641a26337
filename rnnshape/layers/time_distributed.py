"""TimeDistributed: a layer applied to each step (Keras' ``layers/rnn/time_distributed.py``, read in 3.15.1)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.errors import Problem
from rnnshape.layers import arguments as arg
from rnnshape.layers.around import answered, entry
from rnnshape.layers.base import Leaf, Refusal, compute_dtype, flat
from rnnshape.layers.dims import fixed
from rnnshape.layers.former import in_order
from rnnshape.layers.legacy import unsupported
from rnnshape.layers.masking import Mask
from rnnshape.layers.release import change
from rnnshape.layers.sequential import loop_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.base import Answer, Dims, Given, Returned, Zeros
    from rnnshape.layers.dims import Dim
    from rnnshape.layers.node import Node


_RUNS_CALL = change(
    "3.0",
    "TimeDistributed runs its layer's call on each step under its own dtype; before, it calls the layer on all steps "
    "at once, and the mask of its output is the one that the layer makes",
    "layers/rnn/time_distributed.py: TimeDistributed.call",
)


def _inner_letters(node: Node, rank: int | None) -> tuple[str, ...]:
    """The inner layer's letters with another time axis in front: its own T becomes T2."""
    inner: Node = node["layer"]
    batch, *rest = inner.cls.letters(inner, None if rank is None else max(rank - 1, 2))
    return (batch, "T", *(_later(letter) for letter in rest))


def _later(letter: str) -> str:
    return f"T{int(letter[1:] or 1) + 1}" if letter.startswith("T") else letter


def _time_distributed(node: Node, given: Given) -> Answer:
    """The inner layer's output with the time axis after the batch: ``(N, T, …)``.

    Keras stacks the results of the inner ``call`` over time.  TensorFlow packs a tuple of tensors of one shape into one
    tensor, with a new first axis; it fails if the shapes differ (``docs/keras-quirks.md``).
    """
    inner: Node = node["layer"]
    batch, time, *rest = given.dims
    mask = _step_mask(given.mask, batch.size, rest)
    inside = replace(given, dims=(batch, *rest), mask=mask, initial=None)
    if inner.cls.kind == "stack" or not _RUNS_CALL.made:
        # Its layers are called with ``__call__``, and cast their own inputs.
        inside = replace(inside, within=None, dtype=compute_dtype(node["dtype"]))
    elif given.within is None:
        inside = replace(inside, dtype=compute_dtype(node["dtype"]), within=node["dtype"] or "float32")
    answer = inner.cls.theory(inner, inside)
    leaves = flat(answer.returned)
    first = leaves[0]
    if isinstance(answer.returned, Leaf):
        dims: Dims = (first.dims[0], time, *first.dims[1:])
    else:
        dims = (fixed(len(leaves)), time, *first.dims)
    weights = in_order([(True, answer.weights)])
    result = answered(node, given, dims, *weights, dtype=first.dtype)
    if loop_of(inner):
        result.cudnn = [replace(kernel, layer=kernel.layer or inner.short) for kernel in answer.cudnn]
    if not _RUNS_CALL.made:
        result.mask = _mask_in_keras_2(inner, given, result.mask)
    result.notes = answer.notes
    result.products = [product.repeated(time) for product in answer.products]
    # Keras 2 calls a stateful layer on one step after another, without a mask.
    step_by_step = not _RUNS_CALL.made and any(part.has("stateful") and part["stateful"] for part in inner.walk())
    masked = _mask_broadcast_error(first, given) if step_by_step else _mask_errors(inner, given)
    if not _RUNS_CALL.made and time.size > 1 and inner.has("axis") and inner["axis"] == 0:
        message = f"ValueError: {inner.name} is built for the batch and gets the steps of all samples in it"
        result.refusals.append(Refusal(message, "normalize another axis"))
    result.refusals += [*masked, *answer.refusals]
    if not step_by_step:
        result.refusals += _unpackable(inner, answer.returned)
    elif not isinstance(answer.returned, Leaf):
        result.returned = [Leaf(leaf.role, (leaf.dims[0], time, *leaf.dims[1:]), leaf.dtype) for leaf in leaves]
        result.outputs = tuple(result.returned[:1])
    return result


def _mask_broadcast_error(output: Leaf, given: Given) -> Iterator[Refusal]:
    """Reject a mask that Keras 2 cannot broadcast to the output of a step, to repeat the output before."""
    behind = () if given.mask is None else given.mask.behind
    if any(size not in (1, dim.size) for size, dim in zip(behind, output.dims[1:], strict=False)):
        yield Refusal("InvalidArgumentError: condition, then and else must be broadcastable (the mask of a step)", _ONE)


def _mask_in_keras_2(inner: Node, given: Given, mask: Mask | None) -> Mask | None:
    """The mask that Keras 2 attaches: the one that the layer computes, else the input's, over time alone."""
    last = inner.in_turn[-1]
    made = last.cls.theory(last, replace(given, mask=None)).mask if last.cls.makes_mask else None
    if made is not None:
        return replace(made, sure=last.name != "Masking")
    return mask and replace(mask, behind=())


def _step_mask(mask: Mask | None, batch: int, rest: Sequence[Dim]) -> Mask | None:
    """The mask of one step, which the inner layer's call gets; it has one axis less."""
    if mask is None or not mask.behind or len(rest) < 2:
        return None
    steps, *behind = mask.behind
    inner = Mask(batch, steps, argument=False, behind=tuple(behind), sure=mask.sure)
    return inner if mask.said is None else replace(inner, said=((False,) * steps, *inner.rows[1:]))


def _mask_errors(inner: Node, given: Given) -> Iterator[Refusal]:
    """Reject a mask for an inner layer that loops over time: a step's mask has no time axis (``docs/keras-quirks.md``).

    The packed output of a layer with several outputs has another first axis than its mask.
    """
    mask, (batch, time, *_) = given.mask, given.dims
    if mask is not None and (mask.batch, mask.steps) != (batch.size, time.size):
        yield Refusal(
            "ValueError: The `mask` passed to the `TimeDistributed` layer does not have the shape of the input",
            "TimeDistributed takes a layer that returns one tensor: drop return_state",
        )
    if mask is None or mask.behind:
        return
    dims: Dims = (batch, *given.dims[2:])
    for layer in inner.in_turn:
        yield from _step_mask_error(layer, dims)
        if not layer.cls.keeps_mask:
            return
        dims = layer.cls.theory(layer, replace(given, dims=dims, mask=None)).outputs[0].dims


def _step_mask_error(layer: Node, dims: Dims) -> Iterator[Refusal]:
    """The error of an inner layer with a step's mask, whose only axis is the batch."""
    fix = "mask the output of TimeDistributed, or the time axis inside it"
    if layer.name == "TimeDistributed":
        yield Refusal("ValueError: The `mask` passed to the `TimeDistributed` layer must be at least 2D", fix)
    elif layer.cls.kind == "recurrent" or layer.name == "Bidirectional":
        yield Refusal("IndexError: list assignment index out of range (a mask without a time axis)", fix)
    elif layer.name == "GlobalAveragePooling1D":
        yield Refusal("ValueError: axis 2 is out of bounds for an array with dimension 2 (a mask without steps)", fix)
    elif layer.name == "BatchNormalization" and len(dims) != 2:
        yield Refusal("ValueError: The mask provided should be one dimension less than the inputs", fix)
    elif layer.name == "Softmax" and dims[0].size not in (1, dims[-1].size):
        yield Refusal("ValueError: the mask must be broadcastable to the input of Softmax", fix)


def _zero_steps(node: Node, answer: Answer, given: Given) -> Zeros | None:
    """The zero steps after an inner layer that treats each step alone."""
    inner: Node = node["layer"]
    return inner.cls.contents(inner, answer, given) if inner.name in ("Dense", "Dropout") else None


def _unpackable(inner: Node, returned: Returned) -> Iterator[Refusal]:
    if isinstance(returned, Leaf):
        return
    if not _RUNS_CALL.made:
        yield Refusal(f"TypeError: TimeDistributed takes one tensor a step, and {inner.name} returns a list", _ONE)
        return
    kinds = {(*(dim.size for dim in leaf.dims), leaf.dtype) for leaf in flat(returned)}
    if len(kinds) > 1 or any(not isinstance(item, Leaf) for item in returned):
        yield Refusal(
            f"InvalidArgumentError: TimeDistributed stacks what {inner.name} returns, tensors that differ in shape",
            _ONE,
        )


_ONE = "TimeDistributed takes a layer that returns one tensor: drop return_state"


def _check(node: Node) -> Iterator[Problem]:
    """Reject a Sequential inside with two layers of one name."""
    yield from unsupported(node)
    names = Counter(layer["name"] for layer in node["layer"].in_turn if layer["name"] is not None)
    twice = [name for name, times in names.items() if times > 1]
    if node["layer"].cls.kind == "stack" and twice:
        yield Problem("layer", f"has two layers of the name {twice[0]!r}, and Sequential takes each name once")


TIME_DISTRIBUTED = entry(
    "TimeDistributed",
    (arg.Argument("layer", arg.Nested("layer"), help="The layer applied to each step."), *arg.BASE),
    _time_distributed,
    _inner_letters,
    check=_check,
    check_input=lambda node, dims: node["layer"].cls.check_input(node["layer"], (dims[0], *dims[2:])),
    tokens=lambda node: node["layer"].cls.tokens(node["layer"]),
    contents=_zero_steps,
    source="rnn/time_distributed.py",
    keeps_mask=True,
)
