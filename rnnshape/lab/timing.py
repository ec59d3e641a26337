"""Measures how long calls take; the runs are interleaved, so that all have the same load on the machine."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds for all rounds together; slow calls get FEWEST rounds within PATIENCE.
BUDGET, PATIENCE = 3.0, 12.0
FEWEST, MOST = 3, 100
_WARM_UPS = 2


def interleaved(calls: list[Callable[[], Any] | None], sync: Callable[[], Any] | None) -> list[tuple[float, ...]]:
    """The seconds of each run of every call, in the order A B A B …; empty where the call is None.

    ``sync`` waits until a device has finished.  Warm-up runs do the tracing and compiling; they do not count.
    """
    wait = sync or (lambda: None)

    def took(call: Callable[[], Any]) -> float:
        wait()
        begun = perf_counter()
        call()
        wait()
        return perf_counter() - begun

    there = [call for call in calls if call is not None]
    for call in there:
        for _ in range(_WARM_UPS):
            if took(call) > BUDGET:
                break
    times: dict[int, list[float]] = {id(call): [] for call in there}
    begun = perf_counter()
    for rounds in range(MOST):
        if rounds and perf_counter() - begun >= (BUDGET if rounds >= FEWEST else PATIENCE):
            break
        for call in there:
            times[id(call)].append(took(call))
    return [() if call is None else tuple(times[id(call)]) for call in calls]
