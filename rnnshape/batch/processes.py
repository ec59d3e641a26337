"""The items in several processes of this machine.

The processes are joblib's (loky: never forked, for a fork after TensorFlow has run hangs).  Its ``Parallel`` takes the
next item when an answer is there, not when it is wanted, and a slow reader would find all answers in memory: so the
items go in windows, and the next one begins before one ends, that no process waits.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
import warnings
from collections import deque
from contextlib import closing, contextmanager
from functools import cache, partial
from itertools import chain, islice
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from joblib import Parallel, cpu_count, delayed, parallel_config
from joblib.externals.loky import process_executor
from joblib.externals.loky.backend import resource_tracker as lokys_tracker
from joblib.externals.loky.process_executor import TerminatedWorkerError

from rnnshape.batch.died import Died

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

_A_WINDOW = 8
"""Items a process in a window."""
_IN_FLIGHT = "1.5 * n_jobs"
"""Tasks that loky has at a time: two windows of these fit its processes' queue (2 each), and it can stop clean."""
_LOOK_S = 1.0
"""How often a worker looks whether the process that began it is still there."""


def in_processes(function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> Generator[Result | Died]:
    """``workers.spread`` with ``jobs``."""
    return _Stream(function, items, jobs).all()


def _held(function: Callable[[Item], Result], threads: int, parent: int, item: Item) -> Result:
    from rnnshape.lab.threads import hold_threads

    hold_threads(threads)
    _end_with(parent)
    # loky takes a process for leaking, and begins another, when it grows by 300 MB after its first item: to
    # import TensorFlow takes more, and so may one large layer that is gone when the next one comes.
    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
    return function(item)


@cache
def _end_with(parent: int) -> None:
    """From now on this worker ends when its parent has: one that is killed (SIGKILL, SIGQUIT) ends no worker itself.

    Windows keeps the number of a parent that is gone, and there nothing is seen.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class _Window(Generic[Item, Result]):
    """Items whose answers are under way."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.waiting = deque(items)
        self.out: deque[Item] = deque()  # handed over to joblib, and not answered yet
        self.answers: Generator[Result] | None = None

    def handed_over(self) -> Iterator[Item]:
        while self.waiting:
            self.out.append(self.waiting.popleft())
            yield self.out[-1]

    def close(self) -> None:
        if self.answers is not None:
            with warnings.catch_warnings():  # joblib warns of answers that nobody took: nobody wanted them
                warnings.simplefilter("ignore")
                self.answers.close()


class _Stream(Generic[Item, Result]):
    def __init__(self, function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> None:
        self.task = delayed(partial(_held, function, max(1, cpu_count() // jobs), os.getpid()))
        self.source = iter(items)
        self.jobs = jobs
        self.windows: deque[_Window[Item, Result]] = deque()

    def all(self) -> Generator[Result | Died]:
        """Every answer, in order, and what became of those who have none."""
        with _lokys_stumble_unheard(), closing(self):
            while True:
                try:
                    yield from self.answers()
                except TerminatedWorkerError:
                    # All that was under way is lost, and nothing says whose fault it was.
                    for item in self.suspects():
                        yield self.alone(item)
                else:
                    return

    def answers(self) -> Iterator[Result]:
        while self.windows or self.begin_next():
            window = self.windows[0]
            assert window.answers is not None
            for answer in window.answers:
                window.out.popleft()
                yield answer
                if len(self.windows) == 1 and len(window.out) + len(window.waiting) <= self.jobs // 2:
                    self.begin_next()
            self.windows.popleft()

    def begin_next(self) -> bool:
        """Begin a window with the next items, and say whether there were any."""
        items = list(islice(self.source, _A_WINDOW * self.jobs))
        if items:
            self.begin(items)
        return bool(items)

    def begin(self, items: Iterable[Item]) -> Iterator[Result]:
        window: _Window[Item, Result] = _Window(items)
        self.windows.append(window)  # before it begins: its beginning may find the processes dead
        with parallel_config(backend="loky", n_jobs=self.jobs), _undisturbed():
            # One item a task, for a task that dies takes all of its items; and no files for large arrays.
            parallel: Any = Parallel(return_as="generator", batch_size=1, pre_dispatch=_IN_FLIGHT, max_nbytes=None)
            window.answers = parallel(self.task(item) for item in window.handed_over())
        assert window.answers is not None
        return window.answers

    def suspects(self) -> list[Item]:
        """Give up the windows: the first items without an answer, as far as they were under way; the rest waits."""
        suspects: list[Item] = []
        others: list[Item] = []
        for window in self.windows:
            (others if others else suspects).extend(window.out)
            others.extend(window.waiting)
        self.source = chain(others, self.source)
        self.close()
        return suspects

    def alone(self, item: Item) -> Result | Died:
        """The answer with no other item under way, so that a death is this one's own.

        It is its second: one blow from outside, or neighbours that took the memory, is not held against an item.
        """
        try:
            (answer,) = self.begin([item])
        except TerminatedWorkerError as error:
            how = re.search(r"\w+\(-?\d+\)", str(error))
            return Died(f"the worker process died twice on this run{f', with {how[0]}' if how else ''}")
        finally:
            self.close()
        return answer

    def close(self) -> None:
        while self.windows:
            self.windows.popleft().close()


@contextmanager
def _lokys_stumble_unheard() -> Iterator[None]:
    """Stopped early, loky's thread may look for a task that it has just given up (loky 3.6), and says so.

    By then it has ended the processes: nothing is lost by it.
    """
    before = threading.excepthook

    def hook(fall: threading.ExceptHookArgs) -> None:
        if fall.exc_type is not KeyError or fall.thread is None or fall.thread.name != "ExecutorManagerThread":
            before(fall)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C back until the processes that are started here can be ended; they themselves never hear it.

    The terminal sends it to all of them at once, and it is for this process alone: the mask is handed down to
    them, so that they are deaf from their first instruction on.  It does not guard this process, where a thread
    without the mask may take the signal; hence the handler, which only the main thread may set.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Both would be started on the way, and take the mask off when they have.  They are deaf to Ctrl-C and SIGTERM by
    # themselves; one that a closing terminal ends (SIGHUP) is begun anew, and complains of what it does not know.
    hangup = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    resource_tracker.ensure_running()
    lokys_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_SETMASK, hangup)
    handler = signal.getsignal(signal.SIGINT)
    ours = callable(handler) and threading.current_thread() is threading.main_thread()
    came: list[tuple[int, Any]] = []
    if ours:
        signal.signal(signal.SIGINT, lambda *how: came.append(how))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if ours:
            signal.signal(signal.SIGINT, handler)
    if came and callable(handler):
        handler(*came[0])
