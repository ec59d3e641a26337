"""What a notebook shows of an answer: drawn by whoever says so, for an answer does not know how it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Shown:
    """An answer that Jupyter can show, as soon as somebody has said how (``rnnshape.api`` does)."""

    __slots__ = ()
    drawn_by: ClassVar[Callable[[Any], str] | None] = None

    def _repr_html_(self) -> str | None:
        """What Jupyter asks the object itself for, by this name; without a drawing it shows the text."""
        return None if Shown.drawn_by is None else Shown.drawn_by(self)
