"""The three standard streams: handle closed ones, and encodings that lack a character."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from rnnshape.errors import Invalid, Problem, Unavailable

if TYPE_CHECKING:
    from rnnshape.scan.texts import Text


class _Closed(io.TextIOBase):
    """A stand-in for a closed standard output (``>&-``)."""

    encoding = "utf-8"

    def write(self, text: str) -> NoReturn:
        what = "standard output is closed: open it, or name a file with -o if the command has it"
        raise OSError(errno.EBADF, what)


def prepare() -> None:
    """Replace closed streams, and write a character that the encoding lacks as an escape (``\\xe9``).

    Formats with their own escapes (JSON, HTML, XML) use those.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # else the next opened file would get this number, and output would go into it
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def let_go() -> None:
    """Redirect standard output to /dev/null, because Python's last flush would fail with an error message."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # it has no descriptor, or is closed
        return


def code() -> Text:
    """The code on standard input: a module or a notebook.

    Raises:
        Invalid: it is too long, or not text.
        Unavailable: standard input is closed.
    """
    from rnnshape.scan.texts import MAX_BYTES, NotRead, of_bytes

    if sys.stdin is None:
        raise Unavailable("standard input is closed", "give the code as an argument, or pipe it in")
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Invalid([Problem("EXPR -", f"standard input has more than {MAX_BYTES:,} bytes")])
    try:
        return of_bytes(data, "<stdin>")
    except NotRead as error:
        raise Invalid([Problem("EXPR -", f"standard input is not read: {error}")]) from None
