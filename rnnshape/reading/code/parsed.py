"""The question about one layer or stack in code, and the errors for open choices and for code without layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnnshape.errors import Invalid, Problem
from rnnshape.reading.code.calling import Called

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rnnshape.layers import Node
    from rnnshape.reading.code.declared import Fed
    from rnnshape.reading.code.naming import Open
    from rnnshape.reading.code.syntax import Span


@dataclass(frozen=True, slots=True)
class Parsed:
    """A question: a layer, the number of names that its result is unpacked into (None: unknown), and its call.

    ``places`` has the place of each layer of a stack, in the order of the calls; ``fed`` is the declared input, and
    ``notes`` are the notes of the readers.  ``stands`` has the number of each name in the layer, ``open`` the open
    choices, ``names`` all names that ``--let`` can set; ``name`` is the code's name for the layer.
    ``counted`` tells whether the code asks for the weights.
    """

    node: Node
    text: str
    targets: int | None = None
    called: Called = field(default_factory=Called)
    places: tuple[Span, ...] = ()
    fed: Fed | None = None
    notes: tuple[str, ...] = ()
    stands: tuple[tuple[str, int | float], ...] = ()
    open: tuple[Open, ...] = ()
    names: tuple[str, ...] = ()
    name: str | None = None
    counted: bool = False


class Undecided(Invalid):
    """The code leaves a choice open, such as ``return_sequences=flag``; ``open`` has its values."""

    def __init__(self, choices: Sequence[Open], text: str, problems: Iterable[Problem] = ()) -> None:
        self.open = tuple(choices)
        super().__init__([*problems, *(Problem("", _undecided(choice), choice.span) for choice in choices)], text)


class Partly(Invalid):
    """Some layers of the code have a mistake; ``read`` are the questions about the others."""

    def __init__(self, problems: Iterable[Problem], text: str, read: Sequence[Parsed]) -> None:
        self.read = tuple(read)
        super().__init__(problems, text)


class NothingMade(Invalid):
    """The code creates no layer; with another value of a choice it may."""


def _undecided(choice: Open) -> str:
    ways = " or ".join(f"--let {choice.key}={value}" for value in choice.values)
    return f"{choice.key} is not given, and the structure depends on it: add {ways}"
