"""The lines above the answer: problems of the expression, and the state of prediction and verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from rnnshape.explorer.news import Died, Loading, Missing, Ready, Verified
from rnnshape.reading.places import marked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.errors import Problem
    from rnnshape.explorer.answer import Answer
    from rnnshape.explorer.news import News
    from rnnshape.explorer.steps import Step
    from rnnshape.report import Report


class Wrong(Static):
    """The problems of a step, each with its place, and the options that do not apply."""

    def show(self, step: Step, problems: Iterable[Problem]) -> None:
        """Show the problems; hide the widget if there are none."""
        lines = [line for problem in problems for line in self._lines(step, problem)]
        lines += [Text(f"{problem.key} is ignored: {problem.message}", "teach") for problem in step.idle]
        self.set_class(bool(lines), "-shown")
        self.update(Text("\n").join(lines))

    def _lines(self, step: Step, problem: Problem) -> Iterable[Text]:
        if problem.span is not None:
            start = step.source.rfind("\n", 0, problem.span[0]) + 1
            line = step.source[start:].split("\n", 1)[0]
            width = max(20, self.app.size.width - 2 - len("......"))
            shown, under = marked(line, problem.span[0] - start, problem.span[1] - start, width)
            if shown != step.text:  # else the line is just above
                yield Text(shown, "faint", no_wrap=True)
            yield Text(under, no_wrap=True)
        yield Text(f"{problem.key}: {problem.message}" if problem.key else problem.message)


class Status(Static):
    """The status line: prediction, verification and the number of changes."""

    def begun(self, *, verifies: bool) -> None:
        """Show the state at the start."""
        self.theory = Text()
        self.real = Text("loading TensorFlow …" if verifies else "theory only (--predict)", "faint")
        self.loaded = False
        self.changes = Text()

    def predicted(self, seconds: float | None, answer: Answer) -> None:
        """Show the time of a prediction; None if the expression is wrong."""
        if seconds is not None:
            self.theory = Text(f"theory in {1000 * seconds:.1f} ms")
        else:
            shown = "no answer" if answer.report is None else "the last answer"
            self.theory = Text(f"{shown} until the expression is right", "teach")
        count = 0 if answer.changes is None or seconds is None else len(answer.changes.entries)
        self.changes = Text(f"{count} change{'s' * (count != 1)} by this step", "changed") if count else Text()
        self._draw()

    def asked(self) -> None:
        """Show that verification has started."""
        if self.loaded:
            self.real = Text("verifying …", "faint")
        self._draw()

    def heard(self, news: News) -> None:
        """Show the verifier's news."""
        self.real = self._real(news)
        self._draw()

    def _real(self, news: News) -> Text:
        self.loaded = isinstance(news, Ready | Verified)
        match news:
            case Loading():
                return Text("loading TensorFlow …", "faint")
            case Ready(seconds):
                return Text(f"TensorFlow loaded in {seconds:.1f} s", "faint")
            case Verified(_, report, seconds):
                return _verdict(report, seconds)
            case Missing(message):
                return Text(f"no TensorFlow here: {message}", "teach")
            case Died(_, message):
                return Text(f"the worker died ({message}); started again", "bad")

    def _draw(self) -> None:
        self.update(Text(" · ").join(part for part in (self.theory, self.real, self.changes) if part))


def _verdict(report: Report, seconds: float) -> Text:
    took = f"{1000 * seconds:.0f} ms"
    if report.error is not None:
        who = "Keras rejects it" if report.error.kind == "keras" else "not verified"
        return Text(f"{who}: {report.error.message}", "bad")
    if not report.ok:
        return Text(f"theory and the real layer disagree ({took})", "bad")
    return Text(f"verified in {took}", "good")
