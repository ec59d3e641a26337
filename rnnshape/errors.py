"""The errors, by who has to act.

Every error is one of four, each with an exit code: the request is wrong (2), Keras rejects the layer (2), it is not
possible on this machine (3), or rnnshape has a bug (1).  Errors contain plain text only; the front end that knows the
place (a flag, a column of an expression, a line of a YAML file) adds it.
"""

from __future__ import annotations

import traceback
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

OK = 0
FAILED = 1
INVALID = 2
UNAVAILABLE = 3
HUNG_UP = 129
INTERRUPTED = 130
TERMINATED = 143

EXIT_CODES = {
    OK: "every answer is ok",
    FAILED: "a check, an agreement or an expectation failed, or rnnshape itself (an error of kind internal)",
    INVALID: "the request is wrong: a flag, an expression or a file",
    UNAVAILABLE: (
        "not possible on this machine: a required GPU is missing, not enough memory, or TensorFlow is missing or broken"
    ),
    HUNG_UP: "ended by SIGHUP: the terminal was closed",
    INTERRUPTED: "interrupted; the finished answers were printed in full",
    TERMINATED: "ended by SIGTERM",
}
"""What each exit code means."""


class Problem(Struct, frozen=True):
    """One problem of a request.

    ``key`` is the name of the argument or option (``"units"``); empty if the problem is about the whole request.
    ``message`` says what is wrong and what is allowed.  ``span`` is the half-open range of characters in the source
    text, if that is known.
    """

    key: str
    message: str
    span: tuple[int, int] | None = None


class RnnshapeError(Exception):
    """The base class of errors that a user sees as one line, never as a traceback."""

    exit_code = INVALID
    kind = "invalid"

    def __init__(self, message: str, hint: str | None = None, *, kind: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if kind is not None:
            self.kind = kind


class Invalid(RnnshapeError):
    """The request is wrong; it has every problem at once.

    ``text`` is the source text of the spans of the problems, if there is one; ``others`` are the questions of the same
    text that have no problem.
    """

    def __init__(self, problems: Iterable[Problem], text: str | None = None, others: Iterable[Any] = ()) -> None:
        self.problems = tuple(problems)
        self.text = text
        self.others = tuple(others)
        super().__init__("\n".join(problem.message for problem in self.problems))


class NoRule(RnnshapeError):
    """Theory has no rule for a class of the user's own modules; only the lab can run it."""

    kind = "no-rule"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"theory has no rule for {name}",
            "only the real layer shows what it returns: ask about it alone, without --predict",
        )


class Refused(RnnshapeError):
    """Keras rejects the layer; ``message`` is the message of Keras."""

    kind = "keras"


class Unavailable(RnnshapeError):
    """It is not possible on this machine: no GPU, not enough memory, or TensorFlow is missing or broken."""

    exit_code = UNAVAILABLE
    kind = "unavailable"


class Internal(RnnshapeError):
    """An unexpected exception: a bug of rnnshape.  ``trace`` is its traceback, as text."""

    exit_code = FAILED
    kind = "internal"
    trace = ""


def foreseen(error: Exception) -> RnnshapeError:
    """The error for an exception: an RnnshapeError is returned as it is, any other one becomes a new error.

    A MemoryError or an OSError can occur anywhere and is not a bug; any other exception becomes ``Internal``.
    """
    if isinstance(error, RnnshapeError):
        return error
    if isinstance(error, MemoryError):
        return Unavailable("not enough memory", "make the layer or its input smaller", kind="memory")
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return Unavailable(f"{where}{error.strerror or error}")
    said = " ".join(f"{type(error).__name__}: {error}".split())
    internal = Internal(f"this is a bug of rnnshape: {said}")
    internal.trace = "".join(traceback.format_exception(error))
    return internal


def not_opened(error: OSError) -> str:
    """Why a file cannot be opened.  A wrong name is a typing error more often than a fault of the machine."""
    return "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"


def nearest(word: str, known: Iterable[str]) -> str:
    """``" (did you mean 'units'?)"``, or an empty text if no known word is similar or ends with ``_word``."""
    known = list(known)
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    found = found or [name for name in by_lower if name.endswith(f"_{word.lower()}")]
    return f" (did you mean {by_lower[found[0]]!r}?)" if found else ""
