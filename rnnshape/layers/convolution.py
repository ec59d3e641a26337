"""The entries of the convolutions over one or two axes: plain, depthwise, separable and transposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers import arguments as arg
from rnnshape.layers import convolution_rules as rules
from rnnshape.layers.node import LayerClass
from rnnshape.layers.space import DATA_FORMAT, picture, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from rnnshape.errors import Problem
    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import Node


def _regularized(names: tuple[str, ...]) -> Iterator[arg.Argument]:
    """Initializers, regularizers and constraints of a convolution's weights, in Keras' order."""
    for name in names:
        yield arg.initializer(f"{name}_initializer", "zeros" if name == "bias" else "glorot_uniform")
    yield from (arg.regularizer(f"{name}_regularizer") for name in names)
    yield arg.ACTIVITY_REGULARIZER
    yield from (arg.constraint(f"{name}_constraint") for name in names)


_LETTERS = {1: steps, 2: picture}


def _convolution(
    name: str,
    theory: Callable[[Node, Given], Answer],
    order: str,
    weights: tuple[str, ...],
    *,
    check: Callable[[Node], Iterator[Problem]] = rules.check,
    check_input: Callable[[Node, Dims], str | None] = rules.check_input,
    popped: tuple[arg.Argument, ...] = (),
    letters: Callable[[Node, int | None], tuple[str, ...]] | None = None,
    source: str,
) -> LayerClass:
    """The entry of a class whose first arguments are in this ``order``."""
    rank = 1 if "1D" in name else 2
    one: Any = 1 if rank == 1 else (1, 1)
    paddings = ("valid", "same", "causal") if name == "Conv1D" else ("valid", "same")
    known = {
        "filters": arg.Argument("filters", arg.Whole(), cli_default=1),
        "kernel_size": arg.Argument("kernel_size", arg.Sizes(rank), cli_default=3),
        "strides": arg.Argument("strides", arg.Sizes(rank), one),
        "padding": arg.Argument("padding", arg.AnyCase(paddings), "valid"),
        "output_padding": arg.Argument(
            "output_padding", arg.Maybe(arg.Sizes(rank, 0)), None, placed=(3, 11), in_2=True
        ),
        "data_format": DATA_FORMAT,
        "dilation_rate": arg.Argument("dilation_rate", arg.Sizes(rank), one),
        "depth_multiplier": arg.Argument("depth_multiplier", arg.Whole(), 1),
        "groups": arg.Argument("groups", arg.Whole(), 1),
    }
    return LayerClass(
        name,
        "layer",
        (
            *(known[argument] for argument in order.split()),
            arg.activation("activation", None, "Activation of the output."),
            arg.USE_BIAS,
            *_regularized(weights),
            *arg.EVERY_LAYER,
            *popped,
        ),
        theory,
        letters or _LETTERS[rank],
        check=check,
        check_input=check_input,
        source=f"convolutional/{source}.call",
    )


CONVOLUTION = (
    *(
        _convolution(
            f"Conv{rank}D",
            rules.plain,
            "filters kernel_size strides padding data_format dilation_rate groups",
            ("kernel", "bias"),
            popped=arg.LORA[:2],
            letters=rules.batched(_LETTERS[rank]),
            source="conv1d.py: Conv1D" if rank == 1 else "base_conv.py: BaseConv",
        )
        for rank in (1, 2)
    ),
    *(
        _convolution(
            f"SeparableConv{rank}D",
            rules.separable,
            "filters kernel_size strides padding data_format dilation_rate depth_multiplier",
            ("depthwise", "pointwise", "bias"),
            check=rules.check_depthwise,
            source="base_separable_conv.py: BaseSeparableConv",
        )
        for rank in (1, 2)
    ),
    *(
        _convolution(
            f"DepthwiseConv{rank}D",
            rules.depthwise,
            "kernel_size strides padding depth_multiplier data_format dilation_rate",
            ("depthwise", "bias"),
            check=rules.check_depthwise,
            source="base_depthwise_conv.py: BaseDepthwiseConv",
        )
        for rank in (1, 2)
    ),
    *(
        _convolution(
            f"Conv{rank}DTranspose",
            rules.transposed,
            "filters kernel_size strides padding output_padding data_format dilation_rate",
            ("kernel", "bias"),
            check_input=rules.grows_back,
            source="base_conv_transpose.py: BaseConvTranspose",
        )
        for rank in (1, 2)
    ),
)
