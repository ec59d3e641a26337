"""Local and global pooling over one or two axes (Keras' ``layers/pooling``, read in 3.15.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers import arguments as arg
from rnnshape.layers.around import answered, entry
from rnnshape.layers.base import Refusal
from rnnshape.layers.dims import fixed
from rnnshape.layers.release import KERAS_3
from rnnshape.layers.space import DATA_FORMAT, PADDING, Window, each, joined, moved, picture, split, steps, unfit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.node import LayerClass, Node


def _windows(node: Node, rank: int) -> list[Window]:
    sizes = node["pool_size"]
    strides = sizes if node["strides"] is None else node["strides"]
    pairs = zip(each(sizes, rank), each(strides, rank), strict=True)
    return [Window(size, stride, 1, node["padding"], "pool") for size, stride in pairs]


def _pooled(node: Node, given: Given) -> Answer:
    """One value for each position of the pool; the channels are kept."""
    space, channels = split(node, given.dims)
    out, notes = moved(_windows(node, len(space)), space)
    answer = answered(node, given, joined(node, given.dims[0], out, channels))
    answer.notes = notes
    return answer


def _fits(node: Node, dims: Dims) -> str | None:
    space, _ = split(node, dims)
    return unfit(_windows(node, len(space)), space)


def _global(node: Node, given: Given) -> Answer:
    """One value for all positions; ``GlobalAveragePooling1D`` leaves out masked steps."""
    space, channels = split(node, given.dims)
    out = tuple(fixed(1) for _ in space) if node["keepdims"] else ()
    answer = answered(node, given, joined(node, given.dims[0], out, channels))
    if node.name == "GlobalAveragePooling1D" and given.mask is not None:
        answer.refusals += _mask_with_channels_first(node, given)
        answer.notes = ("the mean is over the valid steps",)
    return answer


def _mask_with_channels_first(node: Node, given: Given) -> Iterator[Refusal]:
    """Reject a mask with ``channels_first``, where the steps are the last axis."""
    mask = given.mask
    (steps,), _ = split(node, given.dims)
    if mask is not None and (mask.behind or (mask.steps != steps.size and 1 not in (mask.steps, steps.size))):
        yield Refusal(
            f"InvalidArgumentError: the mask has {mask.steps} steps, and the input has {steps.size}",
            "use channels_last, where time is the second axis",
        )


def _pooling(mode: str, rank: int, pool_size: Any, was: Any = arg.REQUIRED) -> LayerClass:
    return entry(
        f"{mode}Pooling{rank}D",
        (
            arg.Argument("pool_size", arg.Sizes(rank), pool_size, cli_default=2, was=was),
            arg.Argument("strides", arg.Maybe(arg.Sizes(rank)), None),
            *(PADDING, DATA_FORMAT, arg.PLACED_NAME, arg.DTYPE, arg.TRAINABLE, arg.AUTOCAST, arg.ACTIVITY_REGULARIZER),
        ),
        _pooled,
        steps if rank == 1 else picture,
        check_input=_fits,
        source="pooling/base_pooling.py: BasePooling",
        built=True,
    )


def _global_pooling(mode: str, rank: int) -> LayerClass:
    masked = (mode, rank) == ("Average", 1)
    keeps = arg.Argument("keepdims", arg.Flag(), False, placed=KERAS_3 if masked else ())
    return entry(
        f"Global{mode}Pooling{rank}D",
        (DATA_FORMAT, keeps, *arg.BASE),
        _global,
        steps if rank == 1 else picture,
        takes_mask=masked,
        source=f"pooling/global_{mode.lower()}_pooling{rank}d.py",
        built=True,
    )


POOLING = (
    _pooling("Max", 1, 2),
    _pooling("Max", 2, (2, 2)),
    _pooling("Average", 1, arg.REQUIRED, 2),
    _pooling("Average", 2, arg.REQUIRED, (2, 2)),
    *(_global_pooling(mode, rank) for mode in ("Max", "Average") for rank in (1, 2)),
)
