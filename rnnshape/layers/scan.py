"""Computes what a scan under a mask gives at each time step, without running it.

A value is represented by a token: ``ZERO``, the initial state (``START``), or the number of the last computed step,
counting only valid steps.  Two places have the same values if they have the same token.

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
# For two merged outputs, the token of each.
Token: TypeAlias = int | tuple[int, int]

ZERO, START = 0, -1
_CARRIED = -2

COMPUTED, REPEATED, ZEROS, FROZEN = "computed", "repeated", "zero", "frozen"
KINDS = (COMPUTED, REPEATED, ZEROS, FROZEN)
"""The kinds of a time step: a new output, the previous output repeated, zeros; or, for a state, no change."""


def distinct(rows: Sequence[One]) -> list[One]:
    """Each row object once.  Rows are compared by identity, because many samples often share a few masks.

    >>> row = (True, False)
    >>> distinct((row, row, (True, True)))
    [(True, False), (True, True)]
    """
    return [rows[place] for place in places(rows)]


def places(rows: Sequence[object]) -> list[int]:
    """The first index of each row object."""
    seen: dict[int, int] = {}
    for place, row in enumerate(rows):
        seen.setdefault(id(row), place)
    return list(seen.values())


def each(function: Callable[[One], Other], rows: Sequence[One]) -> tuple[Other, ...]:
    """The function of every row, called once for each row object; equal objects share the result."""
    answers = {id(row): function(row) for row in distinct(rows)}
    return tuple(answers[id(row)] for row in rows)


class Scanning(NamedTuple):
    """The properties of a scan that decide what a masked step gives.

    ``zero`` is ``zero_output_for_mask``, ``start`` the token of the initial states, ``fused`` whether cuDNN runs.
    """

    backwards: bool = False
    zero: bool = False
    unroll: bool = False
    start: int = ZERO
    fused: bool = False


class Row(NamedTuple):
    """The tokens of one sample: each step of its output (in the returned order), the output without
    ``return_sequences``, and the final state."""

    steps: Tokens
    output: int
    state: int


@lru_cache(maxsize=4096)
def followed(valid: Valid, scanning: Scanning) -> Row:
    """The tokens after a scan over these steps.

    A masked step keeps the state and repeats the output; before the first valid step, it repeats zeros.
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
        # cuDNN gives zeros; without return_sequences, Keras returns the final state.
        return Row(_zeroed(steps, order), state, state)
    if not scanning.zero:
        return Row(tuple(steps), output, state)
    # With unroll, Keras does not reverse the mask with the steps: docs/keras-quirks.md.
    judged = valid if scanning.unroll else order
    return Row(_zeroed(steps, judged), output if order[-1] else ZERO, state)


def halved(valid: Valid, scanning: Scanning) -> Row:
    """As ``followed``, in two calls: the second starts from the final states of the first.

    >>> halved((True, True, False), Scanning()) == followed((True, True, False), Scanning())
    True
    >>> halved((True, False, True), Scanning()).steps  # the second call has no output to repeat
    (1, 0, 2)
    """
    at = len(valid) // 2
    # A backward scan starts with the second half of the input.
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
    """For each sample, the number of valid steps, and the time index of the first and the last one.

    In a row without a valid step, these are the first and the last step.

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
    """The steps of one output, or of one half of it: a row of ``KINDS`` for each sample.

    ``of`` is the Python expression of it, ``"output[:, :, :H]"``; ``"state"`` (with its direction) without a sequence.
    ``backwards`` says that the scan ran against the order of the row.
    """

    of: str
    steps: tuple[tuple[str, ...], ...]
    backwards: bool = False


def kinds(tokens: Sequence[Token], *, backwards: bool = False) -> tuple[str, ...]:
    """The kind of each step of an output; ``backwards`` as in ``Strip``.

    >>> kinds((1, 2, 2)), kinds((2, 2, 1), backwards=True), kinds((1, 0, 2))
    (('computed', 'computed', 'repeated'), ('repeated', 'computed', 'computed'), ('computed', 'zero', 'computed'))
    """
    ordered = tokens[::-1] if backwards else tokens
    told = tuple(
        ZEROS if token == ZERO else REPEATED if at and token == ordered[at - 1] else COMPUTED
        for at, token in enumerate(ordered)
    )
    return told[::-1] if backwards else told
