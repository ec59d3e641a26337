"""Layers that change the shape of a tensor (Keras' ``layers/reshaping``, read in 3.15.1)."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers.around import answered, any_rank, any_sequence, entry
from rnnshape.layers.dims import fixed, product
from rnnshape.layers.space import DATA_FORMAT, became, each, joined, picture, split, steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rnnshape.layers.base import Answer, Dims, Given
    from rnnshape.layers.dims import Dim
    from rnnshape.layers.node import Node


def _flatten(node: Node, given: Given) -> Answer:
    batch, *rest = given.dims
    return answered(node, given, (batch, product(rest)))


def _reshape(node: Node, given: Given) -> Answer:
    batch, *rest = given.dims
    whole, target = product(rest), node["target_shape"]
    left = whole.size // -prod(target)
    # A size that the code gives by a name keeps the name.
    dims = tuple(fixed(left if size == -1 else size) for size in target)
    answer = answered(node, given, (batch, *dims))
    if -1 in target:
        others = " / ".join(str(size) for size in target if size != -1)
        over = f" / {others}" if others else ""
        answer.notes = (f"-1 = {whole.letter}{over} = {whole.size}{over} = {left}",)
    return answer


def _size_mismatch(node: Node, dims: Dims) -> str | None:
    """Why the new shape does not have as many elements as a sample."""
    whole, target = product(dims[1:]), node["target_shape"]
    size = prod(target)
    if whole.size == size or (-1 in target and whole.size % size == 0):
        return None
    wants = f"a multiple of {-size}" if -1 in target else str(size)
    sizes = " * ".join(f"{dim.letter}={dim.size}" for dim in dims[1:])
    return f"target_shape={target} needs {wants} elements in each sample, but there are {whole.size} ({sizes})"


def _permute(node: Node, given: Given) -> Answer:
    return answered(node, given, (given.dims[0], *(given.dims[axis] for axis in node["dims"])))


def _repeat(node: Node, given: Given) -> Answer:
    batch, channels = given.dims
    return answered(node, given, (batch, fixed(node["n"]), channels))


def _upsample(node: Node, given: Given) -> Answer:
    space, channels = split(node, given.dims)
    out = tuple(dim * factor for dim, factor in zip(space, each(node["size"], len(space)), strict=True))
    return answered(node, given, joined(node, given.dims[0], out, channels))


def _margins(value: Any, rank: int) -> Iterator[tuple[int, ...]]:
    """The sizes that are added or removed at the two ends of each axis; with one axis, they are the argument itself."""
    sides = (value,) if rank == 1 else value if isinstance(value, tuple) else (value,) * rank
    for side in sides:
        yield side if isinstance(side, tuple) else (side, side)


def _changed(node: Node, space: Dims) -> Iterator[tuple[Dim, Dim, str]]:
    """Each axis, its new size, and the formula."""
    argument, sign = ("padding", 1) if node.has("padding") else ("cropping", -1)
    for dim, ends in zip(space, _margins(node[argument], len(space)), strict=True):
        size = dim.size + sign * sum(ends)
        out = dim if size == dim.size else became(dim, size)
        by = "".join(f" {'+-'[sign < 0]} {end}" for end in ends)
        yield dim, out, f"{out.letter} = {dim.letter}{by} = {size}"


def _pad_or_crop(node: Node, given: Given) -> Answer:
    """Padding and cropping of steps or images."""
    space, channels = split(node, given.dims)
    changed = list(_changed(node, space))
    answer = answered(node, given, joined(node, given.dims[0], tuple(out for _, out, _ in changed), channels))
    answer.notes = tuple(told for dim, out, told in changed if out is not dim)
    return answer


def _leaves_some(node: Node, dims: Dims) -> str | None:
    space, _ = split(node, dims)
    return next(
        (
            f"cropping={node['cropping']} leaves nothing of {dim.letter}={dim.size}: crop less"
            for dim, out, _ in _changed(node, space)
            if out.size < 1
        ),
        None,
    )


_RESIZED = arg.Argument(
    "interpolation", arg.AnyCase(("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")), "nearest"
)

RESHAPING = (
    entry("Flatten", (DATA_FORMAT, *arg.BASE), _flatten, any_sequence, source="reshaping/flatten.py"),
    entry(
        "Reshape",
        (arg.Argument("target_shape", arg.TargetShape(), cli_default=(-1,)), *arg.BASE),
        _reshape,
        any_sequence,
        check_input=_size_mismatch,
        source="reshaping/reshape.py",
        built=True,
    ),
    entry(
        "Permute",
        (arg.Argument("dims", arg.Order(), cli_default=(2, 1)), *arg.BASE),
        _permute,
        lambda node, rank: any_rank(len(node["dims"]) + 1),
        source="reshaping/permute.py",
    ),
    entry(
        "RepeatVector",
        (arg.Argument("n", arg.Whole(), cli_default=3), *arg.BASE),
        _repeat,
        lambda node, rank: ("N", "C"),
        source="reshaping/repeat_vector.py",
    ),
    entry(
        "UpSampling1D",
        (arg.Argument("size", arg.Whole(), 2), *arg.BASE),
        _upsample,
        steps,
        source="reshaping/up_sampling1d.py",
    ),
    entry(
        "UpSampling2D",
        (arg.Argument("size", arg.Sizes(2), (2, 2)), DATA_FORMAT, _RESIZED, *arg.BASE),
        _upsample,
        picture,
        source="reshaping/up_sampling2d.py",
    ),
    entry(
        "ZeroPadding1D",
        (arg.Argument("padding", arg.Sizes(2, 0), 1), replace(DATA_FORMAT, since=(3, 5)), *arg.BASE),
        _pad_or_crop,
        steps,
        source="reshaping/zero_padding1d.py",
    ),
    entry(
        "ZeroPadding2D",
        (arg.Argument("padding", arg.Margins(), (1, 1)), DATA_FORMAT, *arg.BASE),
        _pad_or_crop,
        picture,
        source="reshaping/zero_padding2d.py",
    ),
    entry(
        "Cropping1D",
        (arg.Argument("cropping", arg.Sizes(2, 0), (1, 1)), *arg.BASE),
        _pad_or_crop,
        steps,
        check_input=_leaves_some,
        source="reshaping/cropping1d.py",
    ),
    entry(
        "Cropping2D",
        (arg.Argument("cropping", arg.Margins(), ((0, 0), (0, 0))), DATA_FORMAT, *arg.BASE),
        _pad_or_crop,
        picture,
        check_input=_leaves_some,
        source="reshaping/cropping2d.py",
    ),
)
