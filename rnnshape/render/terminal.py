"""The Rich console for all output: as wide as the terminal, and unlimited elsewhere."""

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

# Outside a terminal, no table wraps and nothing is shortened.
UNBOUNDED = 100_000

# Colours of the terminal's own palette, which have contrast on light and dark backgrounds.
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
    """A console on this stream; coloured only on a terminal and if ``NO_COLOR`` is not set."""
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
    """Print on the stream; outside a terminal, without trailing blanks."""
    target = console(stream)
    if target.is_terminal:
        target.print(renderable)
        return
    with target.capture() as captured:
        target.print(renderable)
    stream.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))
