"""The time of each part of a verified layer."""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.pairs import Row, in_turn
from benchmarks.questions import look_by_hand, mix

if TYPE_CHECKING:
    from collections.abc import Callable

EACH = 60


def parts(rounds: int) -> list[Row]:
    """The parts of a verified layer.

    The median of each part of `rnnshape.explore` over 60 layers, against the median of the same layers
    built, called and fetched by hand in the same loop.  The Spec, the prediction and the Report are the work
    of rnnshape; `lab.observe` is the real layer with its device, its seed and its captured output.
    """
    taken = in_turn({"all": _measured}, rounds)["all"]
    by_hand = tuple(once["by hand"] for once in taken)
    names = {"make": "the Spec", "predict": "theory", "observe": "the real layer, observed", "assemble": "the Report"}
    return [Row(text, "by hand", "s", tuple(once[name] for once in taken), by_hand) for name, text in names.items()]


def _measured() -> dict[str, float]:
    from rnnshape import lab, theory
    from rnnshape.report import assemble

    times: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        began = perf_counter()
        result = call()
        times.setdefault(name, []).append(perf_counter() - began)
        return result

    for question in mix(0, EACH):
        timed("by hand", partial(look_by_hand, question))
        spec = timed("make", question.spec)
        predicted = timed("predict", partial(theory.predict, spec))
        observed = timed("observe", partial(lab.observe, spec))
        timed("assemble", partial(assemble, spec, predicted, observed))
    return {name: median(taken) for name, taken in times.items()}
