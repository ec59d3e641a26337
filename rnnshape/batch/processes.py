"""Runs the items in several processes of this machine.

The processes are joblib's (loky, never fork: a fork after TensorFlow has run hangs).  ``Parallel`` takes the next item
as soon as an answer is ready, even if nobody has read it, so all answers could collect in memory.  The items are
therefore sent in windows.  The next window starts before the last one ends, so that no process waits.
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
from contextlib import closing, contextmanager, suppress
from functools import cache, partial
from itertools import chain, islice
from multiprocessing import resource_tracker
from pathlib import Path
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
"""Items per process in a window."""
_IN_FLIGHT = "1.5 * n_jobs"
"""Tasks that loky has at a time.  Two windows of these fit the queue of its processes (2 each): it can stop cleanly."""
_LOOK_S = 1.0
"""Seconds between a worker's checks that its parent process is alive."""


def in_processes(function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> Generator[Result | Died]:
    """Implements ``workers.spread`` for ``jobs``."""
    return _Stream(function, items, jobs).all()


def _held(function: Callable[[Item], Result], threads: int, parent: int, folder: Path, item: Item) -> Result:
    from rnnshape.lab.threads import hold_threads

    hold_threads(threads)
    # A worker is used again for later calls, and the parent may be in another folder then.
    with suppress(FileNotFoundError):
        os.chdir(folder)
    _end_with(parent)
    # loky replaces a process that grows by 300 MB after its first item, as a leak.  Importing TensorFlow takes more,
    # and a large layer may, although its memory is freed before the next one.
    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
    return function(item)


def _folder() -> Path:
    """The current folder; a relative one if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path()


@cache
def _end_with(parent: int) -> None:
    """End this worker when its parent has ended: a parent that is killed (SIGKILL, SIGQUIT) cannot end its workers.

    This does not work on Windows, where the parent's process id stays the same after the parent has ended.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class _Window(Generic[Item, Result]):
    """Items that are given to joblib together."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.waiting = deque(items)
        self.out: deque[Item] = deque()  # passed to joblib, and not answered yet
        self.answers: Generator[Result] | None = None

    def handed_over(self) -> Iterator[Item]:
        while self.waiting:
            self.out.append(self.waiting.popleft())
            yield self.out[-1]

    def close(self) -> None:
        if self.answers is not None:
            with warnings.catch_warnings():  # joblib warns about answers that nobody read
                warnings.simplefilter("ignore")
                self.answers.close()


class _Stream(Generic[Item, Result]):
    def __init__(self, function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> None:
        self.task = delayed(partial(_held, function, max(1, cpu_count() // jobs), os.getpid(), _folder()))
        self.source = iter(items)
        self.jobs = jobs
        self.windows: deque[_Window[Item, Result]] = deque()

    def all(self) -> Generator[Result | Died]:
        """Every answer in order, or ``Died`` for an item without one."""
        with _loky_key_error_ignored(), closing(self):
            while True:
                try:
                    yield from self.answers()
                except TerminatedWorkerError:
                    # Every running item is lost, and joblib does not say which one is to blame.
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
        """Start a window with the next items; return whether there are any."""
        items = list(islice(self.source, _A_WINDOW * self.jobs))
        if items:
            self.begin(items)
        return bool(items)

    def begin(self, items: Iterable[Item]) -> Iterator[Result]:
        window: _Window[Item, Result] = _Window(items)
        self.windows.append(window)  # first, because starting it may raise when the processes are dead
        with parallel_config(backend="loky", n_jobs=self.jobs), _sigint_held_back():
            # One item per task, because a task that dies loses all its items; no files for large arrays.
            parallel: Any = Parallel(return_as="generator", batch_size=1, pre_dispatch=_IN_FLIGHT, max_nbytes=None)
            window.answers = parallel(self.task(item) for item in window.handed_over())
        assert window.answers is not None
        return window.answers

    def suspects(self) -> list[Item]:
        """Close the windows.  Return the items that may have killed the process; the others go back to ``source``.

        Suspects are the running items of the first window that has any.
        """
        suspects: list[Item] = []
        others: list[Item] = []
        for window in self.windows:
            (others if others else suspects).extend(window.out)
            others.extend(window.waiting)
        self.source = chain(others, self.source)
        self.close()
        return suspects

    def alone(self, item: Item) -> Result | Died:
        """The answer of an item that runs alone, so that only this item can have killed the process.

        It is the second try: the first death may be due to another process or to other items that used the memory.
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
def _loky_key_error_ignored() -> Iterator[None]:
    """Ignore a KeyError of loky's thread, which it may raise for a cancelled task when it is stopped early (loky 3.6).

    It has already ended the processes then, so nothing is lost.
    """
    before = threading.excepthook

    def hook(raised: threading.ExceptHookArgs) -> None:
        if raised.exc_type is not KeyError or raised.thread is None or raised.thread.name != "ExecutorManagerThread":
            before(raised)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


@contextmanager
def _sigint_held_back() -> Iterator[None]:
    """Hold Ctrl-C back until the processes that start here can be ended; these processes never receive it.

    The terminal sends Ctrl-C to all processes, but only this one must handle it.  The processes inherit the signal
    mask, so SIGINT is blocked in them from the start.  The mask is not enough in this process, because another thread
    without it may take the signal: a handler collects it, and only the main thread may set one.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Otherwise both trackers would be started below, and would reset the mask.  They ignore Ctrl-C and SIGTERM
    # themselves.  SIGHUP from a closing terminal would end them; a new tracker would warn about resources it does not
    # know.
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
