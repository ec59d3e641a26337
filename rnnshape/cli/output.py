"""Where the answer goes, and how a command ends.

Standard output carries the answer only; notes and errors go to standard error.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shlex
import stat
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rnnshape.cli.streams import let_go
from rnnshape.errors import INTERRUPTED, OK, UNAVAILABLE, Internal, Invalid, Problem, RnnshapeError, foreseen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def destination(path: str | None) -> Iterator[TextIO]:
    """The stream to write the answer to: standard output, or a file that is whole or not there.

    It is opened before a layer runs: a folder that is missing is told at once.  A file is written beside its place
    and takes it at the end, so whatever ends the command before leaves what stood there.  It keeps the mode of what
    stood there, and the owner where that is allowed; a link stays one.  What is no ordinary file (``/dev/stderr``,
    a named pipe) is written to directly.

    Raises:
        OSError: it cannot be written, with the path that was asked for.
    """
    if path is None or path == "-" or _is_stdout(path):
        sys.stdout.write("")  # is it there?
        yield sys.stdout
        sys.stdout.flush()
        return
    stood = _stat(path)
    with _naming(path):
        if stood is None or stat.S_ISREG(stood.st_mode):
            with _replacing(path, stood) as stream:
                yield stream
        else:
            with Path(path).open("w", encoding="utf-8", errors="backslashreplace") as stream:
                yield stream


@contextlib.contextmanager
def _replacing(path: str, stood: os.stat_result | None) -> Iterator[TextIO]:
    """A new file that takes the place of this one once it is whole."""
    target = Path(os.path.realpath(path))
    if stood is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    if path.endswith(_SLASHES):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    handle, beside = _opened_beside(target, path)
    try:
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:  # noqa: PTH123  a descriptor
            yield stream
            stream.flush()
            beside = beside or _with_a_name(handle, target.parent)
        _dress(beside, stood)
        beside.replace(target)
    except BaseException:
        if beside is not None:
            beside.unlink(missing_ok=True)
        raise


def not_over(path: str | None, sources: Iterable[str]) -> None:
    """Nothing, where the answer does not go where the question comes from.

    Raises:
        Invalid: the path is that of one of the sources; ``-`` is standard input.
    """
    stood = None if path is None else _stat(path)
    if stood is not None and stat.S_ISREG(stood.st_mode) and any(_same(stood, source) for source in sources):
        raise Invalid([Problem(f"--output-file {path}", "is read for this answer: give another name")])


def _same(stood: os.stat_result, source: str) -> bool:
    """Whether a source is this file."""
    with contextlib.suppress(
        OSError, ValueError, AttributeError
    ):  # it is not there, or a standard input that is no file
        return os.path.samestat(stood, os.fstat(sys.stdin.fileno()) if source == "-" else Path(source).stat())
    return False


def _is_stdout(path: str) -> bool:
    """Whether this is what standard output is already (``/dev/stdout``): to replace it would lose what is there."""
    try:
        return os.path.samestat(Path(path).stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # one of them is no file
        return False


@contextlib.contextmanager
def _naming(path: str) -> Iterator[None]:
    """Meanwhile a disk that is full is an error with the path: who writes to a descriptor does not say to which."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            raise type(error)(error.errno, error.strerror, path) from None
        raise


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_SLASHES = tuple(filter(None, (os.sep, os.altsep)))


def _opened_beside(target: Path, path: str) -> tuple[int, Path | None]:
    """A new file in the folder of the target, whose name may be as long as a name can be; without one where it can be.

    A file without a name is gone with its process, whatever ends that.

    Raises:
        OSError: the answer could not take the target's place, with the path that was asked for.
    """
    if hasattr(os, "O_TMPFILE") and Path(_OWN_FILES).is_dir():
        with contextlib.suppress(OSError):  # not every file system has them
            return os.open(target.parent, os.O_TMPFILE | os.O_RDWR, 0o600), None
    try:
        handle, beside = tempfile.mkstemp(prefix=_PREFIX, dir=target.parent)
    except OSError as error:
        # It is not the file beside that was asked for.
        raise type(error)(error.errno, error.strerror, path) from None
    return handle, Path(beside)


