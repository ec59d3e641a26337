"""The laws between calls: what a layer keeps, what it forgets, and what it draws anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.base import Law
from rnnshape.layers.scan import halved
from rnnshape.spec.calls import AFTER_RESET, CARRIED, FIRST, HALVES, REBUILT, STEPPED, further, random, stateful

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Answer
    from rnnshape.spec import Spec

_DRAWN = "each call draws new dropout masks"
_CARRIED = "what it keeps is all of its states: handing them in gives the second call"
_RESET = "reset_state() puts zeros back, so the next call is a first call again"
_COMPILED = "XLA draws other dropout masks from the same seed than the step by hand, which is not compiled"
_FIXED = "the dropout masks are drawn once a call and stay the same at every step: the cell by hand does it too"


def between(spec: Spec, answer: Answer) -> Iterator[Law]:
    """The laws of all calls that are made beside the first."""
    drawn = random(spec)
    for name in further(spec):
        check = f"{name} == {FIRST}"
        if name == CARRIED:
            yield _unless(drawn, f"call2 == {CARRIED}", _CARRIED)
        elif name == AFTER_RESET:
            yield _unless(drawn, check, _RESET)
        elif name == HALVES:
            yield _halves(spec, answer, check, drawn)
        elif name == REBUILT:
            yield Law(check, True, "the same seed, built anew: the same weights and the same draws")
        elif name == STEPPED:
            compiled = spec.execution == "xla"
            yield Law(check, not compiled, _COMPILED if compiled else _FIXED)
        else:
            yield _again(spec, check, drawn)


def _unless(drawn: bool, check: str, why: str) -> Law:
    """What holds where no call draws anything."""
    return Law(check, not drawn, _DRAWN if drawn else why)


def _again(spec: Spec, check: str, drawn: bool) -> Law:
    if drawn:
        return Law(check, False, _DRAWN)
    if stateful(spec.layer) and spec.initial_state is None:
        return Law(check, False, "a stateful layer begins where the last call ended")
    if stateful(spec.layer):
        return Law(check, True, "the initial_state that is handed in comes before what was kept")
    begun = "zeros" if spec.initial_state is None else "what is handed in"
    return Law(check, True, f"a layer that is not stateful keeps nothing: each call begins with {begun}")


def _halves(spec: Spec, answer: Answer, check: str, drawn: bool) -> Law:
    """Two calls, the second begun with the states of the first, against one call on the whole."""
    if drawn:
        return Law(check, False, _DRAWN)
    if spec.layer.name == "Bidirectional":
        return Law(
            check, False, "the backward pass of the first half would have to begin where that of the second ends"
        )
    why = "the second half begins with the states in which the first ended: two calls are one"
    scan = answer.scan
    if scan is None or scan.mask is None:
        return Law(check, True, why)
    rows = [(row, halved(valid, scan.scanning)) for row, valid in zip(scan.rows, scan.mask.rows, strict=True)]
    sequences = spec.layer["return_sequences"]
    if all(whole.steps == two.steps if sequences else whole.output == two.output for whole, two in rows):
        return Law(check, True, why)
    return Law(
        check, False, "the states are the same, but a call that begins with masked steps has no output to repeat"
    )
