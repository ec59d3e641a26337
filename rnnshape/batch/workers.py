"""One function over many items, in other processes or on other machines; the answers come in the items' order.

>>> list(spread(abs, [-1, 2, -3]))
[1, 2, 3]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from rnnshape.batch.died import Died

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> Generator[Result | Died]:
    """``function`` of every item, in the items' order, each as soon as it and those before it are there.

    ``jobs`` is how many processes of this machine share the items; None or 1 is this process itself, which
    nothing guards.  ``scheduler`` is the address of a Dask cluster (``"tcp://host:8786"``) that takes them instead.
    Items, answers and the function must pickle; an item may be run more than once.

    What ``function`` raises ends it, on several processes before the answers that stood in line.  To close the
    iterator early, or to interrupt it, stops the processes.

    Raises:
        Unavailable: no cluster at this address, or one that cannot do the work.
    """
    if jobs is not None and jobs < 1:
        raise ValueError("jobs must be 1 or more")
    if scheduler is not None:
        from rnnshape.batch.cluster import on_cluster

        return on_cluster(function, items, scheduler)
    if jobs is None or jobs == 1:
        return (function(item) for item in items)
    from rnnshape.batch.processes import in_processes

    return in_processes(function, items, jobs)
