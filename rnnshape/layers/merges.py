"""Layers that merge several inputs into one tensor: Concatenate, Add and other elementwise layers, Dot.

The first input is ``Given.dims``, the others are ``Given.others``.  ``check_inputs`` has Keras' errors about inputs
that do not fit together (read in 3.15.1: ``keras/src/layers/merging/``).
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rnnshape.layers import arguments as arg
from rnnshape.layers.around import any_sequence, no_loop
from rnnshape.layers.attention import ATTENTIONS
from rnnshape.layers.base import Answer, Leaf, Product, Refusal, compute_dtype
from rnnshape.layers.building import unregularized
from rnnshape.layers.dims import Dim, fixed
from rnnshape.layers.merged_masks import concatenated_mask, merged_mask
from rnnshape.layers.node import LayerClass
from rnnshape.layers.release import change
from rnnshape.layers.several import alone, every_dims, masks_handed_on, shown, shown_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rnnshape.layers.base import Dims, Given
    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import Node


def _answer(node: Node, given: Given, dims: Dims, mask: Mask | None = None) -> Answer:
    output = Leaf("output", dims, compute_dtype(node["dtype"]))
    refusals = list(unregularized(node, given, output))
    return Answer((output,), output, cudnn=no_loop(node), mask=mask, refusals=refusals)


# -- elementwise --------------------------------------------------------------------------------


def _elementwise(node: Node, given: Given) -> Answer:
    """``(N, …)``: axes of size 1 are broadcast; an input of lower rank gets such axes after the batch."""
    dims = given.dims
    for other, _ in given.others:
        dims = (dims[0], *_stretched(dims[1:], other[1:]))
    return _masked(_answer(node, given, dims), lambda: merged_mask(node, masks_handed_on(given)))


def _masked(answer: Answer, mask: Callable[[], Mask | None]) -> Answer:
    """The answer with the output mask, or with what Keras raises about the masks of the inputs."""
    try:
        answer.mask = mask()
    except ValueError as error:
        answer.refusals.append(Refusal(f"InvalidArgumentError: {error}", "mask inputs of one shape"))
    return answer


def _stretched(left: Dims, right: Dims) -> Dims:
    """The broadcast of two shapes without their batch."""
    pairs = zip_longest(reversed(left), reversed(right))
    return tuple(reversed([_longer(one, other) for one, other in pairs]))


def _longer(one: Dim | None, other: Dim | None) -> Dim:
    if one is None or other is None:
        return one or other or fixed(1)
    return other if one.size == 1 else one


def _stretchable(node: Node, inputs: Sequence[Dims]) -> str | None:
    if node.name == "Subtract" and len(inputs) != 2:
        return f"Subtract takes two inputs, but it gets {len(inputs)}"
    if wrong := _merged(node, inputs):
        return wrong
    dims = inputs[0]
    for other in inputs[1:]:
        pairs = zip(reversed(dims[1:]), reversed(other[1:]), strict=False)
        if clash := next(((a, b) for a, b in pairs if a.size != b.size and 1 not in (a.size, b.size)), None):
            return (
                f"{node.name} needs inputs of one shape, and they are {shown_all(inputs)}: "
                f"make {clash[0].letter} = {clash[0].size} and {clash[1].letter} = {clash[1].size} equal"
            )
        dims = (dims[0], *_stretched(dims[1:], other[1:]))
    return None


def _merged(node: Node, inputs: Sequence[Dims]) -> str | None:
    """Reject a single input, and batches of different sizes."""
    if len(inputs) < 2:
        return f"{node.name} merges several inputs: call it on a list, {node.name}(…)([a, b])"
    if len({dims[0].size for dims in inputs}) > 1:
        return f"{node.name} needs one batch size in all inputs, and they are {shown_all(inputs)}"
    return None


# -- Concatenate --------------------------------------------------------------------------------


def _concatenate(node: Node, given: Given) -> Answer:
    inputs = every_dims(given)
    axis = node["axis"] % len(given.dims)
    answer = _answer(node, given, concatenated(node, inputs))
    return _masked(answer, lambda: concatenated_mask(masks_handed_on(given), inputs, axis))


def concatenated(node: Node, inputs: Sequence[Dims]) -> Dims:
    """The shape with the sum of the sizes along ``axis``."""
    first, *others = inputs
    axis = node["axis"] % len(first)
    size = first[axis]
    for dims in others:
        size = size + dims[axis]
    return (*first[:axis], size, *first[axis + 1 :])


def _fits(node: Node, inputs: Sequence[Dims]) -> str | None:
    if len(inputs) < 2:
        return _merged(node, inputs)
    rank, axis = len(inputs[0]), node["axis"]
    if not -rank <= axis < rank:
        return f"axis={axis} does not exist: the first input is {shown(inputs[0])}"
    if any(len(dims) != rank for dims in inputs):
        return f"Concatenate needs inputs of one rank, and they are {shown_all(inputs)}"
    for place in range(rank):
        sizes = {dims[place].size: dims[place] for dims in inputs}
        if place != axis % rank and len(sizes) > 1:
            said = " and ".join(f"{dim.letter} = {size}" for size, dim in sizes.items())
            return (
                f"Concatenate(axis={axis}) joins axis {axis % rank}, all others must be equal: axis {place} is {said}"
                + _other_axis(inputs, place)
            )
    if not (_WHOLE_SHAPES.made or _alike(inputs, axis)):
        return f"Concatenate(axis={axis}) fails before Keras 3.7, which leaves axes of 1 out of {shown_all(inputs)}" + (
            f": write axis={axis % rank}" if _alike(inputs, axis % rank) else ""
        )
    return None


_WHOLE_SHAPES = change(
    "3.7",
    "Concatenate compares the shapes of its inputs with their axes of 1",
    "layers/merging/concatenate.py: Concatenate.build",
)


def _alike(inputs: Sequence[Dims], axis: int) -> bool:
    """Whether ``Concatenate.build`` accepts the inputs before Keras 3.7, when it leaves out axes of size 1.

    It deletes them, and then the axis itself, by indices that are wrong after the first deletion.
    """
    left = set()
    for dims in inputs:
        sizes = [dim.size for dim in dims]
        try:
            for place, size in enumerate(sizes[1:], start=1):
                if place != axis % len(dims) and size == 1:
                    del sizes[place]
            if len(sizes) > axis:
                del sizes[axis]
        except IndexError:
            return False
        left.add(tuple(sizes))
    return len(left) == 1


def _other_axis(inputs: Sequence[Dims], place: int) -> str:
    """The advice to use another axis, if the inputs fit along it."""
    rank = len(inputs[0])
    alike = all(len({dims[axis].size for dims in inputs}) == 1 for axis in range(rank) if axis != place)
    return f"; axis={-1 if place == rank - 1 else place} fits" if alike else ""


# -- Dot ----------------------------------------------------------------------------------------


def _dot(node: Node, given: Given) -> Answer:
    """The other axes of the first input, then those of the second without its batch; the two axes are summed."""
    first, (second, _) = given.dims, given.others[0]
    one, other = _axes(node, first, second)
    left = (*first[:one], *first[one + 1 :])
    right = (*second[1:other], *second[other + 1 :])
    answer = _answer(node, given, (*left, *right) if len(left) + len(right) > 1 else (*left, fixed(1)))
    answer.products = [Product((*left, first[one], *right))]
    return answer


def _axes(node: Node, first: Dims, second: Dims) -> tuple[int, int]:
    axes = node["axes"]
    one, other = axes if isinstance(axes, tuple) else (axes, axes)
    return (one % len(first) if one < 0 else one), (other % len(second) if other < 0 else other)


def _summable(node: Node, inputs: Sequence[Dims]) -> str | None:
    if len(inputs) != 2:
        return f"Dot takes two inputs, but it gets {len(inputs)}"
    if wrong := _merged(node, inputs):
        return wrong
    first, second = inputs
    one, other = _axes(node, first, second)
    if one >= len(first) or other >= len(second):
        return f"axes={node['axes']} does not exist in {shown_all(inputs)}"
    if 0 in (one, other):
        return "Dot cannot sum over axis 0, the batch: use axes=-1 or axes=1"
    if first[one].size != second[other].size:
        return (
            f"Dot sums over axes of one size, and {first[one].letter} = {first[one].size} but "
            f"{second[other].letter} = {second[other].size} in {shown_all(inputs)}"
        )
    return None


def _of(
    name: str,
    arguments: tuple[arg.Argument, ...],
    theory: Callable[[Node, Given], Answer],
    check: Callable[[Node, Sequence[Dims]], str | None],
) -> LayerClass:
    return LayerClass(
        name,
        "merge",
        (*arguments, *arg.BASE),
        theory,
        any_sequence,
        check_input=alone,
        check_inputs=check,
        source=f"merging/{name.lower()}.py: {name}.call",
    )


_ELEMENTWISE = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
MERGES: dict[str, LayerClass] = {
    cls.name: cls
    for cls in (
        _of("Concatenate", (arg.Argument("axis", arg.Axis(), -1),), _concatenate, _fits),
        *(_of(name, (), _elementwise, _stretchable) for name in _ELEMENTWISE),
        _of(
            "Dot",
            (arg.Argument("axes", arg.AxisOfEach()), arg.Argument("normalize", arg.Flag(), False)),
            _dot,
            _summable,
        ),
        *ATTENTIONS,
    )
}
