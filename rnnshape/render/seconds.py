"""Times as text: durations, bars and a summary line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnshape.render.marks import Marks
    from rnnshape.report.timing import Timing

_LONGEST = 20


def duration(seconds: float) -> str:
    """A duration in s, ms or us.

    >>> duration(0.00123), duration(2.5), duration(0.000045)
    ('1.23 ms', '2.5 s', '45 us')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def bar(share: float, marks: Marks) -> str:
    """A bar for a share from 0 to 1, never empty."""
    parts = len(marks.bar)
    whole, rest = divmod(max(1, round(share * _LONGEST * parts)), parts)
    return marks.bar[-1] * whole + (marks.bar[rest - 1] if rest else "")


def line(timing: Timing) -> str:
    """The summary of a layer's timing."""
    what = "forward and backward" if timing.training else "forward"
    middle = f"{duration(timing.lower)} to {duration(timing.upper)}"
    return f"{duration(timing.median)} per call, {what}; median of {timing.runs} runs, 25th to 75th percentile {middle}"
