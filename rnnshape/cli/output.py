"""The destination of the answer, the messages on standard error, and the end of a command.

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

from rnnshape.cli import signals
from rnnshape.cli.streams import let_go
from rnnshape.errors import INTERRUPTED, OK, UNAVAILABLE, Internal, Invalid, Problem, RnnshapeError, foreseen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def destination(path: str | None) -> Iterator[TextIO]:
    """The stream to write the answer to: standard output or a file, which is written completely or not at all.

    It is opened before a layer runs, so that a missing folder is reported at once.  The answer goes to a temporary
    file in the same folder, which replaces ``path`` at the end; if the command ends early, ``path`` is unchanged.
    Mode, owner (if permitted) and symbolic links are kept.  Anything but a regular file (``/dev/stderr``, a named
    pipe) is written to directly.

    Raises:
        OSError: the file cannot be written; the error has the path that the user gave.
    """
    if path is None or path == "-" or _is_stdout(path):
        sys.stdout.write("")  # fails now if standard output is closed
        yield sys.stdout
        sys.stdout.flush()
        return
    existing = _stat(path)
    with _naming(path):
        if existing is None or stat.S_ISREG(existing.st_mode):
            with _replacing(path, existing) as stream:
                yield stream
        else:
            with Path(path).open("w", encoding="utf-8", errors="backslashreplace") as stream:
                yield stream


@contextlib.contextmanager
def _replacing(path: str, existing: os.stat_result | None) -> Iterator[TextIO]:
    """A new file that replaces ``path`` once it is complete."""
    target = Path(os.path.realpath(path))
    if existing is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    if path.endswith(_SLASHES):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    handle, temporary = _new_file(target, path)
    try:
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:  # noqa: PTH123  a descriptor
            yield stream
            signals.again()
            stream.flush()
            temporary = temporary or _named(handle, target.parent)
        _set_mode(temporary, existing)
        temporary.replace(target)
    except BaseException:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise


def not_over(path: str | None, sources: Iterable[str]) -> None:
    """Check that the answer does not overwrite one of its sources (``-`` is standard input).

    Raises:
        Invalid: the path is one of the sources.
    """
    existing = None if path is None else _stat(path)
    if existing is not None and stat.S_ISREG(existing.st_mode) and any(_same(existing, source) for source in sources):
        raise Invalid([Problem(f"--output-file {path}", "is an input of this command: give another name")])


def _same(existing: os.stat_result, source: str) -> bool:
    """Whether a source is this file."""
    # The source does not exist, or is a standard input that is not a file.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return os.path.samestat(existing, os.fstat(sys.stdin.fileno()) if source == "-" else Path(source).stat())
    return False


def _is_stdout(path: str) -> bool:
    """Whether the path is standard output itself (``/dev/stdout``); replacing that file would lose its content."""
    try:
        return os.path.samestat(Path(path).stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # one of them is not a file
        return False


@contextlib.contextmanager
def _naming(path: str) -> Iterator[None]:
    """Within this context, add the path to errors of a full disk; a write to a descriptor does not know it."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            raise type(error)(error.errno, error.strerror, path) from None
        raise


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_SLASHES = tuple(filter(None, (os.sep, os.altsep)))


def _new_file(target: Path, path: str) -> tuple[int, Path | None]:
    """A new file in the folder of the target, and its path; None if the system supports unnamed files.

    An unnamed file disappears with its process, even if that is killed.

    Raises:
        OSError: no file can be created there; the error has the path that the user gave.
    """
    if hasattr(os, "O_TMPFILE") and Path(_OWN_FILES).is_dir():
        with contextlib.suppress(OSError):  # not every file system supports it
            return os.open(target.parent, os.O_TMPFILE | os.O_RDWR, 0o600), None
    try:
        handle, temporary = tempfile.mkstemp(prefix=_PREFIX, dir=target.parent)
    except OSError as error:
        # Report the user's path, not that of the temporary file.
        raise type(error)(error.errno, error.strerror, path) from None
    return handle, Path(temporary)


