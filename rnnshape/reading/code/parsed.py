"""What code asks about one layer or stack, as it was read; or that it leaves a choice open, or makes no layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnnshape.errors import Invalid, Problem
from rnnshape.reading.code.calling import Called

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.layers import Node
    from rnnshape.reading.code.declared import Fed
    from rnnshape.reading.code.naming import Open
    from rnnshape.reading.code.syntax import Span


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a line asks for: its layer, into how many names it unpacks (None: it does not say), and its calls.

    ``places`` is where each layer of a stack stands, in the order in which they are called; ``fed`` what the line says
    of the input's shape, and ``notes`` what is to be said of how it says so.  ``stands`` is the number of each name in
    the layer, ``open`` the choices that nothing decides, ``names`` all names that a value may be given for; ``name`` is
    what the code calls the layer.
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


class Undecided(Invalid):
    """The code leaves a choice open, such as ``return_sequences=flag``; ``open`` has its values."""

    def __init__(self, choices: Sequence[Open], text: str) -> None:
        self.open = tuple(choices)
        super().__init__((Problem("", _undecided(choice), choice.span) for choice in choices), text)


class NothingMade(Invalid):
    """The code makes no layer; with another value of a choice it may."""


def _undecided(choice: Open) -> str:
    ways = " or ".join(f"--let {choice.key}={value}" for value in choice.values)
    return f"{choice.key} is not given, and the structure depends on it: add {ways}"
