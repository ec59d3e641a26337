"""The signs of the table view, and what stands for them where there is only ASCII."""

from __future__ import annotations

from typing import NamedTuple

from rich import box


class Wires(NamedTuple):
    """The signs of a diagram.

    ``joined`` has a sign for each set of arms, north 1, east 2, south 4 and west 8; ``dashed`` one across and one
    down; ``again`` stands for states that are kept from call to call, ``digits`` are those of x's index.
    """

    joined: str
    dashed: str
    up: str
    left: str
    right: str
    dots: str
    again: str
    digits: str


class Marks(NamedTuple):
    """Every sign that is not a letter.

    ``no`` is a failure and nothing else; ``unequal`` is a belief that does not hold, which is no failure.
    ``run`` stands before the length of a run of one sign; ``bar`` are the parts of a bar's last cell, the whole one
    last; ``steps`` what a time step shows, in the order of ``layers.scan.KINDS``.
    """

    yes: str
    no: str
    equal: str
    unequal: str
    dot: str
    times: str
    run: str
    box: box.Box
    bar: str
    steps: str
    wires: Wires


UNICODE = Marks(
    "✓", "✗", "=", "≠", "·", "·", "×", box.ROUNDED, "▏▎▍▌▋▊▉█", "●◐○◌",
    Wires(" │─╰││╭├─╯─┴╮┤┬┼", "╌┆", "▲", "◀", "▶", "…", "↻", "₀₁₂₃₄₅₆₇₈₉"),
)  # fmt: skip
ASCII = Marks(
    "ok", "no", "=", "!=", "-", "*", "x", box.ASCII, "#", "#=0-",
    Wires(" |-+||++-+-+++++", ".:", "^", "<", ">", "...", "@", "0123456789"),
)  # fmt: skip
