"""The laws between calls: which states a layer keeps, and what it draws again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.base import Law
from rnnshape.layers.laws import IDLE, idle
from rnnshape.layers.release import change
from rnnshape.layers.scan import halved
from rnnshape.spec.calls import (
    AFTER_RESET,
    CARRIED,
    FIRST,
    HALVES,
    OVERRIDES,
    REBUILT,
    STEPPED,
    further,
    random,
    stateful,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Answer
    from rnnshape.spec import Spec

_SEEDS_GRAPHS = change(
    "3.0",
    "a layer in a graph or compiled by XLA draws its dropout masks from its own seed",
    "layers/regularization/dropout.py: Dropout.call",
)
_DRAWS_ONCE = change(
    "3.0",
    "an LSTM or GRU that may use cuDNN draws its dropout masks once a call; before, for each step",
    "layers/rnn/lstm.py: LSTM.inner_loop",
)
_SAME = "the same seed gives the same weights and the same draws"
_TRACED = "in a graph Keras 2 draws from TensorFlow's own generator"
_DRAWN = "each call draws new dropout masks"
_CARRIED = "it keeps all of its states: passing them in gives the second call"
_RESET = "reset_state() sets the states to zero, so the next call is like the first"
_COMPILED = "XLA draws different dropout masks from the same seed than the uncompiled step by hand"
_BY_STEP = "a layer of Keras 2 that may use cuDNN drops its whole input before the loop, each step with another mask"
_FIXED = "the dropout masks are drawn once a call and are the same at every step, as in the cell by hand"


def between(spec: Spec, answer: Answer) -> Iterator[Law]:
    """The laws of all calls after the first."""
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
            same = not drawn or spec.faster == "eager" or _SEEDS_GRAPHS.made
            yield Law(check, same, _SAME if same else _TRACED)
        elif name == STEPPED:
            yield _stepped(spec, answer, check)
        else:
            yield _again(spec, answer, check, drawn)


def _unless(drawn: bool, check: str, why: str) -> Law:
    """A law that is guaranteed only if no call draws random numbers."""
    return Law(check, not drawn, _DRAWN if drawn else why)


def _stepped(spec: Spec, answer: Answer, check: str) -> Law:
    """The call compared with the cell step by step, which keeps the dropout masks of the first step."""
    if spec.execution == "xla":
        return Law(check, False, _COMPILED)
    if spec.faster != "eager" and not _SEEDS_GRAPHS.made:
        return Law(check, False, _TRACED)
    fused = answer.cudnn and all(rule.ok for rule in answer.cudnn[0].rules)
    once = not fused or not spec.layer["dropout"] or _DRAWS_ONCE.made
    return Law(check, once, _FIXED if once else _BY_STEP)


def _again(spec: Spec, answer: Answer, check: str, drawn: bool) -> Law:
    if drawn:
        return Law(check, False, _DRAWN)
    rows = answer.scan.rows if answer.scan is not None and spec.layer.cls.kind == "recurrent" else ()
    if rows and all(idle(row, number) for number, row in enumerate(rows)):
        return Law(check, True, IDLE)
    if stateful(spec.layer) and spec.initial_state is None:
        return Law(check, False, "a stateful layer starts from the final state of the previous call")
    if stateful(spec.layer) and not OVERRIDES.made:
        return Law(check, False, "a passed initial_state is used only while the kept states are zero")
    if stateful(spec.layer):
        return Law(check, True, "a passed initial_state overrides the kept states")
    begun = "zeros" if spec.initial_state is None else "the passed states"
    return Law(check, True, f"a layer that is not stateful keeps no states: each call starts from {begun}")


def _halves(spec: Spec, answer: Answer, check: str, drawn: bool) -> Law:
    """Two calls on halves, the second started from the states of the first, compared with one call on the whole."""
    if drawn:
        return Law(check, False, _DRAWN)
    if spec.layer.name == "Bidirectional":
        return Law(
            check, False, "the backward pass of the first half would have to start where that of the second half ends"
        )
    why = "the second half starts from the final states of the first, so two calls equal one"
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
