"""The laws of a Bidirectional: where the final state of each direction is in the merged output.

The forward pass ends at the last step of time and the backward pass at the first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rnnshape.layers.laws import IDLE, claimed, frozen, idle, last_valid, unmasked, zeros
from rnnshape.layers.masking import unmasked_scan
from rnnshape.layers.scan import ZERO, Strip, each, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Answer, Law
    from rnnshape.layers.masking import Mask, Scan
    from rnnshape.layers.node import Node
    from rnnshape.layers.scan import Token

_MERGED = {"sum": "{f} + {b}", "mul": "{f} * {b}", "ave": "({f} + {b}) / 2"}

_FINAL = "without return_sequences each direction returns its final hidden state"
_FORWARD_ENDS = "the forward pass ends at the last step"
_BACKWARD_ENDS = "the backward pass ends at t = 0; its output is reversed into time order"
_NOT_THERE = "the backward pass starts at the last step and ends at t = 0"
_ONE_STEP = "there is only one step, so both passes end there"
_UNMERGED = "only the outputs are merged, never the states"
_MASKED = "Bidirectional sets masked steps to zero when it returns sequences; the state is kept"


class Merge(NamedTuple):
    """What decides the laws, apart from the scans.

    ``f`` and ``b`` are the roles of the two final hidden states; ``halves`` the indices of the two halves of a
    concatenated output, after the leading axes; ``one_step`` says that the input has a single step.
    """

    mode: str | None
    sequences: bool
    halves: tuple[str, str]
    f: str
    b: str
    one_step: bool

    @classmethod
    def of(cls, node: Node, forward: Answer, backward: Answer, *, one_step: bool) -> Merge:
        """The merge of a Bidirectional with these answers of its layers."""
        dims, sequences = forward.outputs[0].dims, node["layer"]["return_sequences"]
        size = dims[-1].letter if dims[-1].letter.isidentifier() else str(dims[-1].size)
        # An image has further axes before the last one: ``output[:, ..., :H]``.
        space = "..., " if len(dims) > 2 + sequences else ""
        f = f"forward_{forward.hidden.role}" if forward.hidden else ""
        b = f"backward_{backward.hidden.role}" if backward.hidden else ""
        return cls(node["merge_mode"], sequences, (f"{space}:{size}", f"{space}{size}:"), f, b, one_step)

    def laws(self, ahead: Scan, back: Scan) -> Iterator[Law]:
        """The laws, from the scans of both directions, in the order of time."""
        if not self.sequences:
            return self._final(ahead, back)
        if self.mode is None:
            return self._ends(("forward_output", "backward_output"), (":", ":"), ahead, back)
        if self.mode == "concat":
            return self._ends(("output", "output"), self.halves, ahead, back)
        return self._merged(self.mode, ahead, back)

    @lru_cache(maxsize=256)  # noqa: B019  a Merge is small, and few are made
    def unmasked(self, ahead: bool, back: bool) -> tuple[Law, ...]:
        """The laws without a mask, which depend only on the directions of the scans."""
        return tuple(self.laws(unmasked_scan(ahead, self.one_step), unmasked_scan(back, self.one_step).turned()))

    def _final(self, ahead: Scan, back: Scan) -> Iterator[Law]:
        """Without sequences: the outputs are the final hidden states."""
        mode, f, b = self.mode, self.f, self.b
        if mode is None or mode == "concat":
            first, second = "forward_output", "backward_output"
            if mode == "concat":
                first, second = (f"output[:, {half}]" for half in self.halves)
            yield claimed(f"{first} == {f}", ahead, lambda row, _: row.output == row.state, _FINAL)
            yield claimed(f"{second} == {b}", back, lambda row, _: row.output == row.state, _FINAL)
            return
        both = [
            claimed("", scan, lambda row, _: row.output == row.state, _FINAL + f", merged by {mode}")
            for scan in (ahead, back)
        ]
        yield _both(f"output == {_MERGED[mode].format(f=f, b=b)}", both)
        both = [claimed("", scan, idle, IDLE, _UNMERGED) for scan in (ahead, back)]
        yield _both(f"output == {f}", both)

    def _ends(self, outputs: tuple[str, str], halves: tuple[str, str], ahead: Scan, back: Scan) -> Iterator[Law]:
        """With sequences, concatenated or as two outputs: each half has its final state at its own end."""
        (one, other), (first, second) = outputs, halves
        masked = ahead.mask is not None
        broken = _MASKED if masked else None
        at_end = f"{one}[:, -1, {first}] == {self.f}"
        yield claimed(at_end, ahead, lambda row, _: row.steps[-1] == row.state, _FORWARD_ENDS, broken)
        at_start = f"{other}[:, 0, {second}] == {self.b}"
        yield claimed(at_start, back, lambda row, _: row.steps[0] == row.state, _BACKWARD_ENDS, broken)
        yield claimed(
            f"{other}[:, -1, {second}] == {self.b}",
            back,
            lambda row, _: row.steps[-1] == row.state,
            _ONE_STEP if self.one_step else "each sample's backward pass ends at its last step here",
            broken if self.one_step else _NOT_THERE,
        )
        if masked:
            yield last_valid(one, self.f, ahead, half=first)
            yield last_valid(other, self.b, back, half=second, first=True)
            if one == other:
                yield _zeros(one, ahead, back)
            else:
                yield _zeros(one, ahead)
                yield _zeros(other, back)

    def _merged(self, mode: str, ahead: Scan, back: Scan) -> Iterator[Law]:
        """With sequences, added or multiplied: no step has both final states, unless there is only one step."""
        why = _ONE_STEP if self.one_step else "the two passes end at different steps: no step holds both final states"
        holds = _ONE_STEP if self.one_step else "both passes end at the last step here"
        both = [claimed("", scan, lambda row, _: row.steps[-1] == row.state, holds, why) for scan in (ahead, back)]
        yield _both(f"output[:, -1, :] == {_MERGED[mode].format(f=self.f, b=self.b)}", both)
        if ahead.mask is not None and mode != "mul":
            yield _zeros("output", ahead, back)

    def strips(self, ahead: Scan, back: Scan, asked: Mask | None) -> tuple[Strip, ...]:
        """The strips under a mask: of the merged output or of its two halves; without sequences, of the states."""
        if ahead.mask is None:
            return unmasked(self._parts, asked)
        back = back.turned()
        if not self.sequences:
            return tuple(map(frozen, self._parts, (ahead, back)))
        if len(self._parts) == 1:
            rows = zip(ahead.rows, back.rows, strict=True)
            steps = (zip(one.steps, other.steps, strict=True) for one, other in rows)
            return (Strip("output", tuple(kinds([_token(self.mode, *pair) for pair in row]) for row in steps)),)
        first, second = self._parts
        return (
            Strip(first, each(lambda row: kinds(row.steps), ahead.rows)),
            Strip(second, each(lambda row: kinds(row.steps, backwards=True), back.rows), backwards=True),
        )

    @property
    def _parts(self) -> tuple[str, ...]:
        """The names of the strips: each half has its own, unless the outputs are added or multiplied."""
        if not self.sequences:
            return "forward state", "backward state"
        if self.mode is None:
            return "forward_output", "backward_output"
        return tuple(f"output[:, :, {half}]" for half in self.halves) if self.mode == "concat" else ("output",)


def _both(check: str, laws: list[Law]) -> Law:
    """A law that needs both directions; its reason is that of the direction in which it fails."""
    broken = next((law for law in laws if not law.guaranteed), laws[0])
    return broken._replace(check=check, elsewhere=next((law.elsewhere for law in laws if law.elsewhere), ""))


def _zeros(of: str, *scans: Scan) -> Law:
    law = _both(f"{of}[~mask] == 0", [zeros(of, scan) for scan in scans])
    return law._replace(why=_MASKED.split(";", maxsplit=1)[0]) if law.guaranteed else law


def _token(mode: str | None, ahead: int, back: int) -> Token:
    nothing = ZERO in (ahead, back) if mode == "mul" else ahead == back == ZERO
    return ZERO if nothing else (ahead, back)
