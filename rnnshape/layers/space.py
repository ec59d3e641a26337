"""The output sizes of kernels and pools that move over spatial axes, for ConvLSTM, convolutions and poolings.

Source: Keras' ``ops/operation_utils.py: compute_conv_output_shape``, read in 3.15.1.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from rnnshape.layers import arguments as arg
from rnnshape.layers.dims import Dim, fixed, letters_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import Node

SPACE = ("X", "Y", "Z")
_DASHES = 2  # more dashes are hard to count

DATA_FORMAT = arg.Argument(
    "data_format", arg.AnyCase((None, "channels_last", "channels_first")), None, "Position of the channel axis:", True
)
PADDING = arg.Argument("padding", arg.AnyCase(("valid", "same")), "valid", "Padding:", True)


def each(value: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """A size for each axis; one number is the size of all axes."""
    return value if isinstance(value, tuple) else (value,) * rank


class Window(NamedTuple):
    """A window that moves over one axis: its size, stride, dilation, and the padding of the axis.

    ``padding`` is ``"valid"``, ``"same"`` or ``"causal"``; ``what`` is its name in messages.
    """

    size: int
    stride: int
    dilation: int
    padding: str
    what: str

    def out_of(self, dim: Dim) -> Dim:
        """The output size of an axis; an unchanged size keeps its letter."""
        if self.padding == "valid":
            size = (dim.size - self.dilation * (self.size - 1) - 1) // self.stride + 1
        else:
            size = ceil(dim.size / self.stride)
        return dim if size == dim.size and self.stride == 1 else became(dim, size)

    def formula(self, dim: Dim) -> str | None:
        """The formula of a size that changed: ``X' = floor((8 - 1*(3-1) - 1) / 1) + 1 = 6``."""
        x, out = dim.letter, self.out_of(dim)
        if out is dim:
            return None
        if self.padding != "valid":
            return f"{out.letter} = ceil({x} / stride) = ceil({dim.size} / {self.stride}) = {out.size}"
        if self.what == "pool":
            general = f"floor(({x} - pool) / stride) + 1"
            return f"{out.letter} = {general} = floor(({dim.size} - {self.size}) / {self.stride}) + 1 = {out.size}"
        return (
            f"{out.letter} = floor(({x} - dilation*(kernel-1) - 1) / stride) + 1 "
            f"= floor(({dim.size} - {self.dilation}*({self.size}-1) - 1) / {self.stride}) + 1 = {out.size}"
        )

    def unfit(self, dim: Dim) -> str | None:
        """Why the window does not fit into the axis."""
        if self.out_of(dim).size > 0:
            return None
        least = "pool_size" if self.what == "pool" else "dilation_rate * (kernel_size - 1) + 1"
        return (
            f"the {self.what} is larger than {dim.letter}={dim.size}: with padding='valid' {dim.letter} must be at "
            f"least {least}; make it larger or use padding='same'"
        )


def became(dim: Dim, size: int) -> Dim:
    """The dimension after a change: its letter with a dash, ``T'``; from the third on ``T'3``; a number for ``8``.

    >>> became(Dim(8, "2T"), 6), became(Dim(8, "8"), 6)
    (Dim(size=6, letter="T'"), Dim(size=6, letter='6'))
    >>> became(Dim(8, "T''"), 6), became(Dim(6, "T'3"), 3)
    (Dim(size=6, letter="T'3"), Dim(size=3, letter="T'4"))
    """
    if not (letters := letters_in(dim.letter)):
        return fixed(size)
    letter, dash, number = letters[0].partition("'")
    times = 1 + (int(number) if number.isdigit() else len(dash + number))
    return Dim(size, f"{letter}'{times}" if times > _DASHES else letter + "'" * times)


def kernels(node: Node, rank: int) -> list[Window]:
    """The windows of a convolution, one an axis."""
    sizes = (each(node[name], rank) for name in ("kernel_size", "strides", "dilation_rate"))
    return [Window(size, stride, rate, node["padding"], "kernel") for size, stride, rate in zip(*sizes, strict=True)]


def moved(windows: Sequence[Window], space: Dims) -> tuple[Dims, tuple[str, ...]]:
    """The sizes after a window has moved over each axis, and the formulas of those that changed."""
    pairs = list(zip(windows, space, strict=True))
    out = tuple([window.out_of(dim) for window, dim in pairs])
    return out, tuple(filter(None, [window.formula(dim) for window, dim in pairs]))


def unfit(windows: Sequence[Window], space: Dims) -> str | None:
    """Why a window does not fit into its axis."""
    return next((wrong for window, dim in zip(windows, space, strict=True) if (wrong := window.unfit(dim))), None)


def rank_of(node: Node) -> int:
    """The number of spatial axes of a class: 2 for Conv2D."""
    return next(int(letter) for letter in node.name if letter.isdigit())


def computed(node: Node, space: Dims, out: Dims) -> Dims:
    """The positions that TensorFlow computes for the output sizes ``out``.

    For a dilation, TensorFlow splits the image into ``dilation_rate`` images of one size, with padding if necessary
    (``with_space_to_batch`` in its ``nn_ops.py``).  It computes the positions of the padding too, and drops them.
    """
    wasted = (
        -dim.size % dilation for dim, dilation in zip(space, each(node["dilation_rate"], len(space)), strict=True)
    )
    return tuple(dim + fixed(more) if more else dim for dim, more in zip(out, wasted, strict=True))


def split(node: Node, dims: Dims) -> tuple[Dims, Dim]:
    """The spatial sizes and the channels, by ``data_format``; ``dims`` starts with the batch."""
    if _first(node):
        return dims[2:], dims[1]
    return dims[1:-1], dims[-1]


def joined(node: Node, batch: Dim, space: Dims, channels: Dim) -> Dims:
    """The dimensions from the parts of ``split``."""
    return (batch, channels, *space) if _first(node) else (batch, *space, channels)


def steps(node: Node, rank: int | None) -> tuple[str, ...]:
    """The letters of a 1D layer's input."""
    return ("N", "C", "T") if _first(node) else ("N", "T", "C")


def picture(node: Node, rank: int | None) -> tuple[str, ...]:
    """The letters of a 2D layer's input."""
    return ("N", "C", "X", "Y") if _first(node) else ("N", "X", "Y", "C")


def _first(node: Node) -> bool:
    return node.has("data_format") and node["data_format"] == "channels_first"
