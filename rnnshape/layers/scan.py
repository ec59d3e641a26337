"""What stands at each time step, followed through a scan under a mask without running it.

A value is followed as a token: ``ZERO``, the initial state (``START``), or the number of the step that was
computed last, counting those that the mask lets through.  Two places hold the same numbers when they hold
the same token.

>>> followed((True, True, False), Scanning())
Row(steps=(1, 2, 2), output=2, state=2)
>>> followed((True, True, False), Scanning(zero=True))
Row(steps=(1, 2, 0), output=0, state=2)
>>> followed((True, True, False), Scanning(backwards=True))
Row(steps=(0, 1, 2), output=2, state=2)

The rules are those of Keras' ``backend/tensorflow/rnn.py`` (read in 3.15.1).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from rnnshape.form import Key, formed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

One = TypeVar("One")
Other = TypeVar("Other")
Valid: TypeAlias = tuple[bool, ...]
Tokens: TypeAlias = tuple[int, ...]
# Where two outputs are merged, what each of them holds.
Token: TypeAlias = int | tuple[int, int]

ZERO, START = 0, -1
_CARRIED = -2

COMPUTED, REPEATED, ZEROS, FROZEN = "computed", "repeated", "zero", "frozen"
KINDS = (COMPUTED, REPEATED, ZEROS, FROZEN)
"""What a time step can show: a new output, the one before it again, zeros; or that the state stayed as it was."""


def distinct(rows: Sequence[One]) -> list[One]:
    """Each row once.  Rows that are the same object are not looked into: many samples often share a few masks.

    >>> row = (True, False)
    >>> distinct((row, row, (True, True)))
    [(True, False), (True, True)]
    """
    return [rows[place] for place in places(rows)]


def places(rows: Sequence[object]) -> list[int]:
    """The first place of each row, told apart by identity."""
    seen: dict[int, int] = {}
    for place, row in enumerate(rows):
        seen.setdefault(id(row), place)
    return list(seen.values())


def each(function: Callable[[One], Other], rows: Sequence[One]) -> tuple[Other, ...]:
    """The function of every row, asked once for rows that are the same object; these share their answer then."""
    answers = {id(row): function(row) for row in distinct(rows)}
    return tuple(answers[id(row)] for row in rows)


class Scanning(NamedTuple):
    """How a layer goes over time: all that decides what stands at a masked step.

    ``zero`` is ``zero_output_for_mask``, ``start`` the token of what the states begin with, ``fused`` whether
    cuDNN computes it.
    """

    backwards: bool = False
    zero: bool = False
    unroll: bool = False
    start: int = ZERO
    fused: bool = False


class Row(NamedTuple):
    """One sample: its output step by step (in the order in which it is returned), the output of a layer that
    returns no sequence, and its final state."""

    steps: Tokens
    output: int
    state: int


@lru_cache(maxsize=4096)
def followed(valid: Valid, scanning: Scanning) -> Row:
    """What stands where after a scan over these steps.

    A masked step leaves the state as it is and repeats the output; before the first valid step there is nothing to
    repeat but zeros.
    """
    order = valid[::-1] if scanning.backwards else valid
    state, output, count = scanning.start, ZERO, 0
    steps = []
    for step in order:
        if step:
            count += 1
            state = output = count
        steps.append(output)
    if scanning.fused:
        # cuDNN gives zeros, but Keras hands out the final state where no sequence is wanted.
        return Row(_zeroed(steps, order), state, state)
    if not scanning.zero:
        return Row(tuple(steps), output, state)
    # Unrolled, Keras does not turn the mask with the steps: docs/keras-quirks.md.
    judged = valid if scanning.unroll else order
    return Row(_zeroed(steps, judged), output if order[-1] else ZERO, state)


def halved(valid: Valid, scanning: Scanning) -> Row:
    """As ``followed``, in two calls: the second begins with the states in which the first ended.

    >>> halved((True, True, False), Scanning()) == followed((True, True, False), Scanning())
    True
    >>> halved((True, False, True), Scanning()).steps  # nothing to repeat where a call begins
    (1, 0, 2)
    """
    at = len(valid) // 2
    # A scan from the end begins with the second half of the input.
    parts = (valid[at:], valid[:at]) if scanning.backwards else (valid[:at], valid[at:])
    first = followed(parts[0], scanning)
    second = followed(parts[1], scanning._replace(start=_CARRIED))
    before = sum(parts[0])

    def told(token: int) -> int:
        return first.state if token == _CARRIED else token + before if token > 0 else token

    return Row((*first.steps, *map(told, second.steps)), told(second.output), told(second.state))


def _zeroed(steps: Sequence[int], valid: Valid) -> Tokens:
    return tuple(token if keep else ZERO for token, keep in zip(steps, valid, strict=True))


class Landmarks(NamedTuple):
    """Of each sample: how many steps are valid, and where in time the first and the last one of them stand.

    In a row without a valid step these are its first and its last step.

    >>> Landmarks.of([(True, True, False), (False, True, True)])
    Landmarks(length=(2, 2), first=(0, 1), last=(1, 2))
    """

    length: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]

    @classmethod
    def of(cls, rows: Sequence[Valid]) -> Landmarks:
        return cls(*zip(*each(_landmarks, rows), strict=True))


def _landmarks(row: Valid) -> tuple[int, int, int]:
    if not any(row):
        return 0, 0, len(row) - 1
    return sum(row), row.index(True), len(row) - 1 - row[::-1].index(True)


@formed(
    "strip",
    of='The Python expression of it; "state" without a sequence.',
    steps=Key(
        "For each sample and step: computed, the previous output repeated, zero, or skipped (frozen).",
        enum=[*KINDS],
    ),
)
class Strip(NamedTuple):
    """One output, or one half of it, step by step: a row of ``KINDS`` for each sample.

    ``of`` is Python that takes it from what is returned, ``"output[:, :, :H]"``; ``"state"`` (with its direction)
    where no sequence is returned.  ``backwards`` says that the scan ran against the order in which it stands.
    """

    of: str
    steps: tuple[tuple[str, ...], ...]
    backwards: bool = False


def kinds(tokens: Sequence[Token], *, backwards: bool = False) -> tuple[str, ...]:
    """What each step of an output shows; ``backwards`` as in ``Strip``.

    >>> kinds((1, 2, 2)), kinds((2, 2, 1), backwards=True), kinds((1, 0, 2))
    (('computed', 'computed', 'repeated'), ('repeated', 'computed', 'computed'), ('computed', 'zero', 'computed'))
    """
    ordered = tokens[::-1] if backwards else tokens
    told = tuple(
        ZEROS if token == ZERO else REPEATED if at and token == ordered[at - 1] else COMPUTED
        for at, token in enumerate(ordered)
    )
    return told[::-1] if backwards else told
