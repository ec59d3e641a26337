"""How a notebook shows an answer.  The renderer is registered here, because ``report`` does not import ``render``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Shown:
    """Mixin for answers that Jupyter shows as HTML; ``rnnshape.api`` sets ``drawn_by``."""

    __slots__ = ()
    drawn_by: ClassVar[Callable[[Any], str] | None] = None

    def _repr_html_(self) -> str | None:
        """The HTML that Jupyter shows; None without a renderer, and Jupyter shows the ``repr`` then."""
        return None if Shown.drawn_by is None else Shown.drawn_by(self)
