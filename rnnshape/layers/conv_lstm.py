"""ConvLSTM1D, 2D and 3D: an LSTM whose products are convolutions over space.

From Keras' ``layers/rnn/conv_lstm.py`` (read in 3.15.1).  The input's kernel moves with ``strides``,
``padding`` and ``dilation_rate``; the recurrent one always keeps the size (stride 1, ``same``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.errors import Problem
from rnnshape.layers import arguments as arg
from rnnshape.layers import contents, dropping
from rnnshape.layers.base import (
    Answer,
    Given,
    Law,
    Leaf,
    Product,
    Refusal,
    Weight,
    compute_dtype,
    variable_dtype,
)
from rnnshape.layers.building import uninitialized, unkept
from rnnshape.layers.cells import never_cudnn
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.laws import STATE_C_IS_NOT_THE_OUTPUT
from rnnshape.layers.node import LayerClass
from rnnshape.layers.recurrent import over_time
from rnnshape.layers.release import KERAS_3, asked, change
from rnnshape.layers.space import DATA_FORMAT, PADDING, SPACE, computed, each, joined, kernels, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import Node

GATES = ("i", "f", "c", "o")


def _rank(node: Node) -> int:
    return int(node.name.removeprefix("ConvLSTM").removesuffix("D"))


def out_of(node: Node, space: Dims) -> Dims:
    """The spatial sizes after the input's convolution."""
    return tuple(window.out_of(dim) for window, dim in zip(kernels(node, len(space)), space, strict=True))


def products(node: Node, batch: Dim, space: Dims, channels: Dim, filters: Dim) -> list[Product]:
    """The matrix products of the input's and the state's convolution, at each position of the output."""
    rank, out = len(space), out_of(node, space)
    window, width = tuple(map(fixed, each(node["kernel_size"], rank))), filters * 4
    places = computed(node, space, out)
    if places == out:
        return [Product((batch, *out, *window, width), (channels, filters))]
    return [
        Product((batch, *places, *window, channels, width)),
        Product((batch, *out, *window, filters, width)),
    ]


def step(node: Node, given: Given) -> Answer:
    """One step: ``(output, [state_h, state_c])``, each an image with ``filters`` channels."""
    rank, dtype = _rank(node), compute_dtype(node["dtype"])
    before, channels = split(node, given.dims)
    filters, space = Dim.of(node["filters"], given.letter), out_of(node, before)
    dims = joined(node, given.dims[0], space, filters)
    output, state_h, state_c = (Leaf(role, dims, dtype) for role in ("output", "state_h", "state_c"))
    window = tuple(map(fixed, each(node["kernel_size"], rank)))
    kept = variable_dtype(node["dtype"])
    weights = [
        Weight("kernel", (*window, channels, filters * 4), GATES, kept),
        Weight("recurrent_kernel", (*window, filters, filters * 4), GATES, kept),
    ]
    if node["use_bias"]:
        weights.append(Weight("bias", (filters * 4,), GATES, kept))
    return Answer(
        outputs=(output,),
        states=[state_h, state_c],
        returned=(output, [state_h, state_c]),
        hidden=state_h,
        weights=weights,
        laws=[Law("output == state_h", True, ""), Law("output == state_c", False, STATE_C_IS_NOT_THE_OUTPUT)],
        products=products(node, given.dims[0], before, channels, filters),
        refusals=[*uninitialized(node, weights)],
        notes=tuple(filter(None, (w.formula(dim) for w, dim in zip(kernels(node, rank), before, strict=True)))),
    )


_UNROLLS = change("3.0", "ConvLSTM can be unrolled", "layers/rnn/conv_lstm.py: ConvLSTM.__init__")


def theory(node: Node, given: Given) -> Answer:
    """``(N, T, X', Y', H)``, or without ``return_sequences`` ``(N, X', Y', H)``; H is ``filters``."""
    batch, _, *picture = given.dims
    one = step(node, Given((batch, *picture), given.dtype, given.letter))
    one.refusals += dropping.refusals(node, given)
    never = never_cudnn(
        "no change helps: Keras has no cuDNN kernel for convolutions over time",
        f"{node.name} convolves step by step",
        "rnn/rnn.py: RNN.inner_loop",
    )
    one.refusals += _unimplemented(node, given)
    if node["unroll"] and not _UNROLLS.made:
        message = "TypeError: Unrolling is not possible with convolutional RNNs"
        one.refusals.append(Refusal(message, "drop unroll"))
    return over_time(node, given, one, never)


