"""The input's whole shape: from ``input``, or from batch, time and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.errors import Problem
from rnnshape.layers.dims import Dim
from rnnshape.spec.options import BATCH, CHANNELS, DIMENSIONS, INPUT, LETTERS, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.layers.node import Node

# T2 is the time axis inside a TimeDistributed; what else there is are the axes of a picture.
_DEFAULT_SIZES = {"N": BATCH.default, "T": TIME.default, "C": CHANNELS.default, "T2": 5}
_SPACE = 8


def whole_shape(node: Node, options: Mapping[str, Any], problems: list[Problem]) -> tuple[int, ...]:
    """The input's whole shape, from ``input`` or from batch, time and channels."""
    shape: tuple[int, ...] = options.get(INPUT.name, ())
    letters = node.cls.letters(node, len(shape) or None)
    if shape:
        twice = [option.name for option in DIMENSIONS if option.name in options]
        problems.extend(Problem(name, "is already said by input, which is the whole shape") for name in twice)
    else:
        named = {letter: options[option.name] for option, letter in LETTERS.items() if option.name in options}
        takes = f"means nothing here: {node.name} takes ({', '.join(letters)})"
        problems.extend(
            Problem(o.name, takes) for o, letter in LETTERS.items() if letter in named and letter not in letters
        )
        shape = tuple(named.get(letter) or _DEFAULT_SIZES.get(letter, _SPACE) for letter in letters)
    if len(shape) != len(letters):
        problems.append(Problem(INPUT.name, rank_message(node, shape)))
    elif not problems and (wrong := node.cls.check_input(node, tuple(map(Dim, shape, letters)))):
        problems.append(Problem(INPUT.name if INPUT.name in options else "", wrong))
    return shape


def rank_message(node: Node, shape: tuple[int, ...]) -> str:
    """Why an input of this rank cannot go in; Keras says ``expected ndim=3``."""
    letters = node.cls.letters(node, None)
    what = f"{node.name} takes a rank-{len(letters)} input ({', '.join(letters)}), not the rank-{len(shape)} {shape}"
    if len(shape) == 2 and len(letters) == 3:
        what += ': add the time axis, x[:, None, :] for one step (Keras: "expected ndim=3, found ndim=2")'
    return what
