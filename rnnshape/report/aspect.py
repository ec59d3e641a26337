"""An aspect of an answer: one thing that theory predicts and the real layer shows, with what follows from both.

A Report is a list of them (``Report.aspects``).  An aspect is a frozen dataclass that holds both sides, which gives:

* ``disagreements``, where the two sides differ: ``Report.agrees`` is that none has any;
* ``ok``, whether what it claims holds: ``Report.ok`` asks all of them;
* its ``FORM``, from which come its JSON, its schema and its table on the reference page;
* its fields, which ``render`` draws: nothing here knows how.
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
    """One difference: what it is about (``"y[0]"``, ``"output mask, sample 1"``), and what each side says."""

    of: str
    predicted: str
    observed: str


class Aspect(Formed):
    """What every aspect answers; most have nothing to say to one of the two."""

    __slots__ = ()

    @property
    def ok(self) -> bool:
        """Whether what it claims holds, as far as it is known."""
        return True

    def disagreements(self) -> Iterable[Disagreement]:
        """Where theory and the real layer differ; asked only where the layer ran."""
        return ()