def _unimplemented(node: Node, given: Given) -> Iterator[Refusal]:
    """Reject a convolution without a TensorFlow kernel on a CPU: oneDNN has none for channels first in float64.

    Keras 2 moves the channels to the end for it (tf_keras 2.21: ``backend.py: _preprocess_conv2d_input``).
    """
    if given.gpu or given.execution == "xla" or asked() < KERAS_3:
        return
    # The states have the layer's own dtype, even inside a wrapper with another one.
    if node["data_format"] == "channels_first" and _rank(node) < 3 and compute_dtype(node["dtype"]) == "float64":
        yield Refusal(
            "UnimplementedError: on a CPU there is no convolution in float64 with data_format='channels_first'",
            "use channels_last, float32, or --device gpu",
        )


def letters(node: Node, rank: int | None) -> tuple[str, ...]:
    space = SPACE[: _rank(node)]
    return ("N", "T", "C", *space) if node["data_format"] == "channels_first" else ("N", "T", *space, "C")


def check(node: Node) -> Iterator[Problem]:
    """The combinations of arguments that Keras rejects."""
    rank = _rank(node)
    if max(each(node["strides"], rank)) > 1 and max(each(node["dilation_rate"], rank)) > 1:
        yield Problem("dilation_rate", "must be 1 if strides is more than 1: Keras supports only one of the two")


def check_input(node: Node, dims: Dims) -> str | None:
    """Why a kernel does not fit into the image, or why the states change their width."""
    space, _ = split(node, (dims[0], *dims[2:]))
    for window, dim in zip(kernels(node, len(space)), space, strict=True):
        if unfit := window.unfit(dim):
            return unfit
    width = out_of(node, space)[-1].size if node["data_format"] == "channels_first" else node["filters"]
    return next((f"{problem.key} {problem.message}" for problem in unkept(node, width)), None)


_SHARED = (
    "filters kernel_size strides padding data_format dilation_rate activation recurrent_activation use_bias "
    "kernel_initializer recurrent_initializer bias_initializer unit_forget_bias kernel_regularizer "
    "recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint"
)
_LAST = "return_sequences return_state go_backwards stateful dropout recurrent_dropout"
_IN_2 = (*_SHARED.split(), *_LAST.split())


def _conv_lstm(rank: int) -> LayerClass:
    return LayerClass(
        f"ConvLSTM{rank}D",
        "recurrent",
        (
            arg.Argument("filters", arg.Whole(), help="H, the number of output channels.", flag=True, cli_default=1),
            arg.Argument("kernel_size", arg.Sizes(rank), help="The window.", flag=True, cli_default=3),
            arg.Argument("strides", arg.Sizes(rank), 1, "Stride of the kernel.", True),
            PADDING,
            DATA_FORMAT,
            arg.Argument("dilation_rate", arg.Sizes(rank), 1, "Dilation of the kernel.", True),
            arg.ACTIVATION,
            replace(arg.RECURRENT_ACTIVATION, was="hard_sigmoid"),
            arg.USE_BIAS,
            *arg.KERNEL_INITIALIZERS,
            arg.UNIT_FORGET_BIAS,
            *arg.REGULARIZERS,
            arg.ACTIVITY_REGULARIZER,
            *arg.CONSTRAINTS,
            *arg.DROPOUTS,
            arg.RNN_SEED,
            arg.RETURN_SEQUENCES,
            arg.RETURN_STATE,
            arg.GO_BACKWARDS,
            arg.STATEFUL,
            *arg.EVERY_LAYER,
            arg.ZERO_OUTPUT_FOR_MASK,
            arg.UNROLL,
        ),
        theory,
        letters,
        check=check,
        check_input=check_input,
        contents=contents.recurrent,
        in_2=_IN_2,
    )


CONV_LSTMS = tuple(map(_conv_lstm, (1, 2, 3)))
