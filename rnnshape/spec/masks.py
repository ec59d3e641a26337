"""A mask as it is written, and the rows that it means: which steps of which sample are valid.

>>> rows("110;111", batch=2, steps=3)
((True, True, False), (True, True, True))
>>> written(rows("right:3,2", batch=2, steps=3)), written(rows("left:3,2", batch=2, steps=3))
('111;110', '111;011')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from rnnshape.errors import Invalid, Problem
from rnnshape.layers.arguments import Argument, Kind

if TYPE_CHECKING:
    from rnnshape.layers.node import Node

Rows: TypeAlias = tuple[tuple[bool, ...], ...]

_PATTERN = r"[01]+(;[01]+)*|(right|left):[0-9]{1,9}(,[0-9]{1,9})*"
# What takes a mask for each step; a mask that a layer makes itself (Masking, Embedding) is another thing.
_TAKES = "a recurrent layer, Bidirectional and TimeDistributed do"


@dataclass(frozen=True)
class Mask(Kind):
    """A row of 0 and 1 for each sample (1 is valid), or the side of the padding and each sample's length."""

    allowed = "a row of 0 and 1 for each sample, 110;111 (1 is valid), or lengths with padding, right:3,2 or left:3,2"
    metavar = "ROWS|SIDE:LENGTHS"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and re.fullmatch(_PATTERN, value) is not None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^({_PATTERN})$"}


MASK = Argument("mask", Mask(), None, "Which steps are valid: rows 110;111, or padding and lengths right:3,2.", True)


def rows(text: str, *, batch: int, steps: int) -> Rows:
    """The rows that an accepted text means for this many samples and time steps.

    Raises:
        Invalid: they are not ``batch`` rows of ``steps``, or a length is more than ``steps``.
    """
    side, _, lengths = text.rpartition(":")
    counts = [int(length) for length in lengths.split(",")] if side else []
    given = counts or text.split(";")
    if len(given) != batch:
        what = "length" if side else "row"
        raise _wrong(f"has {len(given)} {what}{'s' if len(given) > 1 else ''}, and N is {batch}")
    if side:
        if longest := next((count for count in counts if count > steps), None):
            raise _wrong(f"a length of {longest} is more than T, which is {steps}")
        return tuple(_padded(side, count, steps) for count in counts)
    if odd := next((row for row in text.split(";") if len(row) != steps), None):
        raise _wrong(f"the row {odd} has {len(odd)} steps, and T is {steps}")
    return tuple(tuple(step == "1" for step in row) for row in text.split(";"))


def padded(batch: int, steps: int) -> Rows:
    """A mask to look at where none was given: right-padded, each sample a step shorter than the one before."""
    return tuple(_padded("right", max(1, steps - sample), steps) for sample in range(1, batch + 1))


def written(mask: Rows) -> str:
    """The rows as text that reads back to the same."""
    return ";".join("".join("1" if step else "0" for step in row) for row in mask)


def refusal(node: Node) -> str | None:
    """Why this layer takes no mask, if it does not."""
    first = node["layers"][0] if node.cls.kind == "stack" else node
    if first.cls.kind == "recurrent" or first.name in ("Bidirectional", "TimeDistributed"):
        return None
    return f"means nothing for {first.name}, which takes none: {_TAKES}"


def _padded(side: str, length: int, steps: int) -> tuple[bool, ...]:
    valid, padding = (True,) * length, (False,) * (steps - length)
    return valid + padding if side == "right" else padding + valid


def _wrong(message: str) -> Invalid:
    return Invalid([Problem(MASK.name, message)])
