"""What can go wrong, told apart by whose turn it is to act.

Every error that a user can meet is one of four, and each has its exit code: what was asked is
wrong (2), Keras rejects what was asked (2), it cannot be done on this machine (3), or rnnshape
itself is wrong (1). They carry plain text only: the front end that knows the place (a flag, a column
of an expression, a line of a YAML file) says where.
"""

from __future__ import annotations

import traceback
from difflib import get_close_matches
from typing import TYPE_CHECKING

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
    """One thing that is wrong with what was asked.

    ``key`` names the argument or option (``"units"``), or is empty when the whole is meant;
    ``message`` says what is wrong and what is allowed.  Where the text is known that it was read
    from, ``span`` is the half-open range of characters to put a caret under.
    """

    key: str
    message: str
    span: tuple[int, int] | None = None


class RnnshapeError(Exception):
    """The base of every error that is shown to a user as one line, never as a traceback."""

    exit_code = INVALID
    kind = "invalid"

    def __init__(self, message: str, hint: str | None = None, *, kind: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if kind is not None:
            self.kind = kind


class Invalid(RnnshapeError):
    """What was asked is wrong; every problem at once.

    ``text`` is the source that the problems' spans point into, when there is one.
    """

    def __init__(self, problems: Iterable[Problem], text: str | None = None) -> None:
        self.problems = tuple(problems)
        self.text = text
        super().__init__("\n".join(problem.message for problem in self.problems))


class NoRule(RnnshapeError):
    """Theory has no rule for a class: one of the reader's own modules, which only the lab can look at."""

    kind = "no-rule"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"theory has no rule for {name}",
            "only the real layer shows what it returns: ask about it alone, without --predict",
        )


class Refused(RnnshapeError):
    """Keras itself rejects the layer; ``message`` is its own reason."""

    kind = "keras"


class Unavailable(RnnshapeError):
    """It cannot be done here: no GPU, not enough memory, TensorFlow missing or broken."""

    exit_code = UNAVAILABLE
    kind = "unavailable"


class Internal(RnnshapeError):
    """Nobody foresaw it: a bug of rnnshape.  ``trace`` is the traceback of the exception, as text."""

    exit_code = FAILED
    kind = "internal"
    trace = ""


def foreseen(error: Exception) -> RnnshapeError:
    """The error itself if it is one of ours, else what an exception means that nobody caught before.

    Memory and files can run out anywhere, and that is no bug.
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


def nearest(word: str, known: Iterable[str]) -> str:
    """``" (did you mean 'units'?)"``, or nothing when no known word is near."""
    known = list(known)
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f" (did you mean {by_lower[found[0]]!r}?)" if found else ""
