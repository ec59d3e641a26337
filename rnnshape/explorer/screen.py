"""The screen: the expression, the fields and the answer in tabs, first predicted and then verified."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from time import perf_counter
from typing import TYPE_CHECKING

from rich.theme import Theme
from textual.app import App
from textual.containers import Container
from textual.widgets import Footer, Static, TextArea

from rnnshape import api
from rnnshape.errors import HUNG_UP, INTERRUPTED, TERMINATED, Problem, RnnshapeError, foreseen
from rnnshape.explorer.answer import Answer
from rnnshape.explorer.controls import Controls
from rnnshape.explorer.news import Died, Verified
from rnnshape.explorer.status import Status, Wrong
from rnnshape.render.terminal import THEME

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from rnnshape.explorer.news import News
    from rnnshape.explorer.steps import History, Step
    from rnnshape.explorer.verifier import Verifier
    from rnnshape.render.marks import Marks

_RESTORING_S = 2.0
"""Seconds for the application to restore the terminal."""
_ENDS = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED, signal.SIGHUP: HUNG_UP}


class Showing(App[int]):
    """An application that shows the current step of a history."""

    TITLE = "rnnshape explore"
    CSS_PATH = "explorer.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  as Textual declares it

    def __init__(
        self,
        history: History,
        *,
        marks: Marks,
        verifier: Callable[[Callable[[News], None]], Verifier] | None,
    ) -> None:
        """Start with the current step of ``history``.

        ``verifier`` starts the process that runs the real layer; None to only predict.
        """
        super().__init__()
        if os.environ.get("COLORFGBG", "").endswith((";7", ";15")):  # the terminal reports a light background
            self.theme = "textual-light"
        self.animation_level = "none"  # animation is slow over ssh
        self.console.push_theme(THEME)
        self.console.push_theme(Theme({"changed": "bold reverse" if self.no_color else "bold magenta"}, inherit=False))
        self.history = history
        self.marks = marks
        self.made = verifier
        self.verifier: Verifier | None = None
        self.asked = 0
        self.failure: RnnshapeError | None = None

    def compose(self) -> ComposeResult:
        yield TextArea(self.history.now.text, id="expression", compact=True, highlight_cursor_line=False)
        yield Wrong(id="wrong")
        yield Status(id="status")
        with Container(id="body"):
            yield Controls()
            yield Answer(self.marks)
        yield Static(id="help")
        yield Footer(compact=True)

    async def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number, code in _ENDS.items():
            loop.add_signal_handler(number, self._ended_by, code)
        self.query_one(Status).begun(verifies=self.made is not None)
        if self.made is not None:
            self.verifier = self.made(self._tell)
        self.query_one(TextArea).move_cursor(self.query_one(TextArea).document.end)
        self.query_one(TextArea).focus()
        self._tell_ahead()
        await self._show()

    def _tell_ahead(self) -> None:
        """Notify the user if redo leads to more steps: those of a preset, or the other layers of a file."""
        if ahead := len(self.history.future):
            self.notify(f"Ctrl+Y goes to the next step: {ahead} more step{'' if ahead == 1 else 's'}")

    def on_unmount(self) -> None:
        if self.verifier is not None:
            self.verifier.close()

    def _ended_by(self, code: int) -> None:
        """End after a signal.  Textual may wait forever for a terminal that was closed: then end without it."""
        last = threading.Timer(_RESTORING_S, os._exit, (code,))
        last.daemon = True
        last.start()
        self.exit(code, return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        """Exit on an unexpected exception; the command reports it in one line."""
        self.failure = foreseen(error)
        self._return_code = self.failure.exit_code
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    async def _to(self, step: Step, *, replacing: bool = False) -> None:
        """Go to a new step; ``replacing`` replaces the current one."""
        if step == self.history.now:
            return
        if not replacing:
            self.query_one(Answer).settle()
        self.history = self.history.to(step, replacing=replacing)
        await self._show()

    async def _show(self) -> None:
        """Show the prediction of the current step, then ask the verifier."""
        step = self.history.now
        begun = perf_counter()
        problems = step.problems
        report = None
        if step.spec is not None:
            try:
                report = api.predict(step.spec)
            except Exception as error:  # noqa: BLE001  a bug in one answer must not end the explorer
                problems = (Problem("", foreseen(error).message),)
        took = perf_counter() - begun
        self.query_one(Wrong).show(step, problems)
        answer, status = self.query_one(Answer), self.query_one(Status)
        answer.show(report)
        self.asked += 1
        status.predicted(None if report is None else took, answer)
        if report is not None and self.verifier is not None and step.spec is not None:
            self.verifier.ask(step.spec, self.asked)
            status.asked()
        text = self.query_one(TextArea)
        if text.text != step.text:
            with text.prevent(TextArea.Changed):
                text.text = step.text
            text.move_cursor(text.document.end)
        await self.query_one(Controls).follow(step)

    def _tell(self, news: News) -> None:
        """Receive news; the verifier calls this in its own thread."""
        self.call_later(self._heard, news)

    def _heard(self, news: News) -> None:
        if isinstance(news, Verified):
            if news.step != self.asked:
                return
            self.query_one(Answer).show(news.report)
        elif isinstance(news, Died):
            self.notify(f"the worker died: {news.message}; started again", severity="warning")
        self.query_one(Status).heard(news)
