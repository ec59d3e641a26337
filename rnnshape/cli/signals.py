"""What ends a command from outside: Ctrl-C, SIGTERM and SIGHUP.

Ctrl-C is Python's KeyboardInterrupt.  The other two raise SystemExit in the same way, so that temporary files and
workers go as they do at any other end.  What was ignored from the start (``nohup``) stays ignored.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_FROM_A_SHELL = 128
"""An exit code says by which signal: 128 and its number."""
_TOGETHER_S = 1.0
"""A terminal that closes sends SIGHUP twice, the kernel's and the shell's: so long one is the echo of another."""


@contextmanager
def at_once() -> Iterator[None]:
    """Meanwhile Ctrl-C ends the process where it stands: there is nothing to clean up.

    An import that is interrupted says what it likes: it may turn the KeyboardInterrupt into an error of its own.
    """
    if not _hears(signal.SIGINT, signal.default_int_handler):
        yield
        return
    _end_at_once()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def unwinding() -> Iterator[None]:
    """Meanwhile SIGTERM and SIGHUP raise SystemExit with their exit code; a second one ends the process."""
    heard = [number for number in _ENDS if _hears(number, signal.SIG_DFL)]
    began: list[float] = []

    def end(number: int, frame: FrameType | None) -> None:
        if not began:
            began.append(time.monotonic())
            raise SystemExit(_FROM_A_SHELL + number)
        if time.monotonic() - began[0] > _TOGETHER_S:
            os._exit(_FROM_A_SHELL + number)

    for number in heard:
        signal.signal(number, end)
    _quiet_exit()
    try:
        yield
    finally:
        for number in heard:
            if not began:
                signal.signal(number, signal.SIG_DFL)


_ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _hears(number: signal.Signals, handler: object) -> bool:
    """Whether the signal is handled like this; only the main thread may change that."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(number) is handler


def _end_at_once() -> None:
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(_FROM_A_SHELL + number))


@cache
def _quiet_exit() -> None:
    """When the answer is written, Ctrl-C finds Python taking its modules down: that is nobody's traceback."""

    def quiet() -> None:
        if _hears(signal.SIGINT, signal.default_int_handler):
            _end_at_once()

    atexit.register(quiet)
