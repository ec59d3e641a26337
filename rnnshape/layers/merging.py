"""The laws of a Bidirectional: where the final state of each direction stands in what is made of both outputs.

The forward pass ends at the last step of time and the backward pass at the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnshape.layers.base import Law
from rnnshape.layers.laws import claimed, last_valid, zeros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.masking import Scan

_MERGED = {"sum": "{f} + {b}", "mul": "{f} * {b}", "ave": "({f} + {b}) / 2"}

_FINAL = "without return_sequences each direction returns its final hidden state"
_FORWARD_ENDS = "the forward pass ends at the last step"
_BACKWARD_ENDS = "the backward pass ends at t = 0; its output is reversed into time order"
_NOT_THERE = "the backward pass starts at the last step and ends at t = 0"
_ONE_STEP = "there is only one step, so both passes end there"
_MASKED = "Bidirectional sets masked steps to zero when it returns sequences; the state is kept"


@dataclass(frozen=True, slots=True)
class Ends:
    """The two final hidden states ``f`` and ``b``, and the scans that end in them, both in the order of time."""

    f: str
    b: str
    ahead: Scan
    back: Scan
    one_step: bool

    @property
    def masked(self) -> bool:
        return self.ahead.mask is not None


def final(mode: str | None, ends: Ends, halves: tuple[str, str]) -> Iterator[Law]:
    """Without sequences: the outputs are the final hidden states."""
    f, b = ends.f, ends.b
    if mode is None or mode == "concat":
        first, second = "forward_output", "backward_output"
        if mode == "concat":
            first, second = (f"output[:, {half}]" for half in halves)
        yield claimed(f"{first} == {f}", ends.ahead, lambda row, _: row.output == row.state, _FINAL)
        yield claimed(f"{second} == {b}", ends.back, lambda row, _: row.output == row.state, _FINAL)
        return
    both = [
        claimed("", scan, lambda row, _: row.output == row.state, _FINAL + f", merged by {mode}")
        for scan in (ends.ahead, ends.back)
    ]
    yield _both(f"output == {_MERGED[mode].format(f=f, b=b)}", both)
    yield Law(f"output == {f}", False, "only the outputs are merged, never the states")


def halves(ahead: str, back: str, ends: Ends, parts: tuple[str, str]) -> Iterator[Law]:
    """With sequences, the two outputs side by side (or two): each half ends at its own end of time."""
    first, second = parts
    broken = _MASKED if ends.masked else None
    yield claimed(
        f"{ahead}[:, -1, {first}] == {ends.f}",
        ends.ahead,
        lambda row, _: row.steps[-1] == row.state,
        _FORWARD_ENDS,
        broken,
    )
    yield claimed(
        f"{back}[:, 0, {second}] == {ends.b}",
        ends.back,
        lambda row, _: row.steps[0] == row.state,
        _BACKWARD_ENDS,
        broken,
    )
    yield claimed(
        f"{back}[:, -1, {second}] == {ends.b}",
        ends.back,
        lambda row, _: row.steps[-1] == row.state,
        _ONE_STEP if ends.one_step else "each sample's backward pass ends at its last step here",
        broken if ends.one_step else _NOT_THERE,
    )
    if ends.masked:
        yield last_valid(ahead, ends.f, ends.ahead, half=first)
        yield last_valid(back, ends.b, ends.back, half=second, first=True)
        if ahead == back:
            yield _zeros(ahead, ends.ahead, ends.back)
        else:
            yield _zeros(ahead, ends.ahead)
            yield _zeros(back, ends.back)


def merged(mode: str, ends: Ends) -> Iterator[Law]:
    """With sequences, added or multiplied step by step: no step holds both final states, but where there is one."""
    text = _MERGED[mode].format(f=ends.f, b=ends.b)
    why = _ONE_STEP if ends.one_step else "the two passes end at different steps: no step holds both final states"
    alone = "both passes end at the last step here"
    both = [
        claimed("", scan, lambda row, _: row.steps[-1] == row.state, _ONE_STEP if ends.one_step else alone, why)
        for scan in (ends.ahead, ends.back)
    ]
    yield _both(f"output[:, -1, :] == {text}", both)
    if ends.masked and mode != "mul":
        yield _zeros("output", ends.ahead, ends.back)


def _both(check: str, laws: list[Law]) -> Law:
    """What must hold of both directions; the reason is that of the one that breaks it."""
    broken = next((law for law in laws if not law.guaranteed), laws[0])
    return broken._replace(check=check, elsewhere=next((law.elsewhere for law in laws if law.elsewhere), ""))


def _zeros(of: str, *scans: Scan) -> Law:
    law = _both(f"{of}[~mask] == 0", [zeros(of, scan) for scan in scans])
    return law._replace(why=_MASKED.split(";", maxsplit=1)[0]) if law.guaranteed else law
