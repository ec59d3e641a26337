"""A comment behind a line, ``# -> (N, T, 2H)``, is a contract: what the line returns is held against it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnnshape.layers.dims import letters_in, sized
from rnnshape.scan.hits import Hit
from rnnshape.spec.expect import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.scan.comments import Comments
    from rnnshape.scan.steps import Step, Steps
    from rnnshape.scan.walk import Walk

# What any size may be.
_ANY = (ANY, "?")


class Contracts:
    """Holds the comments of one file against the steps of one walk."""

    def __init__(self, walk: Walk, steps: Steps, comments: Comments) -> None:
        self.walk = walk
        self.steps = steps
        self.comments = comments

    def hits(self) -> Iterator[Hit]:
        """Each contract that does not hold; a size that the code does not give is not held against anything."""
        if not self.comments.contracts:
            return
        for step in self.steps.all:
            line = step.call.end_lineno or step.call.lineno
            if line in self.comments.contracts and not self._within(step):
                text, _ = self.comments.contracts[line]
                if told := _against(text, step):
                    yield Hit("contract", told, step.call)

    def _within(self, step: Step) -> bool:
        """Whether another call of the same line takes in what this one returns: the line is about that one."""
        return any(
            step is ref.step and other.call is not step.call and other.call.end_lineno == step.call.end_lineno
            for other in self.steps.all
            for ref in other.inputs
        )


def _against(text: str, step: Step) -> str | None:
    wanted = _shapes(text)
    if wanted is None:
        return f"the contract {text} is not a shape, such as (N, T, 2H)"
    got = [sizes[0] for _, sizes in sorted(step.returned.items()) if len(set(sizes)) == 1]
    if not got or len(got) < len(step.returned):
        return None
    if len(wanted) == 1 and len(wanted[0]) == len(got) > 1 and not any(map(str.isdigit, wanted[0])):
        return None  # the names of the results
    if len(wanted) != len(got):
        tensors = f"{len(got)} tensor{'s' * (len(got) != 1)}"
        return f"{step.node.name} returns {tensors}, and the contract {text} has {len(wanted)}"
    letters = _letters(step)
    for one, sizes in zip(wanted, got, strict=True):
        if len(one) != len(sizes) or any(_differs(word, size, letters) for word, size in zip(one, sizes, strict=True)):
            return f"{step.node.name} returns {sizes}, and the contract says ({', '.join(one)})"
    return None


def _shapes(text: str) -> list[list[str]] | None:
    """The shapes of a contract: one, ``(N, T, 2H)``, or several in brackets, ``((N, T, H), (N, H), (N, H))``."""
    inner = text.strip()
    groups = re.findall(r"[(\[]([^()\[\]]*)[)\]]", inner[1:-1]) or [inner[1:-1]]
    shapes = [[word.strip() for word in group.split(",") if word.strip()] for group in groups]
    return shapes if all(shapes) and all(_is_size(word) for one in shapes for word in one) else None


def _is_size(word: str) -> bool:
    try:
        return word in _ANY or sized(word, dict.fromkeys(letters_in(word), 2)) is not None
    except ValueError:
        return False


def _letters(step: Step) -> dict[str, int]:
    """What the letters of the layer stand for: H of its units, N, T and C of its input."""
    known: dict[str, int] = {}
    if len(step.shapes) == 1:
        names = step.node.cls.letters(step.node, len(step.shapes[0]))
        known |= {name: size for name, size in zip(names, step.shapes[0], strict=False) if size is not None}
    loop = next((part for part in step.node.walk() if part.has("units")), None)
    if loop is not None and type(loop["units"]) is int:
        known["H"] = loop["units"]
    return known


def _differs(word: str, size: int | None, letters: dict[str, int]) -> bool:
    """Whether a size is known to be another than the contract says."""
    if size is None or word in _ANY or any(letter not in letters for letter in letters_in(word)):
        return False
    return sized(word, letters) != size
