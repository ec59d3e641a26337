"""One function over many items, in other processes or on other machines; the answers come in the items' order.

>>> list(spread(abs, [-1, 2, -3]))
[1, 2, 3]

The processes are joblib's (loky: never forked, for a fork after TensorFlow has run hangs).  Its ``Parallel`` asks for
the next item when an answer is there, not when it is taken, and a slow reader would find all answers in memory.  So
the items go in windows, two at a time, that no worker waits.
"""

from __future__ import annotations

import re
import signal
import warnings
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import TypeAlias

Item = TypeVar("Item")
Result = TypeVar("Result")
if TYPE_CHECKING:
    _Start: TypeAlias = Callable[[Iterable[Item]], Generator[Result]]

_A_WINDOW = 8
"""Items a worker in a window.  Two windows are under way, and a death makes their items run again, one at a time."""


@dataclass(frozen=True, slots=True)
class Died:
    """What stands in the place of an answer: the item took its worker process down with it."""

    message: str


def spread(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> Iterator[Result | Died]:
    """``function`` of every item, in the items' order, each as soon as it and those before it are there.

    ``jobs`` is how many processes of this machine share the items; None or 1 is this process itself, which
    nothing guards.  ``scheduler`` is the address of a Dask cluster (``"tcp://host:8786"``) that takes them instead.
    Items, answers and the function must pickle; an item may be run more than once.

    What ``function`` raises ends it.  To close the iterator early, or to interrupt it, stops the processes.

    Raises:
        Unavailable: no cluster at this address, or one that cannot do the work.
    """
    if jobs is not None and jobs < 1:
        raise ValueError("jobs must be 1 or more")
    if scheduler is not None:
        from rnnshape.batch.cluster import on_cluster

        return on_cluster(function, items, scheduler)
    if jobs is None or jobs == 1:
        return map(function, items)
    return _in_processes(function, items, jobs)


def _in_processes(function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> Iterator[Result | Died]:
    from joblib import Parallel, cpu_count, delayed, parallel_config

    task = delayed(partial(_held, function, max(1, cpu_count() // jobs)))

    def start(window: Iterable[Item]) -> Generator[Result]:
        with parallel_config(backend="loky", n_jobs=jobs), _deaf_to_interrupts():
            # One item a task, for a task that dies takes all of its items; and no files for large arrays.
            parallel: Any = Parallel(return_as="generator", batch_size=1, pre_dispatch="all", max_nbytes=None)
            answers: Generator[Result] = parallel([task(item) for item in window])
            return answers

    return _in_windows(start, items, _A_WINDOW * jobs)


def _held(function: Callable[[Item], Result], threads: int, item: Item) -> Result:
    from rnnshape.lab.threads import hold_threads

    hold_threads(threads)
    return function(item)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started here never hear Ctrl-C, from their first instruction on: a mask is handed down.

    The terminal sends it to all of them at once.  It is for this process, which ends the others.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Window(Generic[Item, Result]):
    """Items whose answers are under way; ``left`` are those whose answer was not handed out yet."""

    def __init__(self, left: deque[Item]) -> None:
        self.left = left
        self.answers: Generator[Result] | None = None

    def start(self, start: _Start[Item, Result]) -> None:
        self.answers = start(self.left)

    def __iter__(self) -> Iterator[Result]:
        assert self.answers is not None
        for answer in self.answers:
            self.left.popleft()
            yield answer

    def close(self) -> None:
        if self.answers is not None:
            with warnings.catch_warnings():  # joblib warns of answers that nobody took: nobody wanted them
                warnings.simplefilter("ignore")
                self.answers.close()


def _in_windows(start: _Start[Item, Result], items: Iterable[Item], size: int) -> Iterator[Result | Died]:
    """What ``start`` answers to windows of ``size`` items; the next one is under way while one is handed out."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    source = iter(items)
    ahead: deque[_Window[Item, Result]] = deque()
    try:
        while True:
            try:
                while len(ahead) < 2 and (taken := deque(islice(source, size))):
                    ahead.append(_Window(taken))
                    ahead[-1].start(start)
                if not ahead:
                    return
                yield from ahead[0]
                ahead.popleft()
            except TerminatedWorkerError:
                # All that was under way is lost and nothing says whose fault it was.
                suspects = [item for window in ahead for item in window.left]
                _close(ahead)
                for item in suspects:
                    yield _alone(start, item)
    finally:
        _close(ahead)


def _close(windows: deque[Any]) -> None:
    while windows:
        windows.popleft().close()


def _alone(start: _Start[Item, Result], item: Item) -> Result | Died:
    """The item's answer with no other under way, so that a death is its own.

    It is its second: one blow from outside, or neighbours that took the memory, is not held against an item.
    """
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        (answer,) = start([item])
    except TerminatedWorkerError as error:
        how = re.search(r"\w+\(-?\d+\)", str(error))
        return Died(f"the worker process died twice at this{f', with {how[0]}' if how else ''}")
    return answer
