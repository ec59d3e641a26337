"""Verify the latest question in a separate process, which loads TensorFlow once.

>>> from rnnshape.reading import make
>>> Verifier(print).ask(make("lstm", {}), step=1)                                    # doctest: +SKIP
Loading()
Ready(seconds=2.9)
Verified(step=1, report=Report(...), seconds=0.04)

It is a process, not a thread: loading TensorFlow in the explorer's process would block the interface, and a crash of
TensorFlow would end it.  Pipes carry pickles both ways.  The process ends when its pipe is closed, even if the explorer
is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from queue import SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING

from rnnshape.explorer.news import Died, Loading, Missing, Ready, Verified, read, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.explorer.news import News
    from rnnshape.spec import Spec

PATIENCE_S = 2.0
"""How long an outdated question may delay the latest one."""
_MOST_DEATHS = 3
_START = "from rnnshape.explorer.verifier import serve; serve()"


class Verifier:
    """Starts the process and talks to it.

    ``tell`` receives the news, in the verifier's own thread.  Only the latest question counts: it replaces a waiting
    one, and the answer to an outdated one is dropped.  If the process works on an outdated question for longer than
    ``PATIENCE_S``, it is killed and another one is started.
    """

    def __init__(self, tell: Callable[[News], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._closed = False
        self._last: Spec | None = None
        self._wanted: tuple[Spec, int] | None = None
        self._running: int | None = None
        self._again: int | None = None
        self._ended_stale = False
        self._ready = False
        self._timer: threading.Timer | None = None
        self._process = _start_process()
        self._reader = threading.Thread(target=self._listen, name="verifier", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The id of the current process."""
        return self._process.pid

    def ask(self, spec: Spec, step: int) -> None:
        """Ask to verify a Spec; its answer has the same ``step``."""
        with self._lock:
            self._wanted, self._again = (spec, step), None
            if self._running is None:
                self._send()
            elif self._timer is None:
                self._timer = threading.Timer(PATIENCE_S, self._end_stale, [self._process, self._running])
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._closed = True
            self._cancel_timer()
            process = self._process
        process.kill()
        self._reader.join(timeout=2)  # it may be blocked in tell(), waiting for this thread

    # -- sending, with the lock held --------------------------------------------------------------

    def _send(self) -> None:
        """Send the waiting question, if the process is ready."""
        if self._wanted is None or not self._ready or self._closed:
            return
        (spec, step), self._wanted = self._wanted, None
        self._running = step
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # the process died; the reader thread handles that
            write(self._process.stdin, (spec, step))
        self._last = spec

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_stale(self, process: subprocess.Popen[bytes], step: int) -> None:
        with self._lock:
            if process is self._process and self._running == step and self._wanted is not None:
                self._ended_stale = True
                process.kill()

    # -- receiving, in the reader's thread --------------------------------------------------------

    def _listen(self) -> None:
        deaths = 0
        while True:
            self._tell(Loading())
            for news in self._heard():
                if isinstance(news, Missing):
                    self._clean_up()
                    self._tell(news)
                    return
                deaths = 0
                self._take(news)
            with self._lock:
                died = self._clean_up()
                if self._closed:
                    return
                deaths += not self._ready
                self._ready = False
                if deaths < _MOST_DEATHS:
                    self._process = _start_process()
            if deaths >= _MOST_DEATHS:
                message = "" if died is None else f": {died.message}"
                self._tell(Missing(f"the process that loads TensorFlow keeps dying{message}"))
                return
            if died is not None:
                self._tell(died)

    def _heard(self) -> Iterator[News]:
        """The news of one process until it ends."""
        stream = self._process.stdout
        assert stream is not None
        while (news := read(stream)) is not None:
            yield news

    def _take(self, news: News) -> None:
        with self._lock:
            replaced = self._wanted is not None
            if isinstance(news, Ready):
                self._ready = True
            else:
                self._running = None
                self._cancel_timer()
            self._send()
            silent = self._closed or (isinstance(news, Verified) and replaced)
        if not silent:
            self._tell(news)

    def _clean_up(self) -> Died | None:
        """Clean up after a process; return the news of its death, None if this class killed it as outdated."""
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):  # unsent data is lost
                stream.close()
        step, self._running = self._running, None
        self._cancel_timer()
        if self._ended_stale:
            self._ended_stale = False
            return None
        if step is not None and self._last is not None and self._wanted is None and self._again != step:
            # Ask once more: the cause may have been outside the process.
            self._wanted, self._again = (self._last, step), step
        said = f"signal {-code}" if code < 0 else f"exit code {code}"
        with contextlib.suppress(ValueError):
            said = signal.Signals(-code).name if code < 0 else said
        return Died(step, said)


def _start_process() -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C does not reach and that does not write to the screen."""
    return subprocess.Popen(  # noqa: S603  the command is ours
        [sys.executable, "-P", "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


# -- the process ----------------------------------------------------------------------------------------------------


def serve() -> None:
    """Load TensorFlow, then verify each question until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # TensorFlow's output must not mix with the pickles
    questions: SimpleQueue[tuple[Spec, int]] = SimpleQueue()
    threading.Thread(target=_read_into, args=[questions], daemon=True).start()
    news = _loaded()
    write(answers, news)
    if isinstance(news, Missing):
        return
    from rnnshape import api

    while True:
        spec, step = questions.get()
        began = perf_counter()
        report = api.explore(spec)
        write(answers, Verified(step, report, perf_counter() - began))


def _loaded() -> Ready | Missing:
    from rnnshape.errors import RnnshapeError
    from rnnshape.lab.tensorflow import load

    began = perf_counter()
    try:
        load()
    except RnnshapeError as error:
        return Missing(error.message)
    return Ready(perf_counter() - began)


def _read_into(questions: SimpleQueue[tuple[Spec, int]]) -> None:
    """Read the questions in a thread, and exit the process when the pipe is closed."""
    while (question := read(sys.stdin.buffer)) is not None:
        questions.put(question)
    os._exit(0)
