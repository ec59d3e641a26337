"""The mask as a grid: a row for each sample, a cell for each time step; a key or a click switches a cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from rnnshape.spec.masks import refusal
from rnnshape.spec.options import BATCH, TIME

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual import events
    from textual.binding import BindingType

    from rnnshape.explorer.steps import Step
    from rnnshape.spec.masks import Rows

_MOST_SAMPLES, _MOST_STEPS = 8, 24
_HEAD = len("mask 0  ")


class MaskGrid(Widget, can_focus=True):
    """Which steps of which sample are valid (1); the arrows move, the space key switches."""

    HELP = "mask: which steps are valid (1). The arrows move, the space key or a click switches a step."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1, 0)", "Move", show=False),
        Binding("down", "move(1, 0)", "Move", show=False),
        Binding("left", "move(0, -1)", "Move", show=False),
        Binding("right", "move(0, 1)", "Move", show=False),
        Binding("space,enter", "switch", "Switch a step", show=False),
    ]

    rows: reactive[Rows] = reactive((), layout=True)
    at: reactive[tuple[int, int]] = reactive((0, 0))

    @dataclass
    class Switched(Message):
        """The user switched a step on or off."""

        rows: Rows

    def follow(self, step: Step) -> None:
        """Show the mask of a step; without a mask all steps are valid.  The grid is hidden if the input has no time."""
        batch, time = step.size(BATCH.name), step.size(TIME.name)
        takes = step.spec is not None and refusal(step.spec.layer) is None
        self.display = bool(takes and batch and time)
        if not self.display or step.spec is None:
            return
        self.rows = step.spec.mask or ((True,) * (time or 0),) * (batch or 0)
        self.at = min(self.at[0], self._shown[0] - 1), min(self.at[1], self._shown[1] - 1)

    @property
    def _shown(self) -> tuple[int, int]:
        """The number of samples and steps that are shown."""
        return min(len(self.rows), _MOST_SAMPLES), min(len(self.rows[0]), _MOST_STEPS) if self.rows else 0

    def get_content_height(self, *_: object) -> int:
        return self._shown[0] + (self._shown[0] < len(self.rows))

    def render(self) -> RenderableType:
        samples, steps = self._shown
        lines = []
        for sample in range(samples):
            line = Text(f"mask {sample}  " if sample == 0 else f"     {sample}  ", "faint")
            for step in range(steps):
                valid = self.rows[sample][step]
                here = self.has_focus and (sample, step) == self.at
                line.append("1" if valid else "0", "reverse" if here else "" if valid else "changed").append(" ")
            lines.append(line.append("…" if steps < len(self.rows[0]) else ""))
        if samples < len(self.rows):
            lines.append(Text(f"and {len(self.rows) - samples} more samples", "faint"))
        return Text("\n").join(lines)

    def action_move(self, down: int, right: int) -> None:
        samples, steps = self._shown
        self.at = (self.at[0] + down) % samples, (self.at[1] + right) % steps

    def action_switch(self) -> None:
        sample, step = self.at
        row = self.rows[sample]
        row = (*row[:step], not row[step], *row[step + 1 :])
        self.rows = (*self.rows[:sample], row, *self.rows[sample + 1 :])
        self.post_message(self.Switched(self.rows))

    def on_click(self, event: events.Click) -> None:
        samples, steps = self._shown
        offset = event.get_content_offset(self)
        if offset is None:
            return
        step, between = divmod(offset.x - _HEAD, 2)
        if offset.y < samples and 0 <= step < steps and not between:
            self.at = offset.y, step
            self.action_switch()
