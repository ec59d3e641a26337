"""Computes the whole shape of the input, from ``input``, or from batch, time and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.errors import Problem
from rnnshape.layers.base import Given
from rnnshape.layers.breaking import first_broken
from rnnshape.layers.dims import Dim
from rnnshape.layers.entries import begin
from rnnshape.spec.options import BATCH, CHANNELS, DIMENSIONS, INPUT, LETTERS, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.layers.node import Node
    from rnnshape.reading.code.declared import Fed
    from rnnshape.reading.code.sizes import Sizes

# T2 is the time axis inside a TimeDistributed; any other letter is an axis of an image.
_DEFAULT_SIZES = {"N": BATCH.default, "T": TIME.default, "C": CHANNELS.default, "T2": 5}
_SPACE = 8
USUAL_SIZES = (*_DEFAULT_SIZES.values(), _SPACE)
# Used instead where the windows of a layer do not fit into the usual sizes.
_LONG = 32


def whole_shape(node: Node, options: Mapping[str, Any], problems: list[Problem], fed: Fed | None) -> tuple[int, ...]:
    """The whole shape of the input: ``input``, or batch, time and channels, or the shape in the code (``fed``)."""
    shape: tuple[int, ...] = options.get(INPUT.name, ())
    sizes: Sizes = shape or (() if fed is None else fed.sizes)
    letters = node.cls.letters(node, None if fed is None and not shape else len(sizes))
    if shape:
        twice = [option.name for option in DIMENSIONS if option.name in options]
        problems.extend(Problem(name, "is already set by input, which is the whole shape") for name in twice)
    else:
        named = {letter: options[option.name] for option, letter in LETTERS.items() if option.name in options}
        takes = f"does not apply here: {node.name} takes ({', '.join(letters)})"
        problems.extend(
            Problem(o.name, takes) for o, letter in LETTERS.items() if letter in named and letter not in letters
        )
        known = dict(zip(letters, sizes, strict=False))
        said = [named.get(letter) or _of(letter, known.get(letter)) for letter in letters]
        usual = (_DEFAULT_SIZES.get(letter, _SPACE) for letter in letters)
        shape = tuple(size or other for size, other in zip(said, usual, strict=True))
        longer = (_LONG if letter not in "NC" else other for letter, other in zip(letters, shape, strict=True))
        long = tuple(size or other for size, other in zip(said, longer, strict=True))
        if flow(node, shape) and not flow(node, long):
            shape = long
    if fed is not None and INPUT.name not in options and len(sizes) != len(letters):
        problems.append(Problem(INPUT.name, rank_message(node, sizes)))
    elif len(shape) != len(letters):
        problems.append(Problem(INPUT.name, rank_message(node, shape)))
    elif not problems and (wrong := flow(node, shape)):
        problems.append(Problem(INPUT.name if INPUT.name in options else "", wrong))
    return shape


def _of(letter: str, size: int | None) -> int | None:
    """The size that the code gives; for a time axis as a number, so that its letter stays T."""
    return int(size) if letter.startswith("T") and size is not None else size


def flow(node: Node, shape: tuple[int, ...]) -> str | None:
    """Why the layer does not take an input of this shape and the right rank; None if it does."""
    letters = node.cls.letters(node, len(shape))
    return node.cls.check_input(node, tuple(map(Dim.of, shape, letters))) if len(letters) == len(shape) else None


def broken(node: Node, shape: tuple[int, ...]) -> int | None:
    """The index of the layer of a stack, or of the call of a graph, that does not take its input; None without one."""
    if node.cls.kind == "graph":
        letters = node.cls.letters(node, len(shape))
        flowing = begin(node["graph"], Given(tuple(map(Dim.of, shape, letters)), "float32"))
        found = first_broken(flowing)
        return None if found is None else node["graph"].calls.index(found[0])
    layers = node.in_turn
    for count in range(1, len(layers) + 1 if node.cls.kind == "stack" else 0):
        if flow(node.but(layers=layers[:count]), shape):
            return count - 1
    return None


def rank_message(node: Node, shape: Sizes) -> str:
    """The message for an input of the wrong rank; Keras' own is ``expected ndim=3``."""
    letters = node.cls.letters(node, None)
    takes = f"{node.in_turn[0].name} takes a rank-{len(letters)} input ({', '.join(letters)})"
    what = f"{takes}, not the rank-{len(shape)} {shape}"
    return what + _rank_advice(node.in_turn[0], letters, shape)


def _rank_advice(first: Node, letters: tuple[str, ...], shape: Sizes) -> str:
    """What to do about one axis too few or too many, for a layer that takes time steps."""
    if tuple(letters[:2]) != ("N", "T") or len(letters) < 3:
        return ""
    declared = shape[:1] == (None,)  # by a shape without the batch
    if len(shape) == len(letters) - 1:
        if declared:
            return f": give the time axis as well, {_written((None, *shape[1:]))} without the batch"
        one = "x[:, None, :]" if len(shape) == 2 else "x[:, None]"
        says = f"expected ndim={len(letters)}, found ndim={len(shape)}"
        return f': add the time axis, {one} for one step (Keras: "{says}")'
    if len(shape) == len(letters) + 1:
        if declared and shape[1] is not None:
            return f": the batch is left out in this shape; if {shape[1]} is the batch, write {_written(shape[2:])}"
        return f": write TimeDistributed({first.name}(…)), which runs it on each part, or join two axes"
    return ""


def _written(sizes: Sizes) -> str:
    return f"({', '.join(map(str, sizes))})"
