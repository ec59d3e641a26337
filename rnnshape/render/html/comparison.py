"""The page of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render import comparison
from rnnshape.render.html.elements import element, section
from rnnshape.render.html.page import page
from rnnshape.render.html.parts import part, said
from rnnshape.render.html.report import environment
from rnnshape.render.marks import UNICODE
from rnnshape.render.plain_text import put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO
    from xml.etree.ElementTree import Element

    from rnnshape.report.comparison import Compared


def write(compared: Compared, stream: TextIO) -> None:
    """Write the page."""
    put(page(compared.comparison.title, [heading(compared), *sections(compared)]), stream)


def heading(compared: Compared) -> Element:
    """The title, the context and the verdict."""
    return element("header", element("h1", element("code", compared.comparison.title)), *context_and_verdict(compared))


def context_and_verdict(compared: Compared) -> Iterator[Element]:
    """The context (input, device, versions), the verdict and hints."""
    for line in comparison.context(compared, UNICODE).plain.splitlines():
        yield element("p", line, class_="faint")
    state = "good" if compared.ok else "bad"
    hints = (element("p", "Hint: ", element("code", label), f": {hint}") for label, hint in comparison.hints(compared))
    yield element("div", *said(*comparison.ending(compared, UNICODE)), *hints, class_=f"verdict {state}")


def sections(compared: Compared, level: int = 2) -> Iterator[Element]:
    """One section for each part of the table view; the reasons get a title, which they lack there."""
    *tables, reasons = comparison.parts(compared, UNICODE)
    for one in tables:
        yield part(one, level=level)
    if body := said(reasons):
        yield section("Why", body, level, "reasons")
    yield environment(compared.sides[0].report.environment, level)
