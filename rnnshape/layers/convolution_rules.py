"""The theory of convolutions, plain, depthwise, separable and transposed: shapes, weights, products, errors.

From Keras' ``layers/convolutional`` and ``backend/tensorflow/nn.py`` (read in 3.15.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.errors import Problem
from rnnshape.layers.around import answered, as_read, halving, own_dtype, promoted, unmixed
from rnnshape.layers.base import Product, Refusal, Weight, variable_dtype
from rnnshape.layers.building import unadapted, uninitialized
from rnnshape.layers.core import adapted_by
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.release import change, version
from rnnshape.layers.space import became, computed, each, joined, kernels, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import Node


def _plain(node: Node, given: Given) -> Answer:
    """``(N, T', H)``: each filter has a window over all channels, or over those of its group."""
    space, channels = split(node, given.dims)
    filters = Dim.of(node["filters"], given.letter)
    window = tuple(map(fixed, each(node["kernel_size"], len(space))))
    groups = node["groups"]
    into = channels if groups == 1 else fixed(channels.size // groups)
    kernel = (*window, into, filters)
    adapted, product = adapted_by(node, "kernel", kernel)
    out, notes = _output_space(node, space)
    answer = _convolved(node, given, out, filters, {"kernel": kernel}, *adapted)
    # A grouped convolution is compiled; for a dilation, its input is not split.
    places = computed(node, space, out) if groups == 1 else out
    answer.products = [Product((given.dims[0], *places, *kernel)), *product]
    answer.notes = notes
    answer.refusals += unadapted(node, "kernel_constraint")
    if groups == 1:
        answer.refusals += _unimplemented(node, given, "UnimplementedError: on a CPU there is no convolution")
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
    more = len(given.dims) - 2 - _rank(node)
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
    out, notes = _output_space(node, space)
    answer = _convolved(node, given, out, channels * node["depth_multiplier"], {"kernel": kernel})
    answer.products = [Product((given.dims[0], *_unstrided(node, space, out), *kernel))]
    answer.notes = notes
    answer.refusals += _unturned(node, given)
    return answer


def separable(node: Node, given: Given) -> Answer:
    """A separable convolution: a depthwise one, then a product over the channels at each position."""
    space, channels = split(node, given.dims)
    filters = Dim.of(node["filters"], given.letter)
    depthwise = _deep(node, space, channels)
    deep = channels * node["depth_multiplier"]
    pointwise = (*(fixed(1) for _ in space), deep, filters)
    out, notes = _output_space(node, space)
    answer = _convolved(node, given, out, filters, {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise})
    answer.products = [
        Product((given.dims[0], *_unstrided(node, space, out), *depthwise)),
        Product((given.dims[0], *out, deep, filters)),
    ]
    answer.notes = notes
    answer.refusals += _unturned(node, given)
    return answer


def transposed(node: Node, given: Given) -> Answer:
    """A transposed convolution: each position of the input adds a window to the output."""
    space, channels = split(node, given.dims)
    filters = Dim.of(node["filters"], given.letter)
    kernel = (*map(fixed, each(node["kernel_size"], len(space))), filters, channels)
    sizes = _transposed_sizes(node, space)
    out = tuple(dim if size == dim.size else became(dim, size) for dim, size in zip(space, sizes, strict=True))
    answer = _convolved(node, given, out, filters, {"kernel": kernel})
    answer.products = [Product((given.dims[0], *space, *kernel))]
    answer.notes = tuple(_transposed_formulas(node, space))
    answer.refusals += _unimplemented(node, given, "InvalidArgumentError: on a CPU there is no transposed convolution")
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
    answer.refusals += [*uninitialized(node, weights), *unmixed(node, given), *refusals]
    return answer


def _deep(node: Node, space: Dims, channels: Dim) -> Dims:
    multiplier = Dim(node["depth_multiplier"], str(node["depth_multiplier"]))
    return (*map(fixed, each(node["kernel_size"], len(space))), channels, multiplier)


def _output_space(node: Node, space: Dims) -> tuple[Dims, tuple[str, ...]]:
    """The spatial sizes of the output, and the formulas of those that changed."""
    pairs = list(zip(kernels(node, len(space)), space, strict=True))
    out = tuple(window.out_of(dim) for window, dim in pairs)
    return out, tuple(filter(None, (window.formula(dim) for window, dim in pairs)))


def _unstrided(node: Node, space: Dims, out: Dims) -> Dims:
    """The computed positions; with both a stride and a dilation, also those that the stride skips."""
    windows = kernels(node, len(space))
    if max(one.stride for one in windows) > 1 and max(one.dilation for one in windows) > 1:
        every = [window._replace(stride=1) for window in windows]
        out = tuple(window.out_of(dim) for window, dim in zip(every, space, strict=True))
    return computed(node, space, out)


def _transposed_sizes(node: Node, space: Dims) -> list[int]:
    """The output sizes of a transposed convolution (``backend/common/backend_utils.py``)."""
    rank, found = len(space), []
    asked = each(node["output_padding"], rank) if node["output_padding"] is not None else (None,) * rank
    for dim, window, more in zip(space, kernels(node, rank), asked, strict=True):
        reach = (window.size - 1) * window.dilation + 1
        if window.padding == "valid":
            end = max(reach, window.stride) if more is None else reach + more
            found.append((dim.size - 1) * window.stride + end)
        elif more is None:
            found.append(dim.size * window.stride)
        else:
            found.append((dim.size - 1) * window.stride + reach % 2 + more)
    return found


def _transposed_formulas(node: Node, space: Dims) -> Iterator[str]:
    """The formula of each size that changed."""
    rank = len(space)
    asked = node["output_padding"]
    for index, (dim, size, window) in enumerate(
        zip(space, _transposed_sizes(node, space), kernels(node, rank), strict=True)
    ):
        if size == dim.size:
            continue
        x, reach = dim.letter, (window.size - 1) * window.dilation + 1
        out = became(dim, size).letter
        if window.padding == "same" and asked is None:
            yield f"{out} = {x} * stride = {dim.size} * {window.stride} = {size}"
        elif window.padding == "same":
            more = each(asked, rank)[index]
            told = f"({dim.size} - 1) * {window.stride} + {reach % 2} + {more}"
            yield f"{out} = ({x} - 1) * stride + kernel % 2 + output_padding = {told} = {size}"
        elif asked is None:
            told = f"({dim.size} - 1) * {window.stride} + {max(reach, window.stride)}"
            yield f"{out} = ({x} - 1) * stride + max(dilation*(kernel-1) + 1, stride) = {told} = {size}"
        else:
            told = f"({dim.size} - 1) * {window.stride} + {reach} + {each(asked, rank)[index]}"
            yield f"{out} = ({x} - 1) * stride + dilation*(kernel-1) + 1 + output_padding = {told} = {size}"


def _unimplemented(node: Node, given: Given, message: str) -> Iterator[Refusal]:
    """Reject a convolution without a TensorFlow kernel on a CPU: oneDNN has none for channels first in float64."""
    if given.gpu or given.execution == "xla":
        return
    if node["data_format"] == "channels_first" and own_dtype(node, given) == "float64":
        yield Refusal(
            f"{message} in float64 with data_format='channels_first'",
            "use channels_last, float32, or --device gpu",
        )


_TURNS = change(
    "3.13",
    "on a CPU, separable and depthwise convolutions transpose a channels_first input themselves",
    "backend/tensorflow/nn.py: separable_conv, depthwise_conv",
)


def _unturned(node: Node, given: Given) -> Iterable[Refusal]:
    message = "UnimplementedError: Depthwise convolution on CPU is only supported for NHWC format"
    return () if _TURNS.made else _unimplemented(node, given, message)


# -- rejected arguments and inputs -------------------------------------------------------------------------------------


_PADS_BY_0 = change(
    "3.11",
    "transposed convolutions take an output_padding of 0",
    "layers/convolutional/base_conv_transpose.py: BaseConvTranspose.__init__",
    in_2=True,
)


def check(node: Node) -> Iterator[Problem]:
    rank = _rank(node)
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


def _rank(node: Node) -> int:
    return 1 if "1D" in node.name else 2


_STRIDES_ALL = change(
    "3.15",
    "separable and depthwise convolutions take strides and dilation_rate together",
    "layers/convolutional/base_separable_conv.py, base_depthwise_conv.py: __init__",
)


def check_depthwise(node: Node) -> Iterator[Problem]:
    return iter(()) if _STRIDES_ALL.made else check(node)


def check_input(node: Node, dims: Dims) -> str | None:
    """Why a kernel does not fit into the image, or ``groups`` does not divide the channels."""
    space, channels = split(node, dims[len(dims) - 2 - _rank(node) :])
    if node.has("groups") and channels.size % node["groups"]:
        return f"groups={node['groups']} must divide the channels, {channels.letter}={channels.size}"
    windows = zip(kernels(node, len(space)), space, strict=True)
    return next((wrong for window, dim in windows if (wrong := window.unfit(dim))), None)


def grows_back(node: Node, dims: Dims) -> str | None:
    """Why TensorFlow rejects an output size: a convolution of it has to give the input's size."""
    space, _ = split(node, dims)
    if node["padding"] == "valid":
        return None
    for dim, size, window in zip(space, _transposed_sizes(node, space), kernels(node, len(space)), strict=True):
        if -(-size // window.stride) != dim.size:
            return f"output_padding={node['output_padding']} is too small for {dim.letter}={dim.size}: drop it"
    return None
