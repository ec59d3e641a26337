"""The strip in the table view: one sign for each time step, to show the effect of a mask."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from rnnshape.layers.scan import KINDS
from rnnshape.render.grid import grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from rnnshape.render.marks import Marks
    from rnnshape.report.masked import Masked

_MOST_SAMPLES = 8
# A few signs are separated by blanks; beyond _MANY_STEPS, equal signs are counted.
_FEW_STEPS, _MANY_STEPS = 24, 48
_MOST_RUNS = 12
_STYLES = dict(zip(KINDS, ("good", "teach", "faint", "teach"), strict=True))


def draw(masked: Masked, marks: Marks) -> Iterator[RenderableType]:
    """For each sample, the input mask, each part of the output, and the output mask."""
    what = "passed as mask=" if masked.through == "mask=" else f"from {masked.through}"
    yield Text(f"Mask by time step, {what}", "head")  # the table's own title would wrap at the table's width
    table = grid(marks, "", "sample", "of", _clock(len(masked.rows[0])), form=Table)
    signs = dict(zip(KINDS, marks.steps, strict=True))
    out = masked.output_mask_seen or masked.output_mask
    for sample, row in enumerate(masked.rows[:_MOST_SAMPLES]):
        table.add_row(str(sample), "input mask", _bits(row, marks), end_section=False)
        for strip in masked.strips:
            table.add_row("", Text(strip.of, "role"), _signs(strip.steps[sample], signs, _STYLES, marks.run))
        table.add_row(
            "", "output mask", Text("none", "faint") if out is None else _bits(out[sample], marks), end_section=True
        )
    yield table
    if legend := _legend(masked, marks):
        yield legend
    if (more := len(masked.rows) - _MOST_SAMPLES) > 0:
        yield Text(f"and {more} more {'samples' if more > 1 else 'sample'}: --format json has all of them", "faint")


def _legend(masked: Masked, marks: Marks) -> Text:
    """The meaning of the signs that occur."""
    there = {kind for strip in masked.strips for row in strip.steps[:_MOST_SAMPLES] for kind in row}
    legend = Text()
    for kind in KINDS:
        if kind in there:
            legend.append(marks.steps[KINDS.index(kind)], _STYLES[kind]).append(f" {_WORDS[kind]}   ", "faint")
    return legend


_WORDS = {
    "computed": "computed",
    "repeated": "repeats the previous output",
    "zero": "zero",
    "frozen": "skipped; the state is kept",
}


def _signs(kinds: Sequence[Any], signs: Mapping[Any, str], styles: Mapping[Any, str], times: str) -> Text:
    """A sign for each step; for many steps, each sign with its count, ``●×80 ◌×20``."""
    if len(kinds) <= _MANY_STEPS:
        between = " " if len(kinds) <= _FEW_STEPS else ""
        return Text(between).join(Text(signs[kind], styles.get(kind, "")) for kind in kinds)
    runs = [(kind, sum(1 for _ in run)) for kind, run in groupby(kinds)]
    shown = [Text(f"{signs[kind]}{times}{count}", styles.get(kind, "")) for kind, count in runs[:_MOST_RUNS]]
    if len(runs) > _MOST_RUNS:
        shown.append(Text(f"and {sum(count for _, count in runs[_MOST_RUNS:]):,} more steps", "faint"))
    return Text(" ").join(shown)


def _clock(steps: int) -> str:
    """The header with the number of each step, if these have one digit."""
    return " ".join(map(str, range(steps))) if steps <= 10 else "time"


def _bits(row: Sequence[bool], marks: Marks) -> Text:
    return _signs(row, {True: "1", False: "0"}, {}, marks.run)
