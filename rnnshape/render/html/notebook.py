"""An answer in a notebook: the parts of its page as a piece of the notebook's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render import View
from rnnshape.render.html import comparison, report
from rnnshape.render.html.elements import element
from rnnshape.render.html.page import fragment
from rnnshape.report.comparison import Compared

if TYPE_CHECKING:
    from rnnshape.report import Report

_LEVEL = 3  # the notebook has headings of its own above it


def shown(answer: Report | Compared) -> str:
    """The answer as HTML without a page around it; nothing in it needs a script."""
    if isinstance(answer, Compared):
        title, told, sections = (
            answer.comparison.title,
            comparison.told(answer),
            comparison.sections(answer, _LEVEL + 1),
        )
    else:
        title, told, sections = answer.expression, report.told(answer), report.sections(answer, View(), _LEVEL + 1)
    return fragment([element(f"h{_LEVEL}", element("code", title)), *told, *sections])
