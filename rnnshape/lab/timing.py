"""How long calls take, each in turn with the others, so that all see the same weather."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds for all rounds together; slow calls get a few rounds all the same, but not for ever.
BUDGET, PATIENCE = 3.0, 12.0
FEWEST, MOST = 3, 100
_WARM_UPS = 2


def interleaved(calls: list[Callable[[], Any] | None], sync: Callable[[], Any] | None) -> list[tuple[float, ...]]:
    """The seconds of each run of every call, A B A B …; nothing where there is no call.

    ``sync`` waits for what a device has only begun.  What is traced or compiled is so before the first
    run that counts.
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
    begun, rounds = perf_counter(), 0
    while there and rounds < MOST and (not rounds or _time_left(perf_counter() - begun, rounds)):
        for call in there:
            times[id(call)].append(took(call))
        rounds += 1
    return [() if call is None else tuple(times[id(call)]) for call in calls]


def _time_left(passed: float, rounds: int) -> bool:
    return passed < (BUDGET if rounds >= FEWEST else PATIENCE)
