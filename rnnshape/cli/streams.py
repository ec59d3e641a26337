"""The three standard streams, made such that nobody falls over one that is closed, or that cannot say é."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from rnnshape.errors import Invalid, Problem, Unavailable

if TYPE_CHECKING:
    from rnnshape.scan.texts import Text

_MOST_BYTES = 16 * 2**20
"""As of a file of code: notebooks hold pictures."""


class _Closed(io.TextIOBase):
    """Standard output that is not there (``>&-``)."""

    encoding = "utf-8"

    def write(self, text: str) -> NoReturn:
        what = "standard output is closed: open it, or name a file with -o where the command takes it"
        raise OSError(errno.EBADF, what)


def prepare() -> None:
    """Close the gaps, and let a character that the encoding lacks become an escape (``\\xe9``).

    Formats that have an escape of their own use that: JSON, and what is markup.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # the next file to be opened would take the number, and what is said with it
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  as long as the process is
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def let_go() -> None:
    """Turn standard output to nowhere: Python would flush it once more at its end, and complain."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # it has no descriptor, or is closed
        return


def code() -> Text:
    """All of standard input, as code: that of a module, or of a notebook.

    Raises:
        Invalid: it is too long, or is no text.
        Unavailable: it is closed.
    """
    from rnnshape.scan.texts import NotRead, of_bytes

    if sys.stdin is None:
        raise Unavailable("standard input is closed", "give the code as an argument, or pipe it in")
    data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise Invalid([Problem("EXPR -", f"standard input holds more than {_MOST_BYTES:,} bytes")])
    try:
        return of_bytes(data, "<stdin>")
    except NotRead as error:
        raise Invalid([Problem("EXPR -", f"standard input is not read: {error}")]) from None
