"""The signs of the table view, and what stands for them where there is only ASCII."""

from __future__ import annotations

from typing import NamedTuple

from rich import box


class Marks(NamedTuple):
    """Every sign that is not a letter."""

    yes: str
    no: str
    equal: str
    unequal: str
    dot: str
    times: str
    box: box.Box


UNICODE = Marks("✓", "✗", "=", "≠", "·", "·", box.ROUNDED)
ASCII = Marks("ok", "no", "=", "!=", "-", "*", box.ASCII)
