"""An answer in a notebook: the parts of its HTML page, without the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render import View
from rnnshape.render.html import comparison, report
from rnnshape.render.html.elements import element
from rnnshape.render.html.page import fragment
from rnnshape.report.comparison import Compared

if TYPE_CHECKING:
    from rnnshape.report import Report

_LEVEL = 3  # notebooks use levels 1 and 2 for their own headings


def shown(answer: Report | Compared) -> str:
    """The answer as an HTML fragment that needs no script."""
    if isinstance(answer, Compared):
        title, lead, sections = (
            answer.comparison.title,
            comparison.context_and_verdict(answer),
            comparison.sections(answer, _LEVEL + 1),
        )
    else:
        title, lead, sections = (
            answer.expression,
            report.context_and_verdict(answer),
            report.sections(answer, View(), _LEVEL + 1),
        )
    return fragment([element(f"h{_LEVEL}", element("code", title)), *lead, *sections])
