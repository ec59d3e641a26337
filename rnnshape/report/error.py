"""The error of an answer, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnshape.errors import RnnshapeError


@dataclass(frozen=True, slots=True)
class Error:
    """Why there is no observation.  ``kind`` is one of the words of ``rnnshape.errors``."""

    kind: str
    message: str
    hint: str | None
    exit_code: int

    @classmethod
    def of(cls, error: RnnshapeError, hint: str | None = None) -> Error:
        return cls(error.kind, error.message, error.hint or hint, error.exit_code)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "message": self.message, "hint": self.hint}
