"""The messages of the verifying process, and functions that send them through a pipe as pickles.

>>> from io import BytesIO
>>> pipe = BytesIO()
>>> write(pipe, Ready(2.9))
>>> _ = pipe.seek(0)
>>> read(pipe), read(pipe)
(Ready(seconds=2.9), None)
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from rnnshape.report import Report


@dataclass(frozen=True, slots=True)
class Loading:
    """TensorFlow is being loaded."""


@dataclass(frozen=True, slots=True)
class Ready:
    """TensorFlow is loaded."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Verified:
    """The verified answer of a step; an error of Keras is part of the report."""

    step: int
    report: Report
    seconds: float


@dataclass(frozen=True, slots=True)
class Missing:
    """TensorFlow is missing or cannot be loaded: nothing will be verified."""

    message: str


@dataclass(frozen=True, slots=True)
class Died:
    """The process died at this step; another one has been started."""

    step: int | None
    message: str


News: TypeAlias = Loading | Ready | Verified | Missing | Died


def write(stream: IO[bytes], message: object) -> None:
    """Send a message."""
    pickle.dump(message, stream)
    stream.flush()


def read(stream: IO[bytes]) -> Any:
    """The next message; None if the other side has ended, even in the middle of a message."""
    try:
        return pickle.load(stream)  # noqa: S301  both ends are this program
    except (EOFError, OSError, ValueError, pickle.UnpicklingError):
        return None
