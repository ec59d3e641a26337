"""The laws between the output and the states of a recurrent layer, with and without a mask.

An equality is guaranteed if both sides have the same token (``scan.py``) in every sample.  With a mask, a check may use
the names ``mask``, ``i`` (the samples), ``length``, ``first``, ``last`` (``Landmarks``) and ``empty`` (the samples
without a valid step).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rnnshape.layers.base import Law, flat
from rnnshape.layers.masking import unmasked_scan
from rnnshape.layers.scan import COMPUTED, FROZEN, START, ZERO, Landmarks, Row, Strip, each, kinds, places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rnnshape.layers.base import Returned
    from rnnshape.layers.masking import Mask, Scan
    from rnnshape.layers.node import Node

# The names that a mask defines in checks.
MASKED = ("mask", "i", "empty", *Landmarks._fields)

STATE_C_IS_NOT_THE_OUTPUT = "state_c is the memory; the output is o * activation(state_c)"
TURNED = "the output stays in scan order: its first step is x[:, -1]"

IDLE = "no sample has a valid step: the output and the states stay zeros"
_EMPTY = "a fully masked sample outputs zeros and keeps its initial state"
_AMISS = "a Keras bug: with unroll, the wrong steps are zero"
# The keys are whether the law holds with this kernel, and whether this kernel is cuDNN.
_ELSEWHERE = {
    (True, False): "not on cuDNN, which outputs zeros at masked steps",
    (True, True): "not on a CPU, where masked steps repeat the last output",
    (False, True): "it holds on a CPU, where masked steps repeat the last output",
    (False, False): "it holds on cuDNN, which outputs zeros at masked steps",
}


def claimed(check: str, scan: Scan, same: Callable[[Row, int], bool], holds: str, broken: str | None = None) -> Law:
    """The law that two places are equal in every sample: ``same`` is called with each row and its number.

    ``holds`` is the reason if they are equal, ``broken`` if they are not (None: a reason from the mask).
    """
    here = _everywhere(scan.rows, same)
    told = holds if here else broken or (_EMPTY if _kept(scan, same) else scan.zeroed)
    if not here and scan.right is not None and _everywhere(scan.right, same):
        told = _AMISS
    elsewhere = ""
    if scan.elsewhere is not None and _everywhere(scan.elsewhere, same) != here:
        elsewhere = _ELSEWHERE[here, scan.scanning.fused]
    return Law(check, here, told, elsewhere)


def _everywhere(rows: tuple[Row, ...], same: Callable[[Row, int], bool]) -> bool:
    return all(same(rows[number], number) for number in places(rows))


def _kept(scan: Scan, same: Callable[[Row, int], bool]) -> bool:
    """Whether it fails only in samples whose state never changed."""
    return all(scan.rows[number].state == START for number in places(scan.rows) if not same(scan.rows[number], number))


def of_output(node: Node, steps: int, h: str, scan: Scan) -> Iterable[Law]:
    """The laws of a recurrent layer's output and final hidden state ``h``; on a CPU, equal sides are bitwise equal."""
    flags = node["return_sequences"], node["go_backwards"], steps == 1, h
    # Without a mask, the laws depend only on these flags.
    return _of_output(*flags, scan) if scan.mask is not None else _unmasked_output(*flags)


@lru_cache(maxsize=64)
def _unmasked_output(sequences: bool, backwards: bool, one_step: bool, h: str) -> tuple[Law, ...]:
    return tuple(_of_output(sequences, backwards, one_step, h, unmasked_scan(backwards, one_step)))


def _of_output(sequences: bool, backwards: bool, one_step: bool, h: str, scan: Scan) -> Iterator[Law]:
    memory = [h.removesuffix("_h") + "_c"] if h.endswith("state_h") else []
    if not sequences:
        why = "without return_sequences the output is the final hidden state"
        yield claimed(f"output == {h}", scan, lambda row, _: row.output == row.state, why)
        for c in memory:
            yield claimed(f"output == {c}", scan, idle, IDLE, STATE_C_IS_NOT_THE_OUTPUT)
        return
    why = _last_step(scan, backwards=backwards)
    yield claimed(f"output[:, -1, :] == {h}", scan, lambda row, _: row.steps[-1] == row.state, why)
    if backwards:
        why = f"{TURNED}, computed first"
        first = "there is only one step" if one_step else "no step is computed after the first step of the scan"
        yield claimed(f"output[:, 0, :] == {h}", scan, lambda row, _: row.steps[0] == row.state, first, why)
    for c in memory:
        yield claimed(f"output[:, -1, :] == {c}", scan, idle, IDLE, STATE_C_IS_NOT_THE_OUTPUT)
    if scan.mask is not None:
        yield last_valid("output", h, scan, turned=backwards)
        yield zeros("output", scan, turned=backwards)


