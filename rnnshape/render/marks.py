"""The signs of the table view, in Unicode and in ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich import box

if TYPE_CHECKING:
    from typing import TextIO


class Wires(NamedTuple):
    """The signs of a diagram.

    ``joined`` has a sign for each set of arms (north 1, east 2, south 4, west 8); ``dashed`` a horizontal and a
    vertical one.  ``again`` marks states that are kept between calls; ``digits`` are the digits of subscripts.
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
    """All signs that are not letters.

    ``no`` marks only failures; ``unequal`` marks an equality that many expect and that does not hold.  ``run`` is
    written before the length of a run of equal signs; ``bar`` has the partial cells of a bar, the full one last;
    ``steps`` has the signs of time steps, in the order of ``layers.scan.KINDS``.
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


def marks_for(stream: TextIO) -> Marks:
    """The signs that the encoding of the stream has."""
    try:
        "✓✗·─╭╌▲◀↻₁".encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE
