"""Spec: what was asked.  Flags, YAML and expressions all end here, checked.

>>> spec = make("lstm", {"return_state": True, "time": 5})
>>> spec.layer.text, spec.input
('LSTM(1, return_state=True)', (2, 5, 4))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.layers.base import compute_dtype
from rnnshape.layers.dims import Dim
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.options import BATCH, CHANNELS, DIMENSIONS, INPUT, RUN_OPTIONS, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import Node

_DEFAULT_SIZES = {"N": BATCH.default, "T": TIME.default, "C": CHANNELS.default}


@dataclass(frozen=True, slots=True)
class Spec:
    """A layer and how it is to be looked at.

    ``input`` is the whole shape of what is fed to it, ``(N, T, C)`` for a layer and ``(N, C)`` for a
    cell; ``seed`` makes weights and input repeatable; ``device`` is ``"auto"``, ``"cpu"`` or ``"gpu"``.
    """

    layer: Node
    input: tuple[int, ...]
    seed: int = 0
    device: str = "auto"
    name: str | None = None

    @property
    def letters(self) -> tuple[str, ...]:
        """The input's dimensions in letters."""
        return self.layer.cls.letters(self.layer)

    @property
    def dims(self) -> tuple[Dim, ...]:
        return tuple(map(Dim, self.input, self.letters))

    @property
    def input_dtype(self) -> str:
        """The dtype of what is fed: the one in which the outermost layer computes."""
        return compute_dtype(self.layer["dtype"])


def make(layer: str, options: Mapping[str, Any] | None = None, *, name: str | None = None) -> Spec:
    """The Spec of a command's name (``"lstm"``) and its options, under their names.

    Raises:
        Invalid: with every problem at once, each under the option's name.
    """
    options = dict(options or {})
    command = COMMANDS.get(layer)
    if command is None:
        raise Invalid([Problem("layer", f"{layer!r} is not a layer{nearest(layer, COMMANDS)}")])
    known = {**command.options, **{option.name: option for option in RUN_OPTIONS}}
    problems = [problem for name_, value in options.items() if (problem := _refuse(name_, value, known))]
    if problems:
        raise Invalid(problems)
    node = command.node({key: value for key, value in options.items() if key in command.options})
    return finish(node, {key: value for key, value in options.items() if key not in command.options}, name=name)


def finish(node: Node, options: Mapping[str, Any], *, name: str | None = None) -> Spec:
    """The Spec of a layer and checked run options.

    Raises:
        Invalid: arguments that do not go together, an input that the layer does not take.
    """
    problems = [*_combinations(node)]
    shape = _input(node, options, problems)
    if problems:
        raise Invalid(problems)
    rest = {key: value for key, value in options.items() if key not in _SIZES}
    return Spec(node, shape, name=name, **rest)


_SIZES = {option.name for option in (*DIMENSIONS, INPUT)}


def _refuse(name: str, value: Any, known: Mapping[str, Argument]) -> Problem | None:
    argument = known.get(name)
    if argument is None:
        return Problem(name, f"is not an option here{nearest(name, known)}")
    return None if argument.kind.accepts(value) else Problem(name, argument.kind.refusal(value))


def _combinations(node: Node) -> Iterator[Problem]:
    for part in node.walk():
        yield from part.cls.check(part)


def _input(node: Node, options: Mapping[str, Any], problems: list[Problem]) -> tuple[int, ...]:
    """The input's whole shape, from ``input`` or from batch, time and channels."""
    letters = node.cls.letters(node)
    if INPUT.name not in options:
        sizes = {option.name: options.get(option.name) for option in DIMENSIONS}
        named = {"N": sizes["batch"], "T": sizes["time"], "C": sizes["channels"]}
        for option, letter in zip(DIMENSIONS, "NTC", strict=True):
            if option.name in options and letter not in letters:
                problems.append(Problem(option.name, f"means nothing here: {node.name} takes ({', '.join(letters)})"))
        return tuple(named.get(letter) or _DEFAULT_SIZES[letter] for letter in letters)
    twice = [option.name for option in DIMENSIONS if option.name in options]
    problems.extend(Problem(name, "is already said by input, which is the whole shape") for name in twice)
    shape: tuple[int, ...] = options[INPUT.name]
    if len(shape) != len(letters):
        problems.append(Problem(INPUT.name, rank_message(node, shape)))
    return shape


def rank_message(node: Node, shape: tuple[int, ...]) -> str:
    """Why an input of this rank cannot go in; Keras says ``expected ndim=3``."""
    letters = node.cls.letters(node)
    what = f"{node.name} takes a rank-{len(letters)} input ({', '.join(letters)}), not the rank-{len(shape)} {shape}"
    if len(shape) == 2 and len(letters) == 3:
        what += ': add the time axis, x[:, None, :] for one step (Keras: "expected ndim=3, found ndim=2")'
    return what
