"""The strip in the table view: one sign a step, so that it can be seen what a mask did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from rnnshape.layers.scan import KINDS
from rnnshape.render.grid import grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from rnnshape.render.marks import Marks
    from rnnshape.report.masked import Masked

_MOST_SAMPLES = 8
# Signs with a blank between them are easier to tell apart, as long as they are few.
_FEW_STEPS = 24
_STYLES = dict(zip(KINDS, ("good", "teach", "faint", "teach"), strict=True))


def draw(masked: Masked, marks: Marks) -> Iterator[RenderableType]:
    """Sample by sample: the mask that goes in, each part of the output, the mask that hangs on it."""
    what = "the mask of the call" if masked.through == "mask=" else f"the mask that {masked.through} makes"
    yield Text(f"Step by step, {what}", "head")  # a table's own title is no wider than the table
    table = grid(marks, "", "sample", "of", _clock(len(masked.rows[0])))
    table.title = None
    for sample, row in enumerate(masked.rows[:_MOST_SAMPLES]):
        table.add_row(str(sample), "the mask", _bits(row), end_section=False)
        for strip in masked.strips:
            table.add_row("", Text(strip.of, "role"), _signs(strip.steps[sample], marks))
        out = masked.output_mask_seen or masked.output_mask
        table.add_row("", "mask on it", Text("none", "faint") if out is None else _bits(out[sample]), end_section=True)
    yield table
    if legend := _legend(masked, marks):
        yield legend
    if (more := len(masked.rows) - _MOST_SAMPLES) > 0:
        yield Text(f"and {more} more {'samples' if more > 1 else 'sample'}: --format json has all of them", "faint")


def _legend(masked: Masked, marks: Marks) -> Text:
    """What the signs mean, as far as they stand there."""
    there = {kind for strip in masked.strips for row in strip.steps[:_MOST_SAMPLES] for kind in row}
    legend = Text()
    for kind in KINDS:
        if kind in there:
            legend.append(marks.steps[KINDS.index(kind)], _STYLES[kind]).append(f" {_WORDS[kind]}   ", "faint")
    return legend


_WORDS = {
    "computed": "computed",
    "repeated": "the output before it again",
    "zero": "zero",
    "frozen": "skipped, the state stays",
}


def _signs(kinds: tuple[str, ...], marks: Marks) -> Text:
    between = " " if len(kinds) <= _FEW_STEPS else ""
    return Text(between).join(Text(marks.steps[KINDS.index(kind)], _STYLES[kind]) for kind in kinds)


def _clock(steps: int) -> str:
    """The number of each step over its sign, as long as that is one digit."""
    return " ".join(map(str, range(steps))) if steps <= 10 else "time"


def _bits(row: tuple[bool, ...]) -> Text:
    between = " " if len(row) <= _FEW_STEPS else ""
    return Text(between.join("1" if step else "0" for step in row))
