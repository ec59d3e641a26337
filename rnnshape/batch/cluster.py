"""Runs the items on a Dask cluster that is already running.

Imported only when a cluster is asked for: Dask is an extra.  joblib's own backend for Dask does not work here
(joblib 1.6): ``Parallel`` waits forever for an item whose workers died, or whose worker could not load it, because the
backend reports only answers; and if the cluster has one thread, it runs the items in this process.
"""

from __future__ import annotations

import logging
import warnings
from collections import deque
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from rnnshape.batch.died import Died
from rnnshape.errors import Unavailable
from rnnshape.version import __version__
from rnnshape.versions import installed

try:
    from distributed import Client, KilledWorker, get_worker, wait
    from distributed.comm.addressing import get_address_host_port
    from distributed.comm.core import CommClosedError
except ImportError as error:
    raise Unavailable(
        f"a Dask cluster needs Dask, which is not installed ({error})",
        'pip install "rnnshape[cluster]"',
        kind="cluster",
    ) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import TypeVar

    from distributed import Future

    Item = TypeVar("Item")
    Result = TypeVar("Result")

_AHEAD = 16
"""Items per thread of the cluster that are submitted at a time."""
CONNECT_S = 10
"""Seconds to wait for the scheduler."""
WORKER_S = 60
"""Seconds to wait for the first worker, which a cluster that grows on demand has to start."""


def on_cluster(function: Callable[[Item], Result], items: Iterable[Item], address: str) -> Generator[Result | Died]:
    """Implements ``workers.spread`` for a scheduler."""
    source = iter(items)
    ahead: deque[tuple[Item, Future[Result]]] = deque()
    with _connected(address) as client:

        def submit(item: Item) -> Future[Result]:
            return client.submit(_held, function, item, pure=False)

        while True:
            room = _AHEAD * sum(client.nthreads().values()) - len(ahead)  # the number of workers may change
            ahead.extend((item, submit(item)) for item in islice(source, max(1, room)))
            if not ahead:
                return
            for _ in range((len(ahead) + 1) // 2):
                item, future = ahead.popleft()
                try:
                    answer: Result | Died = _result(future)
                except KilledWorker:
                    # Dask blames every item that a worker had when it died, running or waiting: run this one alone.
                    with client.as_current():
                        wait([other for _, other in ahead])
                    answer = _last(submit(item))
                yield answer


def _held(function: Callable[[Item], Result], item: Item) -> Result:
    from rnnshape.lab.threads import hold_threads

    hold_threads(get_worker().state.nthreads)  # the worker's share of its machine
    return function(item)


def _last(future: Future[Result]) -> Result | Died:
    try:
        answer = _result(future)
    except KilledWorker as error:
        return Died(f"{error.allowed_failures + 1} workers of the cluster died on this run, one after another")
    return answer


def _result(future: Future[Result]) -> Result:
    """The answer for one item.  When a worker is lost, Dask runs its items again, about three times.

    Raises:
        KilledWorker: the workers that had the item died each time.
    """
    try:
        result: Result = future.result()
    except (CancelledError, CommClosedError) as error:
        raise Unavailable(
            "the connection to the Dask scheduler is lost", "read its log, then run the rest again", kind="cluster"
        ) from error
    return result


_LOGGERS = ("distributed", "distributed.client", "tornado.application")  # each has its own level


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """A client of a cluster with our versions.  Dask's logs are silenced: standard error is for our own messages."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with _client(address) as client:
            _require_alike(client, address)
            yield client
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _client(address: str) -> Client:
    try:
        get_address_host_port(address, strict=True)  # a Client with a malformed address hangs when it is deleted
        with warnings.catch_warnings():  # warnings about versions of packages that we do not use
            warnings.simplefilter("ignore")
            return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"no Dask scheduler answers at {address}: {_one_line(error)}",
            "start one with 'dask scheduler'; it prints its address",
            kind="cluster",
        ) from error


def _require_alike(client: Client, address: str) -> None:
    """Raise Unavailable unless there are workers, and each has our versions of the packages that answers depend on."""
    try:
        client.submit(int, pure=False).result(timeout=WORKER_S)
    except TimeoutError:
        raise Unavailable(
            f"the scheduler at {address} has no worker that answers",
            f"start one with 'dask worker {address}'",
            kind="cluster",
        ) from None
    ours = {"rnnshape": __version__, **installed()}
    for worker, theirs in client.run(_look()).items():
        if theirs is None:
            raise Unavailable(
                f"the worker at {worker} has no rnnshape",
                f"on its machine: pip install rnnshape=={__version__}",
                kind="cluster",
            )
        other = [name for name, version in ours.items() if theirs[name] != version]
        if other:
            found = ", ".join(f"{name} {theirs[name]}" for name in other)
            here = ", ".join(f"{name} {ours[name]}" for name in other)
            raise Unavailable(
                f"the worker at {worker} has {found}; here it is {here}",
                "install the same versions on every machine",
                kind="cluster",
            )


def _look() -> Callable[[], dict[str, str | None] | None]:
    """The function that reads a worker's versions.

    It is nested, so that Dask pickles it by value: a worker without rnnshape can run it.
    """

    def versions() -> dict[str, str | None] | None:
        try:
            from rnnshape.version import __version__
            from rnnshape.versions import installed
        except ImportError:
            return None
        return {"rnnshape": __version__, **installed()}

    return versions


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
