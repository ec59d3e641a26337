"""The signs of the table view, and what stands for them where there is only ASCII."""

from __future__ import annotations

from typing import NamedTuple

from rich import box


class Marks(NamedTuple):
    """Every sign that is not a letter.

    ``bar`` are the parts of a bar's last cell, the whole one last; ``steps`` what a time step shows, in the order of
    ``layers.scan.KINDS``.
    """

    yes: str
    no: str
    equal: str
    unequal: str
    dot: str
    times: str
    box: box.Box
    bar: str
    dots: str
    steps: str


UNICODE = Marks("✓", "✗", "=", "≠", "·", "·", box.ROUNDED, "▏▎▍▌▋▊▉█", "…", "●◐○◌")
ASCII = Marks("ok", "no", "=", "!=", "-", "*", box.ASCII, "#", "...", "#=0-")
