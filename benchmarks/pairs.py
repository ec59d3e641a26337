"""Compares two sides: interleaved measurements, medians, and a ratio.

The speed of a machine varies during a measurement.  Interleaved sides (A B A B …) are measured under the same load, so
their ratio is more stable than their times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Measured = TypeVar("Measured")
Side = Callable[[], float]  # measures once: seconds, a rate …
Unit = Literal["s", "/s", "MB", "kB"]


def in_turn(sides: Mapping[str, Callable[[], Measured]], rounds: int) -> dict[str, tuple[Measured, ...]]:
    """The measurements of each side, by name; every round measures each side once."""
    taken = [{name: side() for name, side in sides.items()} for _ in range(rounds)]
    return {name: tuple(once[name] for once in taken) for name in sides}


def seconds(call: Callable[[], object]) -> Side:
    """A side that measures the wall time of this call in seconds."""

    def measure() -> float:
        began = perf_counter()
        call()
        return perf_counter() - began

    return measure


@dataclass(frozen=True, slots=True)
class Target:
    """A limit for the ratio, or for our own number."""

    of: Literal["ratio", "ours"]
    sign: Literal["≤", "≥"]
    limit: float

    def reached(self, row: Row) -> bool:
        """Whether the medians are within the limit."""
        value = row.ratio if self.of == "ratio" else median(row.ours)
        if value is None:
            return False
        return value <= self.limit if self.sign == "≤" else value >= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison, with every measurement of both sides.

    ``unit`` is ``"s"`` or a size, where less is better, or ``"/s"``, where more is better.  ``theirs`` is empty if the
    other side is not installed; ``note`` says what is missing then.
    """

    what: str
    against: str
    unit: Unit
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    targets: tuple[Target, ...] = ()
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Our median divided by theirs; None if there is none, or if it is not positive."""
        return _quotient(median(self.ours), median(self.theirs)) if self.theirs else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """The lowest and the highest ratio of a single round; None if one cannot be computed."""
        ratios = [_quotient(ours, theirs) for ours, theirs in zip(self.ours, self.theirs, strict=False)]
        found = [ratio for ratio in ratios if ratio is not None]
        return (min(found), max(found)) if found and len(found) == len(ratios) else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the measurements, and the values computed from them."""
        return {
            **asdict(self),
            "ours_median": median(self.ours),
            "theirs_median": median(self.theirs) if self.theirs else None,
            "ratio": self.ratio,
            "ratio_spread": self.spread,
            "targets": [{**asdict(target), "reached": target.reached(self)} for target in self.targets],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Row:
        """The row from the data of ``to_dict``; computed values are ignored."""
        kept = {field.name: data[field.name] for field in fields(cls)}
        targets = tuple(Target(target["of"], target["sign"], target["limit"]) for target in data["targets"])
        return cls(**{**kept, "ours": tuple(kept["ours"]), "theirs": tuple(kept["theirs"]), "targets": targets})


def _quotient(ours: float, theirs: float) -> float | None:
    """The quotient; None where the memory of the other side did not grow."""
    return ours / theirs if theirs > 0 else None
