"""Runs the items in several processes of this machine.

The processes are loky's, never forked: a fork after TensorFlow has run hangs.
"""

from __future__ import annotations

import atexit
import os
import re
import signal
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import cache, partial
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from loky import cpu_count, get_reusable_executor, process_executor
from loky.backend import resource_tracker as lokys_tracker
from loky.process_executor import TerminatedWorkerError

from rnnshape.batch.died import Died

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 8
"""Items per process that are submitted at a time, so that no process waits while an answer is read."""
_IDLE_S = 300
"""Seconds after which a process without work ends."""
_FEEDER_S = 1.0
"""Seconds to wait for a thread that may be sending a large item to a process that has ended."""
_LOOK_S = 1.0
"""Seconds between a worker's checks that its parent process is alive."""
_END: Any = object()


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


class _Stream(Generic[Item, Result]):
    def __init__(self, function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> None:
        self.task = partial(_held, function, max(1, cpu_count() // jobs), os.getpid(), _folder())
        self.source = iter(items)
        self.jobs = jobs
        self.ahead: deque[tuple[Item, Future[Result | Died]]] = deque()  # submitted, and not returned yet

    def all(self) -> Generator[Result | Died]:
        """Every answer in order, or ``Died`` for an item without one."""
        self.start()
        try:
            while True:
                self.submit_more()
                if not self.ahead:
                    return
                try:
                    answer = self.ahead[0][1].result()
                except TerminatedWorkerError:
                    self.answer_lost()
                    answer = self.ahead[0][1].result()
                self.ahead.popleft()
                yield answer
        finally:
            if self.ahead:
                self.executor.shutdown(kill_workers=True)

    def start(self) -> None:
        """Take the processes of the last call, or new ones if they are dead."""
        with _sigint_held_back():
            self.executor = get_reusable_executor(self.jobs, timeout=_IDLE_S)

    def submit_more(self) -> None:
        """Submit items until an answer is ready, because the next item may come late (from a pipe)."""
        while len(self.ahead) < _AHEAD * self.jobs and not (self.ahead and self.ahead[0][1].done()):
            item = next(self.source, _END)
            if item is _END:
                return
            self.ahead.append((item, self.submitted(item)))

    def submitted(self, item: Item) -> Future[Result | Died]:
        future: Future[Result | Died]
        try:
            with _sigint_held_back():
                future = self.executor.submit(self.task, item)
        except TerminatedWorkerError as error:  # the processes have just died, so this item is lost too
            future = Future()
            future.set_exception(error)
        return future

    def answer_lost(self) -> None:
        """Answer the items that may have killed the process; submit the other lost ones again.

        loky does not say which item is to blame, and every item without an answer is lost.  The processes take the
        items in order, each one at a time, so the first ones were running.
        """
        ahead = list(self.ahead)
        errors = [future.exception() for _, future in ahead]
        lost = [index for index, error in enumerate(errors) if isinstance(error, TerminatedWorkerError)]
        for index in lost[: self.jobs]:
            item, _ = ahead[index]
            ahead[index] = item, self.alone(item)
        self.start()
        for index in lost[self.jobs :]:
            item, _ = ahead[index]
            ahead[index] = item, self.submitted(item)
        self.ahead = deque(ahead)

    def alone(self, item: Item) -> Future[Result | Died]:
        """The answer of an item that runs alone, so that only this item can have killed the process.

        It is the second try: the first death may be due to another process or to other items that used the memory.
        """
        self.start()
        future = self.submitted(item)
        error = future.exception()
        if isinstance(error, TerminatedWorkerError):
            how = re.search(r"\w+\(-?\d+\)", str(error))
            future = Future()
            future.set_result(Died(f"the worker process died twice on this run{f', with {how[0]}' if how else ''}"))
        return future


@atexit.register
def _join_feeders() -> None:
    """Wait for the threads that sent items to the processes: loky 3.7 does not.

    Else Python may end while such a thread has removed a semaphore and not yet told the tracker, which then warns.
    """
    for thread in threading.enumerate():
        if thread.name == "QueueFeederThread":
            thread.join(_FEEDER_S)


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
