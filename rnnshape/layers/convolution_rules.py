"""The theory of convolutions, plain, depthwise, separable and transposed: shapes, weights, products, errors.

From Keras' ``layers/convolutional`` and ``backend/tensorflow/nn.py`` (read in 3.15.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.errors import Problem
from rnnshape.layers.around import answered, as_read, halving, own_dtype, promoted, unlike_its_weights
from rnnshape.layers.base import Product, Refusal, Weight, variable_dtype
from rnnshape.layers.building import lora_with_constraint, uninitialized
from rnnshape.layers.core import adapted_by
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.release import change, version
from rnnshape.layers.space import became, computed, each, joined, kernels, moved, rank_of, split, unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import Node


UNIMPLEMENTED = "UnimplementedError: on a CPU there is no convolution"


def _plain(node: Node, given: Given) -> Answer:
    """``(N, T', H)``: each filter has a window over all channels, or over those of its group."""
    space, channels = split(node, given.dims)
    filters = Dim.of(node["filters"], given.letter)
    window = tuple(map(fixed, each(node["kernel_size"], len(space))))
    groups = node["groups"]
    into = channels if groups == 1 else fixed(channels.size // groups)
    kernel = (*window, into, filters)
    adapted, product = adapted_by(node, "kernel", kernel)
    out, notes = moved(kernels(node, len(space)), space)
    answer = _convolved(node, given, out, filters, {"kernel": kernel}, *adapted)
    # A grouped convolution is compiled; for a dilation, its input is not split.
    places = computed(node, space, out) if groups == 1 else out
    answer.products = [Product((given.dims[0], *places, *kernel)), *product]
    answer.notes = notes
    answer.refusals += lora_with_constraint(node, "kernel_constraint")
    if groups == 1:
        answer.refusals += unimplemented(node, given, UNIMPLEMENTED, own_dtype(node, given))
    return answer


_ONE_BATCH = change(
    "3.0",
    "Conv1D and Conv2D take one axis of samples; before, any number of them, (N, A, T, C)",
    "layers/convolutional/base_conv.py: BaseConv.call",
)
_FURTHER = ("A", "B", "E", "F")


def batched(letters: Callable[[Node, int | None], tuple[str, ...]]) -> Callable[[Node, int | None], tuple[str, ...]]:
    """The letters of a class that takes further batch axes after the first, as in Keras 2."""

    def of_rank(node: Node, rank: int | None) -> tuple[str, ...]:
        own = letters(node, rank)
        more = 0 if rank is None or _ONE_BATCH.made else rank - len(own)
        return (own[0], *_FURTHER[:more], *own[1:]) if 0 < more <= len(_FURTHER) else own

    return of_rank


def plain(node: Node, given: Given) -> Answer:
    """``_plain`` with the further batch axes that Keras 2 takes."""
    more = len(given.dims) - 2 - rank_of(node)
    if not more:
        return _plain(node, given)
    answer = _plain(node, replace(given, dims=given.dims[more:]))
    answer.outputs[0].dims = (*given.dims[:more], *answer.outputs[0].dims)
    answer.products = [replace(product, factors=(*given.dims[:more], *product.factors)) for product in answer.products]
    return answer


def depthwise(node: Node, given: Given) -> Answer:
    """A depthwise convolution: each channel has ``depth_multiplier`` windows of its own."""
    space, channels = split(node, given.dims)
    kernel = _deep(node, space, channels)
    out, notes = moved(kernels(node, len(space)), space)
    answer = _convolved(node, given, out, channels * node["depth_multiplier"], {"kernel": kernel})
    answer.products = [Product((given.dims[0], *_computed_positions(node, space, out), *kernel))]
    answer.notes = notes
    answer.refusals += _channels_first_on_cpu(node, given)
    return answer


def separable(node: Node, given: Given) -> Answer:
    """A separable convolution: a depthwise one, then a product over the channels at each position."""
    space, channels = split(node, given.dims)
    filters = Dim.of(node["filters"], given.letter)
    depthwise = _deep(node, space, channels)
    deep = channels * node["depth_multiplier"]
    pointwise = (*(fixed(1) for _ in space), deep, filters)
    out, notes = moved(kernels(node, len(space)), space)
    answer = _convolved(node, given, out, filters, {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise})
    answer.products = [
        Product((given.dims[0], *_computed_positions(node, space, out), *depthwise)),
        Product((given.dims[0], *out, deep, filters)),
    ]
    answer.notes = notes
    answer.refusals += _channels_first_on_cpu(node, given)
    return answer


def transposed(node: Node, given: Given) -> Answer:
    """A transposed convolution: each position of the input adds a window to the output."""
    space, channels = split(node, given.dims)
    filters = Dim.of(node["filters"], given.letter)
    kernel = (*map(fixed, each(node["kernel_size"], len(space))), filters, channels)
    grown = list(_grown(node, space))
    answer = _convolved(node, given, tuple(out for _, out, _ in grown), filters, {"kernel": kernel})
    answer.products = [Product((given.dims[0], *space, *kernel))]
    answer.notes = tuple(told for dim, out, told in grown if out is not dim)
    message = "InvalidArgumentError: on a CPU there is no transposed convolution"
    answer.refusals += unimplemented(node, given, message, own_dtype(node, given))
    return answer


def _convolved(
    node: Node, given: Given, space: Dims, filters: Dim, kernels: dict[str, Dims], *adapted: Weight
) -> Answer:
    """The answer with its weights, after bias and activation."""
    kept = variable_dtype(node["dtype"])
    weights = [Weight(name, dims, (), kept) for name, dims in kernels.items()]
    if node["use_bias"]:
        weights.append(Weight("bias", (filters,), (), kept))
    dims, refusals = halving(node["activation"], joined(node, given.dims[0], space, filters))
    dtype = own_dtype(node, given)
    dtype = promoted(dtype, as_read(node, given)) if node["use_bias"] else dtype
    answer = answered(node, given, dims, *weights, *adapted, dtype=dtype)
    answer.refusals += [*uninitialized(node, weights), *unlike_its_weights(node, given), *refusals]
    return answer


def _deep(node: Node, space: Dims, channels: Dim) -> Dims:
    multiplier = Dim(node["depth_multiplier"], str(node["depth_multiplier"]))
    return (*map(fixed, each(node["kernel_size"], len(space))), channels, multiplier)


def _computed_positions(node: Node, space: Dims, out: Dims) -> Dims:
    """The computed positions; with both a stride and a dilation, also those that the stride skips."""
    windows = kernels(node, len(space))
    if max(one.stride for one in windows) > 1 and max(one.dilation for one in windows) > 1:
        out, _ = moved([window._replace(stride=1) for window in windows], space)
    return computed(node, space, out)


def _grown(node: Node, space: Dims) -> Iterator[tuple[Dim, Dim, str]]:
    """Each axis, its size after a transposed convolution, and the formula (``backend/common/backend_utils.py``)."""
    padding = node["output_padding"]
    more = 0 if padding is None else padding
    for dim, window, added in zip(space, kernels(node, len(space)), each(more, len(space)), strict=True):
        x, stride, reach = dim.letter, window.stride, (window.size - 1) * window.dilation + 1
        steps, told = (dim.size - 1) * stride, f"({dim.size} - 1) * {stride}"
        if window.padding == "same" and padding is None:
            size, general, told = dim.size * stride, f"{x} * stride", f"{dim.size} * {stride}"
        elif window.padding == "same":
            size, general = steps + reach % 2 + added, f"({x} - 1) * stride + kernel % 2 + output_padding"
            told += f" + {reach % 2} + {added}"
        elif padding is None:
            end = max(reach, stride)
            size, general = steps + end, f"({x} - 1) * stride + max(dilation*(kernel-1) + 1, stride)"
            told += f" + {end}"
        else:
            size, general = steps + reach + added, f"({x} - 1) * stride + dilation*(kernel-1) + 1 + output_padding"
            told += f" + {reach} + {added}"
        out = dim if size == dim.size else became(dim, size)
        yield dim, out, f"{out.letter} = {general} = {told} = {size}"


def unimplemented(node: Node, given: Given, message: str, dtype: str) -> Iterator[Refusal]:
    """Reject a convolution without a TensorFlow kernel on a CPU: oneDNN has none for channels first in float64."""
    on_cpu = not given.gpu and given.execution != "xla"
    if on_cpu and node["data_format"] == "channels_first" and dtype == "float64":
        yield Refusal(
            f"{message} in float64 with data_format='channels_first'",
            "use channels_last, float32, or --device gpu",
        )


_TURNS = change(
    "3.13",
    "on a CPU, separable and depthwise convolutions transpose a channels_first input themselves",
    "backend/tensorflow/nn.py: separable_conv, depthwise_conv",
)


def _channels_first_on_cpu(node: Node, given: Given) -> Iterable[Refusal]:
    message = "UnimplementedError: Depthwise convolution on CPU is only supported for NHWC format"
    return () if _TURNS.made else unimplemented(node, given, message, own_dtype(node, given))


# -- rejected arguments and inputs -------------------------------------------------------------------------------------


_PADS_BY_0 = change(
    "3.11",
    "transposed convolutions take an output_padding of 0",
    "layers/convolutional/base_conv_transpose.py: BaseConvTranspose.__init__",
    in_2=True,
)


def check(node: Node) -> Iterator[Problem]:
    """The combinations of arguments that Keras rejects."""
    rank = rank_of(node)
    if max(each(node["strides"], rank)) > 1 and max(each(node["dilation_rate"], rank)) > 1:
        yield Problem("dilation_rate", "must be 1 if strides is more than 1: Keras supports only one of the two")
    if node.has("groups") and node["filters"] % node["groups"]:
        yield Problem("groups", f"must divide filters, and {node['filters']} / {node['groups']} leaves a rest")
    if node.has("output_padding") and node["output_padding"] is not None:
        pairs = [*zip(each(node["output_padding"], rank), each(node["strides"], rank), strict=True)]
        if any(more >= stride for more, stride in pairs):
            yield Problem("output_padding", "must be less than strides")
        if not all(more for more, _ in pairs) and not _PADS_BY_0.made:
            yield Problem("output_padding", f"must be positive in Keras {version()}: 0 is from Keras 3.11 on")


_STRIDES_ALL = change(
    "3.15",
    "separable and depthwise convolutions take strides and dilation_rate together",
    "layers/convolutional/base_separable_conv.py, base_depthwise_conv.py: __init__",
)


def check_depthwise(node: Node) -> Iterator[Problem]:
    return iter(()) if _STRIDES_ALL.made else check(node)


def check_input(node: Node, dims: Dims) -> str | None:
    """Why a kernel does not fit into the image, or ``groups`` does not divide the channels."""
    space, channels = split(node, dims[len(dims) - 2 - rank_of(node) :])
    if node.has("groups") and channels.size % node["groups"]:
        return f"groups={node['groups']} must divide the channels, {channels.letter}={channels.size}"
    return unfit(kernels(node, len(space)), space)


def grows_back(node: Node, dims: Dims) -> str | None:
    """Why TensorFlow rejects an output size: a convolution of it has to give the input's size."""
    space, _ = split(node, dims)
    if node["padding"] == "valid":
        return None
    for (dim, out, _), window in zip(_grown(node, space), kernels(node, len(space)), strict=True):
        if -(-out.size // window.stride) != dim.size:
            return f"output_padding={node['output_padding']} is too small for {dim.letter}={dim.size}: drop it"
    return None
