"""The error of an answer, as data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Internal
from rnnshape.report.environment import running

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.errors import RnnshapeError


@dataclass(frozen=True, slots=True)
class Error:
    """Why there is no observation.  ``kind`` is one of the words of ``rnnshape.errors``.

    ``trace`` is the traceback of an internal error, for who looks for the bug; it is no part of the data.
    """

    kind: str
    message: str
    hint: str | None
    exit_code: int
    trace: str = field(default="", compare=False)

    @classmethod
    def of(cls, error: RnnshapeError, hint: str | None = None, *, run: Mapping[str, Any] | None = None) -> Error:
        """The error as data; an internal one says what to report, the ``run`` that met it among that."""
        if isinstance(error, Internal):
            return cls(error.kind, error.message, error.hint or report_it(run), error.exit_code, error.trace)
        return cls(error.kind, error.message, error.hint or hint, error.exit_code)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


def report_it(asked: Mapping[str, Any] | str | None) -> str:
    """What to say where a bug of rnnshape is reported: the versions, and the run as data or the command."""
    versions = ", ".join(f"{name} {version}" for name, version in running().items())
    said = asked if isinstance(asked, str) else json.dumps(asked, default=str)
    return f"please report this line, the versions ({versions}) and the request: {said}"
