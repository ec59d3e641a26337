"""The differences between two answers, to show what a flag changes.

>>> import rnnshape
>>> before, after = rnnshape.predict("lstm"), rnnshape.predict("lstm", return_state=True)
>>> print(*changed(before, after).lines("returns"), sep="\\n")
output: y is now y[0]
y[1] state_h is new: (2, 1) float32
y[2] state_c is new: (2, 1) float32
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeAlias

from rnnshape.render.grid import container, sizes
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.report import Report
    from rnnshape.structure import Tensor

Change: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True)
class Changes:
    """The changes: each with its tab, its key (a role, check or name) and one line of text."""

    entries: tuple[Change, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The roles, checks and names that identify the changed rows."""
        return frozenset(key for _, key, _ in self.entries)

    def lines(self, tab: str) -> tuple[str, ...]:
        """The lines of one tab."""
        return tuple(line for where, _, line in self.entries if where == tab)


def changed(before: Report, after: Report) -> Changes:
    """The changes from one answer to the next."""
    sides = (_returns, _flow, _rejected, _checks, _weights, _cost, _others)
    return Changes(tuple(entry for side in sides for entry in side(before, after)))


def _returns(before: Report, after: Report) -> Iterator[Change]:
    """Tensors by role: new, gone, or with another access, shape or dtype."""
    was = {one.role: one for one in leaves(before.structure)}
    now = {one.role: one for one in leaves(after.structure)}
    if container(before.structure) != container(after.structure) and was.keys() == now.keys():
        yield "returns", "", f"{container(after.structure)} is returned, not {container(before.structure)}"
    for role, one in now.items():
        old = was.get(role)
        access = f"y{one.path} {role}"
        if old is None:
            yield "returns", role, f"{access} is new: {sizes(one.shape)} {one.dtype}"
        elif old.shape != one.shape or old.symbolic != one.symbolic:
            said = f"{sizes(old.symbolic)} {sizes(old.shape)} is now {sizes(one.symbolic)} {sizes(one.shape)}"
            yield "returns", role, f"{access}: {said}"
        elif old.dtype != one.dtype:
            yield "returns", role, f"{access}: {old.dtype} is now {one.dtype}"
        elif old.path != one.path:
            yield "returns", role, f"{role}: y{old.path} is now y{one.path}"
    for role in was:
        if role not in now:
            yield "returns", role, f"{role} is gone"


def _flow(before: Report, after: Report) -> Iterator[Change]:
    """The layers of a stack, or the tensors of a graph: new, gone, replaced, or with another shape or dtype."""
    if not (before.flow or after.flow):
        return
    if any(part.to is not None for part in (*before.flow, *after.flow)):
        yield from _wired(before, after)
        return
    was, now = _layers(before), _layers(after)
    match = SequenceMatcher(None, [text for text, _ in was], [text for text, _ in now], autojunk=False)
    for what, begin, end, first, last in match.get_opcodes():
        both = min(end - begin, last - first)
        for number, (old, one) in enumerate(zip(was[begin : begin + both], now[first : first + both], strict=True)):
            if what != "equal" or not _alike(old[1], one[1]):
                kept = f" {one[0]}" if what == "equal" else f": {old[0]} is now {one[0]}"
                yield "returns", one[0], f"layer {first + number + 1}{kept}: {_between(old[1], one[1])}"
        for text, _ in was[begin + both : end]:
            yield "returns", text, f"layer {text} is gone"
        for number, (text, tensor) in enumerate(now[first + both : last], first + both + 1):
            yield "returns", text, f"layer {number} {text} is new: {_shape(tensor)}"


def _layers(report: Report) -> list[tuple[str, Tensor]]:
    """Each layer with the first tensor that it returns; a single layer counts as a stack of one."""
    parts = [(part.expression, part.structure) for part in report.flow] or [(report.expression, report.structure)]
    return [(text, next(iter(leaves(structure)))) for text, structure in parts]


