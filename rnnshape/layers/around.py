"""Helpers for layers with one input tensor, one output tensor and no loop over time, such as Dense and Dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.layers.base import STEP, Answer, Kernel, Leaf, Refusal, compute_dtype, variable_dtype
from rnnshape.layers.building import halved, unregularized
from rnnshape.layers.cells import never_cudnn
from rnnshape.layers.dims import fixed
from rnnshape.layers.masking import attached
from rnnshape.layers.node import LayerClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.base import Dims, Given, Weight
    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import Node


def any_rank(rank: int, last: tuple[str, ...] = ("C",)) -> tuple[str, ...]:
    """``(N, C)``, ``(N, T, C)``, ``(N, T, X, C)`` … for a layer that takes any rank."""
    middle = ("T", "X", "Y", "Z", *(f"Z{i}" for i in range(2, rank)))
    return ("N", *middle[: rank - 1 - len(last)], *last)


def any_letters(node: Node, rank: int | None) -> tuple[str, ...]:
    """The letters of a layer that takes any rank; by default ``(N, C)``."""
    return any_rank(rank or 2)


def any_sequence(node: Node, rank: int | None) -> tuple[str, ...]:
    """The letters of a layer that takes any rank; by default ``(N, T, C)``."""
    return any_rank(rank or 3)


def any_tensor(node: Node, rank: int | None) -> tuple[str, ...]:
    """The same for an operation, which also takes one number for each sample, (N,): ``ops.sum(h, axis=-1) / 2``."""
    return ("N",) if rank == 1 else any_sequence(node, rank)


def entry(
    name: str,
    arguments: tuple[Argument, ...],
    theory: Callable[[Node, Given], Answer],
    letters: Callable[[Node, int | None], tuple[str, ...]] = any_letters,
    *,
    source: str,
    **more: Any,
) -> LayerClass:
    """The entry of a layer with one input tensor; ``more`` are further fields of ``LayerClass``.

    ``source`` is the file with its call: ``"core/dense.py"``, or with the class that has it if that is another one.
    """
    call = f"{source}.call" if ":" in source else f"{source}: {name}.call"
    return LayerClass(name, "layer", arguments, theory, letters, source=call, **more)


def no_loop(node: Node) -> list[Kernel]:
    """The kernel of a layer without a loop over time, which cuDNN never computes."""
    decided = f"{node.name} has no loop over time"
    rules = never_cudnn("no change helps: the layer has no loop over time", decided, node.cls.source)
    return [Kernel("", rules, STEP)]


def answered(
    node: Node, given: Given, dims: Dims, *weights: Weight, dtype: str | None = None, mask: Mask | None = None
) -> Answer:
    """The answer with one output; its mask is the input's if the class keeps it, else ``mask``."""
    output = Leaf("output", dims, dtype or own_dtype(node, given))
    refusals = list(unregularized(node, given, output))
    kept = attached(given.mask) if node.cls.keeps_mask else mask
    return Answer((output,), output, weights=list(weights), cudnn=no_loop(node), mask=kept, refusals=refusals)


def unchanged(node: Node, given: Given) -> Answer:
    """The answer with the input's shape."""
    return answered(node, given, given.dims)


def own_dtype(node: Node, given: Given) -> str:
    """The dtype of the output: the layer's own, or the input's if a wrapper runs ``call`` itself."""
    return compute_dtype(node["dtype"]) if given.within is None else given.dtype


def promoted(left: str, right: str) -> str:
    """The dtype of a product in Keras: the wider of the two; float32 for float16 and bfloat16."""
    if left == right:
        return left
    return "float64" if "float64" in (left, right) else "float32"


def as_read(node: Node, given: Given) -> str:
    """The dtype of the weights inside ``call``; if a wrapper runs it, only a mixed policy of the wrapper casts them."""
    if given.within is None:
        return compute_dtype(node["dtype"])
    return given.dtype if given.within.startswith("mixed_") else variable_dtype(node["dtype"])


def unlike_its_weights(node: Node, given: Given) -> Iterator[Refusal]:
    """Reject a layer that a wrapper runs on a tensor of another dtype than its weights: TensorFlow needs one dtype."""
    adapted = node.has("lora_rank") and node["lora_rank"]
    # An adapted kernel is cast by the layer.
    weights = compute_dtype(node["dtype"]) if adapted else as_read(node, given)
    if weights != own_dtype(node, given):
        yield Refusal(
            f"InvalidArgumentError: TimeDistributed passes {given.dtype}, but the weights of {node.name} are {weights}",
            "give TimeDistributed and its layer one dtype",
        )


def halving(activation: str | None, dims: Dims) -> tuple[Dims, list[Refusal]]:
    """The dimensions after an activation: ``glu`` halves the last axis."""
    *before, last = dims
    try:
        width = halved(activation, last.size)
    except ValueError as error:
        message = f"ValueError: activation='glu' halves the last axis: {error}"
        return dims, [Refusal(message, f"make {last.letter} even")]
    return (*before, last if width == last.size else fixed(width)), []


# The limit of oneDNN's kernel, which float64 does not use (tensorflow/core/kernels/mkl/mkl_softmax_op.cc).
_MOST_SOFTENED = 5


def softmax_of_many_axes(given: Given, dims: Dims, dtype: str) -> Iterator[Refusal]:
    """Reject a softmax of a tensor with more axes than TensorFlow accepts on a CPU."""
    on_cpu = not given.gpu and given.execution != "xla" and dtype != "float64"
    if len(dims) > _MOST_SOFTENED and on_cpu:
        yield Refusal(
            f"AbortedError: Input dims must be <= {_MOST_SOFTENED} and >=1: softmax gets {len(dims)} axes on a CPU",
            "use float64, --execution xla, or join axes with Reshape",
        )


def axes_problem(node: Node, dims: Dims) -> str | None:
    """Why the ``axis`` argument of a layer does not fit its input."""
    axis = node["axis"]
    axes = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if odd := next((one for one in axes if not -len(dims) <= one < len(dims)), None):
        return f"axis={odd} is not one of the {len(dims)} axes of the input ({', '.join(dim.letter for dim in dims)})"
    if len({one % len(dims) for one in axes}) < len(axes):
        return f"axis={axis} has an axis twice"
    return None
