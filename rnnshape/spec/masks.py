"""Masks as text, and as rows that say which steps of each sample are valid.

>>> rows("110;111", batch=2, steps=3)
((True, True, False), (True, True, True))
>>> written(rows("right:3,2", batch=2, steps=3)), written(rows("left:3,2", batch=2, steps=3))
('111;110', '111;011')
>>> written(rows("full", batch=2, steps=3)), written(rows("random", batch=2, steps=5, seed=1))
('111;000', '10011;11110')
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, TypeAlias

from rnnshape.errors import Invalid, Problem
from rnnshape.layers.arguments import Argument, Kind, MaskValue
from rnnshape.layers.input_mask import makes_its_own, reaches, takes
from rnnshape.layers.scan import each
from rnnshape.memory import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rnnshape.layers.node import Node

Rows: TypeAlias = tuple[tuple[bool, ...], ...]

# Each step is a number in the rows, in each scan and in each strip; a large int is a separate object.
_BYTES_A_STEP = 60

_PATTERN = r"[01]+(;[01]+)*|(right|left):[0-9]{1,9}(,[0-9]{1,9})*|right|random|empty-last|full"
PADDED = "right"
_EMPTY_LAST = ("empty-last", "full")
# The layers that take a mask for each step, and those that compute one from their input.
_TAKES = "a recurrent layer, Bidirectional and TimeDistributed take one, Masking and Embedding(mask_zero=True) make one"


class Mask(Kind, frozen=True):
    """A row of 0 and 1 for each sample (1 is valid), a padding side with the lengths of the samples, or a word.

    ``right`` makes each sample one step shorter than the one before.  ``random`` masks random steps, but not all of a
    sample.  ``empty-last`` (or ``full``) masks the last sample fully.
    """

    allowed = (
        "a row of 0 and 1 for each sample, 110;111 (1 is valid), lengths with padding, right:3,2 or left:3,2, "
        "random, or empty-last (the last sample fully masked)"
    )
    metavar = "MASK"

    def accepts(self, value: Any) -> bool:
        if isinstance(value, tuple):
            return bool(value) and all(isinstance(row, tuple) and row and all(map(_bit, row)) for row in value)
        return isinstance(value, str) and re.fullmatch(_PATTERN, value) is not None

    def refusal(self, value: Any) -> str:
        if type(value) is int:
            return f"must be {self.allowed}; YAML reads {value} as a number: put the mask in quotes"
        return super().refusal(value)

    def schema(self) -> dict[str, Any]:
        row = {"type": "array", "items": {"enum": [0, 1, False, True]}, "minItems": 1}
        return {
            "anyOf": [{"type": "string", "pattern": f"^({_PATTERN})$"}, {"type": "array", "items": row, "minItems": 1}]
        }


def _bit(value: Any) -> bool:
    return type(value) in (bool, int) and value in (0, 1)


MASK = Argument(
    "mask",
    Mask(),
    None,
    "Which steps are valid: rows (110;111), padding and lengths (right:3,2), random or empty-last.",
    True,
)
MASKING = Argument("masking", MaskValue(), None, "Mask with a real Masking layer that has this mask_value.", True)


def rows(value: str | Rows, *, batch: int, steps: int, seed: int = 0) -> Rows:
    """The rows of an accepted value for this many samples and time steps.

    Raises:
        Invalid: they are not ``batch`` rows of ``steps``, or a length is more than ``steps``.
    """
    needed = _BYTES_A_STEP * steps * _unlike(value, batch)
    require(needed, "the mask and its prediction", "make time or batch smaller")
    if value == "random":
        return _drawn(batch, steps, seed)
    if value == PADDED:
        return padded(batch, steps)
    if value in _EMPTY_LAST:
        return ((True,) * steps,) * (batch - 1) + ((False,) * steps,)
    if isinstance(value, tuple):
        value = ";".join("".join("1" if step else "0" for step in row) for row in value)
    side, _, lengths = value.rpartition(":")
    counts = [int(length) for length in lengths.split(",")] if side else []
    given: list[Any] = [*counts] or value.split(";")
    if len(given) != batch:
        what = "length" if side else "row"
        alone = "; Keras would broadcast one row to all samples" if len(given) == 1 and not side else ""
        raise _wrong(f"has {len(given)} {what}{'s' if len(given) > 1 else ''}, but N is {batch}{alone}")
    if side:
        if longest := next((count for count in counts if count > steps), None):
            raise _wrong(f"a length of {longest} is more than T, which is {steps}")
        return _shared({count: _padded(side, count, steps) for count in set(counts)}, counts)
    if odd := next((row for row in value.split(";") if len(row) != steps), None):
        raise _wrong(f"the row {odd} has {len(odd)} steps, but T is {steps}")
    return _shared({row: tuple(step == "1" for step in row) for row in set(given)}, given)


def _unlike(value: str | Rows, batch: int) -> int:
    """The largest possible number of different rows."""
    if value in _EMPTY_LAST:
        return 2
    if isinstance(value, str) and ":" in value:
        return len(set(value.split(",")))
    return batch


def _shared(made: Mapping[Any, tuple[bool, ...]], asked: Iterable[Any]) -> Rows:
    """The rows, with one object for equal rows: theory handles each object once."""
    return tuple(made[one] for one in asked)


def padded(batch: int, steps: int) -> Rows:
    """The default mask: right-padded, each sample one step shorter than the one before."""
    lengths = (str(max(1, steps - sample)) for sample in range(1, batch + 1))
    return rows("right:" + ",".join(lengths), batch=batch, steps=steps)


def written(mask: Rows) -> str:
    """The rows as text, such as ``"110;111"``."""
    return ";".join(each(lambda row: "".join("1" if step else "0" for step in row), mask))


def holds(dtype: str, value: float) -> bool:
    """Whether a tensor of this dtype can be equal to a ``mask_value``, which Keras compares in float32.

    >>> holds("float32", 0.1), holds("float16", 0.1), holds("bfloat16", -1.0), holds("float16", 70000.0)
    (True, False, True, False)
    """
    try:
        (single,) = struct.unpack(">f", struct.pack(">f", value))
        if dtype == "float16":
            return bool(struct.unpack(">e", struct.pack(">e", single))[0] == single)
    except OverflowError:
        return False
    # A bfloat16 has the upper 16 bits of a float32.
    return dtype != "bfloat16" or struct.pack(">f", single)[2:] == b"\0\0"


def refusal(node: Node) -> str | None:
    """Why this layer takes no mask; None if it takes one."""
    first = node.first
    if first.name == "Embedding" and not makes_its_own(first):
        return f"does not apply to {first.text}: give it mask_zero=True, and 0 is padding"
    if first.name == "Embedding" and first["input_dim"] == 1:
        return f"does not apply to {first.text}, which takes no index but 0: every step is padding"
    if makes_its_own(first) or takes(first):
        return None
    if node.cls.kind == "graph" and any(reaches(node["graph"], call) for call in node["graph"].calls):
        return None
    return f"does not apply to {first.name}, which takes no mask: {_TAKES}"


def _drawn(batch: int, steps: int, seed: int) -> Rows:
    """Random valid steps, at least one for each sample; the same for the same seed."""
    import random

    rng = random.Random(seed)  # noqa: S311  not for security
    drawn = []
    for _ in range(batch):
        row = [rng.random() < 0.5 for _ in range(steps)]
        row[rng.randrange(steps)] = True
        drawn.append(tuple(row))
    return tuple(drawn)


def _padded(side: str, length: int, steps: int) -> tuple[bool, ...]:
    valid, padding = (True,) * length, (False,) * (steps - length)
    return valid + padding if side == "right" else padding + valid


def _wrong(message: str) -> Invalid:
    return Invalid([Problem(MASK.name, message)])