_OWN_FILES = "/proc/self/fd"
_PREFIX = ".rnnshape-"


def _with_a_name(handle: int, folder: Path) -> Path:
    """The file without a name, beside its place: one that has none cannot take the place of another."""
    beside = folder / f"{_PREFIX}{secrets.token_hex(8)}"
    nowhere = os.open(folder, os.O_RDONLY)  # link() alone would link the entry of /proc and not the file behind it
    try:
        os.link(f"{_OWN_FILES}/{handle}", beside, src_dir_fd=nowhere, follow_symlinks=True)
    finally:
        os.close(nowhere)
    return beside


def _stat(path: str) -> os.stat_result | None:
    """What stands there, None if nothing does; a name that cannot be one is an OSError."""
    try:
        return Path(path).stat()
    except FileNotFoundError:
        return None


def _dress(beside: Path, stood: os.stat_result | None) -> None:
    """Give the new file the mode and the owner of the one that it replaces, or what any new file has."""
    if stood is None:
        beside.chmod(0o666 & ~_umask())
        return
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(beside, stood.st_uid, stood.st_gid)
    beside.chmod(stat.S_IMODE(stood.st_mode))


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
        # The reader has gone (``| head -1``) and wants no more.
        let_go()
        raise SystemExit(OK) from None
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            let_go()
            error.filename = "standard output"
        say(foreseen(error))
        raise SystemExit(UNAVAILABLE) from None
    except Exception as error:  # noqa: BLE001  nobody foresaw it: it is one line all the same
        told = foreseen(error)
        say(told)
        raise SystemExit(told.exit_code) from None


def note(text: str) -> None:
    """A line on standard error."""
    _tell(f"rnnshape: {text}")


def _tell(text: str) -> None:
    """Text on standard error; on a terminal long lines break between words, except lines of source under a caret."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    if columns := _columns():
        lines = (line if _SOURCE.match(line) else _wrapped(line, columns) for line in text.split("\n"))
        text = "\n".join(lines)
    print(text, file=sys.stderr)


def _wrapped(line: str, columns: int) -> str:
    return textwrap.fill(line, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _columns() -> int | None:
    """The width of the terminal that standard error is, None where it is none."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


# What would move the cursor, change its colours or turn the direction of the text: the name of a file may hold it.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SOURCE = re.compile(r"\s*[0-9]* \|")


def say(error: RnnshapeError) -> None:
    """An error for people, every problem on its own line."""
    if isinstance(error, Invalid):
        for problem in error.problems:
            note(f"error: {_place(problem)}{problem.message}")
            if error.text is not None and problem.span is not None:
                from rnnshape.reading.places import SHOWN_COLUMNS, underlined

                # Beside the window stand four blanks and the dots of what is left out.
                columns = min(SHOWN_COLUMNS, (_columns() or sys.maxsize) - len("    ......"))
                print(underlined(error.text, problem.span, columns), file=sys.stderr)
        return
    if error.kind == "unreadable":  # every mistake already begins with its file, line and column
        _tell(error.message)
        return
    hint = error.hint
    if isinstance(error, Internal):
        from rnnshape.versions import report_it

        hint = hint or report_it(shlex.join(["rnnshape", *sys.argv[1:]]))
    note(f"error: {error.message}")
    if hint:
        note(f"hint: {hint}")
    if isinstance(error, Internal) and "--verbose" in sys.argv:  # it may have come before the flags were read
        show_trace(error.trace)


def show_trace(trace: str) -> None:
    """The traceback of an internal error, for who looks for the bug."""
    print(trace, end="", file=sys.stderr)


def _place(problem: Problem) -> str:
    return f"{problem.key}: " if problem.key else ""
