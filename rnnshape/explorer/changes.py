"""What changed between two answers, so that a learner sees what a flag did.

>>> import rnnshape
>>> before, after = rnnshape.predict("lstm"), rnnshape.predict("lstm", return_state=True)
>>> print(*changed(before, after).lines("returns"), sep="\\n")
output: y is now y[0]
y[1] state_h is new: (2, 1) float32
y[2] state_c is new: (2, 1) float32
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rnnshape.render.grid import container, sizes
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.report import Report

Told: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True)
class Changes:
    """Each change with its tab, the role, check or name that it is about, and one line of text."""

    told: tuple[Told, ...]

    @property
    def keys(self) -> frozenset[str]:
        """What the changed rows are known by."""
        return frozenset(key for _, key, _ in self.told)

    def lines(self, tab: str) -> tuple[str, ...]:
        """The changes of one tab in words."""
        return tuple(line for where, _, line in self.told if where == tab)


def changed(before: Report, after: Report) -> Changes:
    """The changes from one answer to the next."""
    return Changes(
        (*_returns(before, after), *_checks(before, after), *_weights(before, after), *_others(before, after))
    )


def _returns(before: Report, after: Report) -> Iterator[Told]:
    """Tensors by their role: new, gone, of another place, shape or dtype."""
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


def _checks(before: Report, after: Report) -> Iterator[Told]:
    """Equalities by their text: new, gone, no longer by rule, or of another verdict of the real layer."""
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


def _weights(before: Report, after: Report) -> Iterator[Told]:
    was = {one.name: one.shape for one in before.weights}
    for one in after.weights:
        old = was.pop(one.name, None)
        if old is None:
            yield "weights", one.name, f"{one.name} is new: {sizes(one.shape)}"
        elif old != one.shape:
            yield "weights", one.name, f"{one.name}: {sizes(old)} is now {sizes(one.shape)}"
    for name in was:
        yield "weights", name, f"{name} is gone"


def _others(before: Report, after: Report) -> Iterator[Told]:
    """The rest: cuDNN with the rule that decides, the cost, the strip of a mask."""
    old, new = before.cudnn.verdict, after.cudnn.verdict
    if old.eligible != new.eligible:
        broken = [rule.rule for kernel in new.kernels for rule in kernel.rules if not rule.ok]
        why = f": {', '.join(dict.fromkeys(broken))} is not met" if broken else ""
        yield "cuDNN", ", ".join(broken[:1]), f"{'cuDNN can be used' if new.eligible else 'cuDNN cannot be used'}{why}"
    if before.cost.multiply_adds != after.cost.multiply_adds:
        said = f"{before.cost.multiply_adds:,} are now {after.cost.multiply_adds:,}"
        yield "cost", "multiply-adds", f"multiply-adds: {said}"
    was = {} if before.masked is None else {strip.of: strip.steps for strip in before.masked.strips}
    for strip in () if after.masked is None else after.masked.strips:
        if was.get(strip.of) != strip.steps:
            yield "strip", strip.of, f"{strip.of} is {'another' if strip.of in was else 'new'}"
