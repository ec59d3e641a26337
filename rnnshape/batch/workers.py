"""Applies one function to many items, in other processes or on other machines; answers are in the order of the items.

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
    """``function`` of every item, in the order of the items, each as soon as it and those before it are ready.

    ``jobs`` is the number of processes of this machine; None or 1 means this process, where a crash is not caught.
    ``scheduler`` is the address of a Dask cluster (``"tcp://host:8786"``) to use instead.  Items, answers and the
    function must be picklable; an item may be run more than once.

    An exception of ``function`` ends the iterator, with several processes before answers that are still pending.
    Closing or interrupting the iterator stops the processes.

    Raises:
        Unavailable: there is no cluster at this address, or it cannot do the work.
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
