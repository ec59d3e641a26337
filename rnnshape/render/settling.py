"""Draw the prediction at once, and replace it with the verified answer.

On a terminal the prediction is drawn before TensorFlow is loaded.  When the real layer has run, the
same lines are drawn again with the verdicts.  Erasing and drawing are one write, so nothing flickers.
The number of rows to erase is computed from the current width, so that a resize leaves no old lines.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rich.segment import Segment

from rnnshape.render.ending import NOT_VERIFIED
from rnnshape.render.marks import marks_for
from rnnshape.render.table import draw
from rnnshape.render.terminal import console

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rich.console import Console, RenderableType

    from rnnshape.render import View
    from rnnshape.report import Report

_UP_AND_ERASE = "\r\x1b[{}A\x1b[J"


def settling(theory: Report, prove: Callable[[], Report], stream: TextIO, view: View) -> Report:
    """Draw the prediction, run ``prove``, and replace the view with the Report that it returns.

    If ``prove`` is interrupted, the view says so and the exception is raised again.  If the view is
    larger than the screen, or the terminal is dumb, only the final view is drawn.
    """
    target = console(stream)
    marks = marks_for(stream)
    first = draw(theory, view, marks, waiting=f"verifying on the real layer {marks.wires.dots}")
    lines = _lengths(target, first)
    if target.is_dumb_terminal or len(lines) >= target.size.height:
        report = prove()
        target.print(draw(report, view, marks))
        return report
    _write(target, first)
    try:
        report = prove()
    except BaseException as error:
        said = "" if isinstance(error, Exception) else "Interrupted. "
        with suppress(OSError):  # the terminal may be closed
            _write(target, draw(theory, view, marks, waiting=f"{said}{NOT_VERIFIED}."), over=lines)
        raise
    _write(target, draw(report, view, marks), over=lines)
    return report


def _lengths(target: Console, renderable: RenderableType) -> list[int]:
    """The length of each line in cells."""
    return [Segment.get_line_length(line) for line in target.render_lines(renderable, pad=False)]


def _write(target: Console, renderable: RenderableType, over: list[int] | None = None) -> None:
    """Print in one write; ``over`` are the lengths of the lines to replace."""
    with target.capture() as captured:
        target.print(renderable)
    text = captured.get()
    if over is not None:
        width = target.size.width
        rows = sum(max(1, -(-length // width)) for length in over)
        # Lines above the top of the screen cannot be replaced.
        text = _UP_AND_ERASE.format(min(rows, target.size.height - 1)) + text
    target.file.write(text)
    target.file.flush()
