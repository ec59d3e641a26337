"""ConvLSTM1D, 2D and 3D: an LSTM whose products are convolutions over space.

From Keras' ``layers/rnn/conv_lstm.py`` (read in 3.15.1).  The input's kernel moves with ``strides``,
``padding`` and ``dilation_rate``; the recurrent one always keeps the size (stride 1, ``same``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers import dropping
from rnnshape.layers.base import Answer, Given, Leaf, Product, Refusal, Weight, compute_dtype, variable_dtype
from rnnshape.layers.building import changes_of_width, uninitialized
from rnnshape.layers.cells import never_cudnn
from rnnshape.layers.convolution_rules import UNIMPLEMENTED, check, unimplemented
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.recurrent import PASSED_ON, REGULARIZED, RETURNS, over_time, recurrent
from rnnshape.layers.release import KERAS_3, asked, change
from rnnshape.layers.space import DATA_FORMAT, PADDING, SPACE, computed, joined, kernels, moved, rank_of, split, unfit

if TYPE_CHECKING:
    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import LayerClass, Node

GATES = ("i", "f", "c", "o")


def step(node: Node, given: Given) -> Answer:
    """One step: ``(output, [state_h, state_c])``, each an image with ``filters`` channels."""
    rank, dtype = rank_of(node), compute_dtype(node["dtype"])
    before, channels = split(node, given.dims)
    windows, filters = kernels(node, rank), Dim.of(node["filters"], given.letter)
    space, notes = moved(windows, before)
    dims = joined(node, given.dims[0], space, filters)
    output, state_h, state_c = (Leaf(role, dims, dtype) for role in ("output", "state_h", "state_c"))
    window, width = tuple(fixed(one.size) for one in windows), filters * 4
    kept = variable_dtype(node["dtype"])
    weights = [
        Weight("kernel", (*window, channels, width), GATES, kept),
        Weight("recurrent_kernel", (*window, filters, width), GATES, kept),
    ]
    if node["use_bias"]:
        weights.append(Weight("bias", (width,), GATES, kept))
    products = [Product((given.dims[0], *space, *window, width), (channels, filters))]
    places = computed(node, before, space)
    if places != space:  # for a dilation, TensorFlow computes more positions of the input's convolution
        inputs, states = (*places, *window, channels, width), (*space, *window, filters, width)
        products = [Product((given.dims[0], *inputs)), Product((given.dims[0], *states))]
    return Answer(
        outputs=(output,),
        states=[state_h, state_c],
        returned=(output, [state_h, state_c]),
        hidden=state_h,
        weights=weights,
        products=products,
        refusals=[*uninitialized(node, weights)],
        notes=notes,
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
    # Keras 2 moves the channels to the end before it convolves (tf_keras 2.21: backend.py: _preprocess_conv2d_input).
    if rank_of(node) < 3 and asked() >= KERAS_3:
        # The states have the layer's own dtype, even inside a wrapper with another one.
        one.refusals += unimplemented(node, given, UNIMPLEMENTED, compute_dtype(node["dtype"]))
    if node["unroll"] and not _UNROLLS.made:
        message = "TypeError: Unrolling is not possible with convolutional RNNs"
        one.refusals.append(Refusal(message, "drop unroll"))
    return over_time(node, given, one, never)


def letters(node: Node, rank: int | None) -> tuple[str, ...]:
    space = SPACE[: rank_of(node)]
    return ("N", "T", "C", *space) if node["data_format"] == "channels_first" else ("N", "T", *space, "C")


def check_input(node: Node, dims: Dims) -> str | None:
    """Why a kernel does not fit into the image, or why the states change their width."""
    space, _ = split(node, (dims[0], *dims[2:]))
    windows = kernels(node, len(space))
    if wrong := unfit(windows, space):
        return wrong
    width = moved(windows, space)[0][-1].size if node["data_format"] == "channels_first" else node["filters"]
    return next((f"{problem.key} {problem.message}" for problem in changes_of_width(node, width)), None)


def _conv_lstm(rank: int) -> LayerClass:
    first = (
        arg.Argument("filters", arg.Whole(), help="H, the number of output channels.", flag=True, cli_default=1),
        arg.Argument("kernel_size", arg.Sizes(rank), help="The window.", flag=True, cli_default=3),
        arg.Argument("strides", arg.Sizes(rank), 1, "Stride of the kernel.", True),
        *(PADDING, DATA_FORMAT),
        arg.Argument("dilation_rate", arg.Sizes(rank), 1, "Dilation of the kernel.", True),
        *(arg.ACTIVATION, replace(arg.RECURRENT_ACTIVATION, was="hard_sigmoid"), arg.USE_BIAS),
        *(*arg.KERNEL_INITIALIZERS, arg.UNIT_FORGET_BIAS, *REGULARIZED),
    )
    return recurrent(
        f"ConvLSTM{rank}D",
        arguments=(*first, *arg.DROPOUTS, arg.RNN_SEED, *RETURNS, *PASSED_ON, arg.UNROLL),
        theory=theory,
        letters=letters,
        check=check,
        check_input=check_input,
        in_2=tuple(argument.name for argument in (*first, *RETURNS, *arg.DROPOUTS)),
    )


CONV_LSTMS = tuple(map(_conv_lstm, (1, 2, 3)))
