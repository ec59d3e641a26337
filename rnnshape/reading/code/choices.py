"""Code whose layers depend on what it does not say: the choices that stay open, and code that makes no layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.errors import Invalid, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.reading.code.naming import Open


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
