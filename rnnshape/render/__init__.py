"""Drawing: one small renderer a format, found by its name.

A renderer takes a Report, a text stream and a View; it knows nothing of Keras and is imported when
its format is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rnnshape.report import Report

    Renderer = Callable[[Report, TextIO, "View"], None]


@dataclass(frozen=True, slots=True)
class View:
    """What to show beside the answer itself: the numbers, the weights."""

    values: bool = False
    weights: bool = False


_REPORT_FORMATS = {
    "table": "rnnshape.render.table",
    "json": "rnnshape.render.json",
    "jsonl": "rnnshape.render.jsonl",
    "code": "rnnshape.render.code",
}
FORMATS = tuple(_REPORT_FORMATS)


def renderer(name: str) -> Renderer:
    """The function that writes a Report in this format."""
    write: Any = import_module(_REPORT_FORMATS[name]).write
    return write  # type: ignore[no-any-return]
