"""The console that everything is drawn on: as wide as the terminal, and never cutting elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment
from rich.theme import Theme

from rnnshape.render.columns import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rich.console import ConsoleOptions, RenderableType

# Wide enough that no table wraps: off a terminal nothing is shortened, whatever the width.
UNBOUNDED = 100_000

# The sixteen colours of the terminal's own palette, so that light and dark both keep their contrast.
THEME = Theme(
    {
        "title": "bold",
        "head": "bold",
        "faint": "dim",
        "role": "cyan",
        "good": "green",
        "bad": "bold red",
        "teach": "yellow",
        "code": "bold",
        "bar": "default",
    }
)


class _Printing(Console):
    """A console on which only styles change colours: a text that was pasted may hold codes of its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control or text.isprintable() else Segment(visible(text), style, control)


def console(stream: TextIO) -> Console:
    """A console on this stream; colour only where it is a terminal and ``NO_COLOR`` is not set."""
    terminal = bool(getattr(stream, "isatty", lambda: False)())
    return _Printing(
        file=stream,
        theme=THEME,
        highlight=False,
        markup=False,
        emoji=False,
        force_terminal=terminal,
        width=None if terminal else UNBOUNDED,
        legacy_windows=False if not terminal else None,
    )


def show(renderable: RenderableType, stream: TextIO) -> None:
    """Print on the stream; off a terminal without the blanks that fill a line up."""
    target = console(stream)
    if target.is_terminal:
        target.print(renderable)
        return
    with target.capture() as captured:
        target.print(renderable)
    stream.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def plain(stream: TextIO) -> bool:
    """Whether the stream's encoding has no room for ✓ and box drawing."""
    try:
        "✓✗·─╭╌▲◀↻₁".encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return True
    return False
