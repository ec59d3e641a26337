"""The signals that end a command: Ctrl-C, SIGTERM and SIGHUP.

Ctrl-C raises Python's KeyboardInterrupt.  The other two raise SystemExit, so that temporary files are removed and
workers stopped as usual.  A signal that is ignored at the start (``nohup``) stays ignored.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_FROM_A_SHELL = 128
"""The exit code after a signal is 128 plus its number."""
_TOGETHER_S = 1.0
"""A closing terminal sends SIGHUP twice (kernel and shell); within this time the second one is ignored."""


@contextmanager
def at_once() -> Iterator[None]:
    """Within this context, Ctrl-C ends the process at once; there is nothing to clean up.

    A KeyboardInterrupt is not enough: a module that is being imported may turn it into another error.
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
    """Within this context, Ctrl-C raises KeyboardInterrupt; SIGTERM and SIGHUP raise SystemExit with their exit code.

    A second SIGTERM or SIGHUP ends the process at once.
    """
    heard = {number: before for number, before in _ENDS.items() if _hears(number, before)}
    _came.clear()

    def end(number: int, frame: FrameType | None) -> None:
        if not _came or number == signal.SIGINT:
            _came[:] = [(number, time.monotonic())]
            again()
        if time.monotonic() - _came[0][1] > _TOGETHER_S:
            os._exit(_FROM_A_SHELL + number)

    for number in heard:
        signal.signal(number, end)
    _quiet_exit()
    try:
        yield
    except SystemExit as ending:
        if not _came or ending.code != _FROM_A_SHELL + _came[0][0]:
            again()
        raise
    else:
        again()
    finally:
        for number, before in heard.items():
            if not _came or number == signal.SIGINT:
                signal.signal(number, before)


def again() -> None:
    """Raise the exception of a signal again, if one came.

    An import of TensorFlow may catch it, and then goes on, or fails with an exception of its own.
    """
    if _came and _came[0][0] == signal.SIGINT:
        raise KeyboardInterrupt
    if _came:
        raise SystemExit(_FROM_A_SHELL + _came[0][0])


_came: list[tuple[int, float]] = []
"""The signal that came, and when."""
_ENDS: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
if hasattr(signal, "SIGHUP"):  # not on Windows
    _ENDS[signal.SIGHUP] = signal.SIG_DFL


def _hears(number: signal.Signals, handler: object) -> bool:
    """Whether the signal has this handler and may be changed, which only the main thread may do."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(number) is handler


def _end_at_once() -> None:
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(_FROM_A_SHELL + number))


@cache
def _quiet_exit() -> None:
    """Avoid a traceback if Ctrl-C comes while Python shuts down."""

    def quiet() -> None:
        if _hears(signal.SIGINT, signal.default_int_handler):
            _end_at_once()

    atexit.register(quiet)
