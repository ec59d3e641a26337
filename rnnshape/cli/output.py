"""Where the answer goes, and how a command ends.

Standard output carries the answer only; notes and errors go to standard error.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rnnshape.errors import INTERRUPTED, UNAVAILABLE, Invalid, RnnshapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.errors import Problem


@contextlib.contextmanager
def destination(path: str | None) -> Iterator[TextIO]:
    """The stream to write the answer to: standard output, or a file that is whole or not there.

    A file is written beside its place and then renamed, so a full disk or Ctrl-C leaves what stood
    there before.  What is no ordinary file (``/dev/stderr``, a named pipe) is written to directly.
    """
    if path is None or path == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    target = Path(path)
    if target.exists() and not target.is_file():
        with target.open("w", encoding="utf-8") as stream:
            yield stream
        return
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        # It is not the file beside that was asked for.
        raise type(error)(error.errno, error.strerror, str(target)) from None
    try:
        with open(handle, "w", encoding="utf-8") as stream:  # noqa: PTH123  an open descriptor, no path
            yield stream
        Path(beside).chmod(0o666 & ~_umask())
        Path(beside).replace(target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def clean_ending() -> Iterator[None]:
    """Turn what ends a command early into its exit code and one clear line, never a traceback."""
    try:
        yield
    except RnnshapeError as error:
        say(error)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        note("interrupted")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader has gone (``| head -1``) and wants no more.  Python would flush once more at
        # its end and complain.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        note(f"error: {where}{error.strerror or error}")
        raise SystemExit(UNAVAILABLE) from None


def note(text: str) -> None:
    """A line on standard error."""
    print(f"rnnshape: {text}", file=sys.stderr)


def say(error: RnnshapeError) -> None:
    """An error for people, every problem on its own line."""
    if isinstance(error, Invalid):
        for problem in error.problems:
            note(f"error: {_place(problem)}{problem.message}")
            if error.text is not None and problem.span is not None:
                print(underlined(error.text, problem.span), file=sys.stderr)
        return
    if error.kind == "unreadable":  # every mistake already begins with its file, line and column
        print(error.message, file=sys.stderr)
        return
    note(f"error: {error.message}")
    if error.hint:
        note(f"hint: {error.hint}")


def _place(problem: Problem) -> str:
    return f"{problem.key}: " if problem.key else ""


def underlined(text: str, span: tuple[int, int]) -> str:
    """The line of the text that the span begins in, with ``^~~~`` under the span.

    >>> print(underlined("LSTM(8, unit=3)", (8, 12)))
        LSTM(8, unit=3)
                ^~~~
    """
    from rich.cells import cell_len

    begin = text.rfind("\n", 0, span[0]) + 1
    line = text[begin:].split("\n", 1)[0]
    start = span[0] - begin
    length = max(1, min(span[1] - begin, len(line)) - start)
    # A window of a long line, so that the caret stands on the screen.
    cut = max(0, start - _SHOWN // 2)
    window = line[cut : cut + _SHOWN]
    lead = "…" if cut else ""
    length = min(length, len(window) - (start - cut)) or 1
    # Wide characters take two cells; a tab is shown as one blank.
    before = cell_len(lead + window[: start - cut].replace("\t", " "))
    under = cell_len(window[start - cut : start - cut + length].replace("\t", " ")) or 1
    tail = "…" if len(line) > cut + _SHOWN else ""
    return f"    {lead}{window}{tail}".replace("\t", " ") + "\n    " + " " * before + "^" + "~" * (under - 1)


_SHOWN = 100