_OWN_FILES = "/proc/self/fd"
_PREFIX = ".rnnshape-"


def _named(handle: int, folder: Path) -> Path:
    """Give the unnamed file a name in the folder; only a named file can replace another."""
    temporary = folder / f"{_PREFIX}{secrets.token_hex(8)}"
    directory = os.open(folder, os.O_RDONLY)  # without src_dir_fd, link() would link the entry in /proc itself
    try:
        os.link(f"{_OWN_FILES}/{handle}", temporary, src_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(directory)
    return temporary


def _stat(path: str) -> os.stat_result | None:
    """The status of the file, None if it does not exist; an invalid name raises OSError."""
    try:
        return Path(path).stat()
    except FileNotFoundError:
        return None


def _set_mode(temporary: Path, existing: os.stat_result | None) -> None:
    """Give the new file the mode and owner of the file that it replaces, else the default mode."""
    if existing is None:
        temporary.chmod(0o666 & ~_umask())
        return
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(temporary, existing.st_uid, existing.st_gid)
    temporary.chmod(stat.S_IMODE(existing.st_mode))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def clean_ending() -> Iterator[None]:
    """Turn an exception into an exit code and one clear line, never a traceback."""
    try:
        try:
            yield
        except Exception:
            signals.again()
            raise
    except RnnshapeError as error:
        say(error)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        note("interrupted")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader closed the pipe (``| head -1``).
        let_go()
        raise SystemExit(OK) from None
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            let_go()
            error.filename = "standard output"
        say(foreseen(error))
        raise SystemExit(UNAVAILABLE) from None
    except Exception as error:  # noqa: BLE001  a bug is reported in one line too
        unexpected = foreseen(error)
        say(unexpected)
        raise SystemExit(unexpected.exit_code) from None


def note(text: str) -> None:
    """Write a line to standard error."""
    _tell(f"rnnshape: {text}")


def _tell(text: str) -> None:
    """Write text to standard error; on a terminal, long lines break between words, except quoted source lines."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    if columns := _columns():
        lines = (line if _SOURCE.match(line) else _wrapped(line, columns) for line in text.split("\n"))
        text = "\n".join(lines)
    print(text, file=sys.stderr)


def _wrapped(line: str, columns: int) -> str:
    return textwrap.fill(line, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _columns() -> int | None:
    """The width of the terminal on standard error; None if it is not a terminal."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


# Characters that move the cursor or change colours or text direction; a file name can contain them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SOURCE = re.compile(r"\s*[0-9]* \|")


def say(error: RnnshapeError) -> None:
    """Write an error to standard error, each problem on its own line."""
    if isinstance(error, Invalid):
        for problem in error.problems:
            note(f"error: {problem.key}: {problem.message}" if problem.key else f"error: {problem.message}")
            if error.text is not None and problem.span is not None:
                from rnnshape.reading.places import SHOWN_COLUMNS, underlined

                # The shown part has four blanks before it and dots on both sides.
                columns = min(SHOWN_COLUMNS, (_columns() or sys.maxsize) - len("    ......"))
                print(underlined(error.text, problem.span, columns), file=sys.stderr)
        return
    if error.kind == "unreadable":  # each mistake already starts with its file, line and column
        _tell(error.message)
        return
    hint = error.hint
    if isinstance(error, Internal):
        from rnnshape.versions import report_it

        hint = hint or report_it(shlex.join(["rnnshape", *sys.argv[1:]]))
    note(f"error: {error.message}")
    if hint:
        note(f"hint: {hint}")
    if isinstance(error, Internal) and "--verbose" in sys.argv:  # the error may come before the flags are read
        show_trace(error.trace)


def show_trace(trace: str) -> None:
    """Print the traceback of an internal error."""
    print(trace, end="", file=sys.stderr)
