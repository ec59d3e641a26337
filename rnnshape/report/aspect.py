"""An aspect of an answer: one thing that theory predicts and that is observed on the real layer.

A Report has a list of aspects (``Report.aspects``).  An aspect is a struct that holds both sides.  It has:

* ``disagreements``: where the two sides differ; ``Report.agrees`` is True when no aspect has any;
* ``ok``: whether the aspect holds; ``Report.ok`` needs all of them;
* ``FORM``: its keys in JSON, for the schema and the reference page;
* fields, which ``render`` shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rnnshape.form import Formed, formed

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTHING = "nothing"


@formed(
    "disagreement",
    of="The subject: a returned tensor (y[0]), the weights, a sample of the output mask.",
    predicted="The value by theory.",
    observed="The observed value.",
)
class Disagreement(Formed, Struct, frozen=True):
    """One difference: its subject (``"y[0]"``, ``"output mask, sample 1"``), and the value on each side."""

    of: str
    predicted: str
    observed: str


class Aspect(Formed):
    """Base class of the aspects; most override only one of the two."""

    __slots__ = ()

    @property
    def ok(self) -> bool:
        """Whether the aspect holds; True where this is unknown."""
        return True

    def disagreements(self) -> Iterable[Disagreement]:
        """Where theory and the real layer differ; used only when the layer ran."""
        return ()