def _wired(before: Report, after: Report) -> Iterator[Change]:
    """The inner tensors of a graph by name; ``_returns`` reports those that the graph returns."""
    was, now = ({one.role: one for part in side.flow for one in leaves(part.structure)} for side in (before, after))
    returned = {one.role for side in (before, after) for one in leaves(side.structure)}
    for role, one in now.items():
        if role in returned:
            continue
        if role not in was:
            yield "returns", f"  {role}", f"{role} is new: {_shape(one)}"
        elif not _alike(was[role], one):
            yield "returns", f"  {role}", f"{role}: {_between(was[role], one)}"
    for role in was:
        if role not in now and role not in returned:
            yield "returns", role, f"{role} is gone"


def _shape(tensor: Tensor) -> str:
    return f"{sizes(tensor.symbolic)} {sizes(tensor.shape)} {tensor.dtype}"


def _alike(old: Tensor, new: Tensor) -> bool:
    """Whether sizes and dtype are equal; symbols are ignored, because another layer changes their numbering."""
    return (old.shape, old.dtype) == (new.shape, new.dtype)


def _between(old: Tensor, new: Tensor) -> str:
    return f"returns {_shape(new)}" if _alike(old, new) else f"{_shape(old)} is now {_shape(new)}"


def _rejected(before: Report, after: Report) -> Iterator[Change]:
    """A new error of Keras, or one that is gone."""
    old, new = (
        side.error if side.error is not None and side.error.kind == "keras" else None for side in (before, after)
    )
    if new is not None and (old is None or old.message != new.message):
        yield "returns", "", f"Keras now rejects it: {new.message}"
    elif old is not None and after.error is None:
        yield "returns", "", f"Keras no longer rejects it: {old.message}"


def _checks(before: Report, after: Report) -> Iterator[Change]:
    """Equalities by text: new, gone, or with another rule or another result on the real layer."""
    was = {one.check: one for one in before.checks}
    for one in after.checks:
        old = was.pop(one.check, None)
        if old is None:
            yield "equalities", one.check, f"{one.check} is new"
        elif old.guaranteed != one.guaranteed:
            now = "now holds by rule" if one.guaranteed else "no longer holds by rule"
            yield "equalities", one.check, f"{one.check} {now}"
        elif None not in (old.holds, one.holds) and old.holds != one.holds:
            yield "equalities", one.check, f"{one.check} {'now holds' if one.holds else 'no longer holds'}"
    for check in was:
        yield "equalities", check, f"{check} is gone"


def _weights(before: Report, after: Report) -> Iterator[Change]:
    was = {one.name: one.shape for one in before.weights}
    for one in after.weights:
        old = was.pop(one.name, None)
        if old is None:
            yield "weights", one.name, f"{one.name} is new: {sizes(one.shape)}"
        elif old != one.shape:
            yield "weights", one.name, f"{one.name}: {sizes(old)} is now {sizes(one.shape)}"
    for name in was:
        yield "weights", name, f"{name} is gone"


def _cost(before: Report, after: Report) -> Iterator[Change]:
    """The numbers of the cost, with their names from the table."""
    for name, unit, old, new in (
        ("multiply-adds", "", before.cost.multiply_adds, after.cost.multiply_adds),
        ("parameters", " bytes", before.cost.parameter_bytes, after.cost.parameter_bytes),
        ("activations", " bytes", before.cost.activation_bytes, after.cost.activation_bytes),
    ):
        if old != new:
            yield "cost", name, f"{name}: {old:,} are now {new:,}{unit}"


def _others(before: Report, after: Report) -> Iterator[Change]:
    """cuDNN with the rule that fails, and the strips of a mask."""
    old, new = before.cudnn.verdict, after.cudnn.verdict
    if old.eligible != new.eligible:
        broken = [rule.rule for kernel in new.kernels for rule in kernel.rules if not rule.ok]
        why = f": {', '.join(dict.fromkeys(broken))} is not met" if broken else ""
        yield "cuDNN", ", ".join(broken[:1]), f"{'cuDNN can be used' if new.eligible else 'cuDNN cannot be used'}{why}"
    was = {} if before.masked is None else {strip.of: strip.steps for strip in before.masked.strips}
    for strip in () if after.masked is None else after.masked.strips:
        if was.get(strip.of) != strip.steps:
            yield "strip", strip.of, f"{strip.of} is {'another' if strip.of in was else 'new'}"
