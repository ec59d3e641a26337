"""The answer in tabs: first the prediction, later replaced by the verified answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.containers import VerticalScroll
from textual.widgets import Static, TabbedContent, TabPane

from rnnshape.explorer.changes import changed
from rnnshape.explorer.panels import TABS, drawn

if TYPE_CHECKING:
    from rnnshape.explorer.changes import Changes
    from rnnshape.render.marks import Marks
    from rnnshape.report import Report


class Answer(TabbedContent):
    """The tabs.  Only the active one is drawn; an asterisk marks the names of tabs with changes."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="answer")
        self.marks = marks
        self.report: Report | None = None
        self.before: Report | None = None
        self.changes: Changes | None = None
        for tab in TABS:
            self.compose_add_child(TabPane(tab, VerticalScroll(Static(classes="drawn")), id=f"tab-{tab}"))

    def settle(self) -> None:
        """Compare the next step with the report that is shown now."""
        self.before = self.report or self.before

    def show(self, report: Report | None) -> None:
        """Show a prediction or a verified answer; for None, keep the last answer, dimmed."""
        self.set_class(report is None and self.report is not None, "-stale")
        if report is None:
            return
        self.report = report
        self.changes = None if self.before is None else changed(self.before, report)
        for tab in TABS:
            marked = self.changes is not None and self.changes.lines(tab)
            self.get_tab(f"tab-{tab}").label = f"{tab}*" if marked else tab
        self._draw()

    @on(TabbedContent.TabActivated)
    def _draw(self) -> None:
        """Draw the active tab."""
        if self.report is None or not self.active:
            return
        tab = self.active.removeprefix("tab-")
        self.get_pane(self.active).query_one(".drawn", Static).update(drawn(tab, self.report, self.changes, self.marks))

    def turn(self, on: int) -> None:
        """Move ``on`` tabs to the right."""
        names = [*TABS]
        place = names.index(self.active.removeprefix("tab-")) if self.active else 0
        self.active = f"tab-{names[(place + on) % len(names)]}"
