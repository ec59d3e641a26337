"""The time of one call over many runs, in seconds: the median and the quartiles.

>>> Timing.of((4.0, 1.0, 2.0, 3.0, 100.0), training=False)
Timing(median=3.0, lower=2.0, upper=4.0, runs=5, training=False)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rnnshape.form import Key, formed
from rnnshape.report.aspect import Aspect

if TYPE_CHECKING:
    from collections.abc import Sequence


@formed(
    "timing",
    seconds=Key("The median time of one call.", of="median"),
    quartiles="The 25th and the 75th percentile.",
    runs="The number of runs; in a comparison they are interleaved.",
    training="Whether forward and backward, with training=True.",
)
class Timing(Aspect, Struct, frozen=True):
    """Seconds of one call: the median and the quartiles of ``runs`` runs.

    With ``training``, a call is a forward and a backward pass.
    """

    median: float
    lower: float
    upper: float
    runs: int
    training: bool

    @property
    def quartiles(self) -> tuple[float, float]:
        return self.lower, self.upper

    @classmethod
    def of(cls, seconds: Sequence[float], *, training: bool) -> Timing | None:
        """The summary of these runs; None when there are none."""
        from statistics import quantiles  # it imports decimal and random, which most answers do not need

        if not seconds:
            return None
        lower, median, upper = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else [*seconds] * 3
        return cls(median, lower, upper, len(seconds), training)
