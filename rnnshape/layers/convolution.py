"""The entries of the convolutions over one or two axes: plain, depthwise, separable and transposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers import arguments as arg
from rnnshape.layers import convolution_rules as rules
from rnnshape.layers.around import entry
from rnnshape.layers.space import DATA_FORMAT, picture, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.errors import Problem
    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import LayerClass, Node


def _convolution(
    name: str,
    theory: Callable[[Node, Given], Answer],
    order: str,
    weights: str,
    *,
    check: Callable[[Node], Iterator[Problem]] = rules.check,
    check_input: Callable[[Node, Dims], str | None] = rules.check_input,
    popped: tuple[arg.Argument, ...] = (),
    batched: bool = False,
    source: str,
) -> Iterator[LayerClass]:
    """The entries of a class over one and over two axes; ``order`` has its first arguments."""
    for rank, one, letters in ((1, 1, steps), (2, (1, 1), picture)):
        paddings = ("valid", "same", "causal") if (name, rank) == ("Conv{}D", 1) else ("valid", "same")
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
        yield entry(
            name.format(rank),
            (
                *(known[argument] for argument in order.split()),
                arg.activation("activation", None, "Activation of the output."),
                arg.USE_BIAS,
                *arg.of_weights(*weights.split()),
                *arg.EVERY_LAYER,
                *popped,
            ),
            theory,
            rules.batched(letters) if batched else letters,
            check=check,
            check_input=check_input,
            source="convolutional/" + ("conv1d.py" if "causal" in paddings else source),
        )


CONVOLUTION = (
    *_convolution(
        "Conv{}D",
        rules.plain,
        "filters kernel_size strides padding data_format dilation_rate groups",
        "kernel bias",
        popped=arg.LORA[:2],
        batched=True,
        source="base_conv.py: BaseConv",
    ),
    *_convolution(
        "SeparableConv{}D",
        rules.separable,
        "filters kernel_size strides padding data_format dilation_rate depth_multiplier",
        "depthwise pointwise bias",
        check=rules.check_depthwise,
        source="base_separable_conv.py: BaseSeparableConv",
    ),
    *_convolution(
        "DepthwiseConv{}D",
        rules.depthwise,
        "kernel_size strides padding depth_multiplier data_format dilation_rate",
        "depthwise bias",
        check=rules.check_depthwise,
        source="base_depthwise_conv.py: BaseDepthwiseConv",
    ),
    *_convolution(
        "Conv{}DTranspose",
        rules.transposed,
        "filters kernel_size strides padding output_padding data_format dilation_rate",
        "kernel bias",
        check_input=rules.grows_back,
        source="base_conv_transpose.py: BaseConvTranspose",
    ),
)
