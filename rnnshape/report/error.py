"""The error of an answer, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rnnshape.errors import Internal
from rnnshape.form import Formed, formed
from rnnshape.versions import report_it

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.errors import RnnshapeError


@formed(
    "error",
    kind="invalid, unreadable, keras, code, no-rule, memory, device, tensorflow, worker, cluster, unavailable, or "
    "internal: a bug of rnnshape; there may be more.",
    message="What is wrong.",
    hint="How to avoid it.",
)
class Error(Formed, Struct, frozen=True):
    """Why there is no observation.  ``kind`` is one of the words of ``rnnshape.errors``.

    ``trace`` is the traceback of an internal error; it is not part of the JSON.
    """

    kind: str
    message: str
    hint: str | None
    exit_code: int
    trace: str = ""

    @classmethod
    def of(cls, error: RnnshapeError, hint: str | None = None, *, run: Mapping[str, Any] | None = None) -> Error:
        """The error as data; the hint of an internal error says what to report, with the ``run``."""
        if isinstance(error, Internal):
            return cls(error.kind, error.message, error.hint or report_it(run), error.exit_code, error.trace)
        return cls(error.kind, error.message, error.hint or hint, error.exit_code)
