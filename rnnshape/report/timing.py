"""Seconds of many runs in three numbers: the middle one and the quarter on either side of it.

>>> Timing.of((4.0, 1.0, 2.0, 3.0, 100.0), training=False)
Timing(median=3.0, lower=2.0, upper=4.0, runs=5, training=False)
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one call: the median and the quartiles of so many runs.

    With ``training`` a call is a pass forward and a pass backward.
    """

    median: float
    lower: float
    upper: float
    runs: int
    training: bool

    @classmethod
    def of(cls, seconds: Sequence[float], *, training: bool) -> Timing | None:
        """The summary of these runs; None when there are none."""
        if not seconds:
            return None
        lower, median, upper = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else [*seconds] * 3
        return cls(median, lower, upper, len(seconds), training)

    def to_dict(self) -> dict[str, Any]:
        return {
            "seconds": self.median,
            "quartiles": [self.lower, self.upper],
            "runs": self.runs,
            "training": self.training,
        }