def idle(row: Row, number: int) -> bool:
    """Whether a sample's output and states are the zeros that they began with."""
    return row.state == ZERO == row.output


def _last_step(scan: Scan, *, backwards: bool) -> str:
    if scan.mask is not None and any(row.steps[-1:] == row.steps[-2:-1] for row in scan.rows):
        return "masked steps repeat the output of the last valid one, which is the hidden state"
    if backwards:
        return "the output is in scan order, so its last step is the one computed last"
    return "the last step's output is the hidden state"


def last_valid(of: str, h: str, scan: Scan, *, turned: bool = False, half: str = ":", first: bool = False) -> Law:
    """``output[i, length - 1, :] == state_h``: the state is the output at the last valid step of a sample.

    ``turned`` says that the output is in the order of a backward scan; ``first`` that the scan ends at the first valid
    step, as in the backward half of a Bidirectional.
    """
    assert scan.mask is not None
    marks, steps = Landmarks.of(scan.mask.rows), scan.mask.steps
    if turned:
        at, where = tuple(steps - 1 - place for place in marks.first), "T - 1 - first"
        why = "a sample's scan ends at its first valid step, and the output is in scan order"
    elif first:
        at, where, why = marks.first, "first", "the backward pass ends at a sample's first valid step"
    else:
        at, where = marks.last, "length - 1" if scan.mask.right_padded else "last"
        why = "a sample's last valid step holds its final hidden state"
    return claimed(f"{of}[i, {where}, {half}] == {h}", scan, lambda row, n: row.steps[at[n]] == row.state, why)


def zeros(of: str, scan: Scan, *, turned: bool = False) -> Law:
    """``output[~mask] == 0``: the outputs of masked steps are zero."""
    assert scan.mask is not None
    rows = each(lambda row: row[::-1], scan.mask.rows) if turned else scan.mask.rows

    def same(row: Row, number: int) -> bool:
        return all(token == ZERO for token, valid in zip(row.steps, rows[number], strict=True) if not valid)

    leading = "before the first valid step there is no output to repeat, only zeros"
    holds = scan.zeroed if scan.scanning.zero or scan.scanning.fused else leading
    broken = "a masked step repeats the output before it; zero_output_for_mask=True makes it zero"
    return claimed(f"{of}[~mask{'[:, ::-1]' if turned else ''}] == 0", scan, same, holds, broken)


def kept(states: Returned, scan: Scan) -> Iterator[Law]:
    """The laws that fully masked samples keep their initial states."""
    assert scan.mask is not None
    if not scan.mask.empty_row:
        return
    for leaf in flat(states):
        if scan.scanning.start == ZERO:
            yield Law(f"{leaf.role}[empty] == 0", True, "a fully masked sample keeps its initial state, zeros")
        else:
            why = "a fully masked sample keeps its initial state"
            yield Law(f"{leaf.role}[empty] == {leaf.role}_0[empty]", True, why)


def strips(node: Node, scan: Scan, asked: Mask | None) -> tuple[Strip, ...]:
    """The kinds of the output's steps under a mask; those of the state if no sequence is returned."""
    if scan.mask is None:
        return unmasked(("output" if node["return_sequences"] else "state",), asked)
    if node["return_sequences"]:
        return (Strip("output", each(lambda row: kinds(row.steps), scan.rows)),)
    return (frozen("state", scan),)


def unmasked(parts: tuple[str, ...], asked: Mask | None) -> tuple[Strip, ...]:
    """The strips if a mask is given but has no effect: Keras drops it, or it masks nothing."""
    if asked is None:
        return ()
    steps = ((COMPUTED,) * len(asked.rows[0]),) * len(asked.rows)
    return tuple(Strip(of, steps) for of in parts)


def frozen(of: str, scan: Scan) -> Strip:
    """The strip of a state: which steps change it and which keep it, in the order of time."""
    assert scan.mask is not None
    rows = each(lambda row: tuple(COMPUTED if step else FROZEN for step in row), scan.mask.rows)
    return Strip(of, rows, backwards=scan.scanning.backwards)
