"""The page of one Report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.render import code, ending, table
from rnnshape.render.html.elements import element, folded
from rnnshape.render.html.page import page
from rnnshape.render.html.parts import part, said
from rnnshape.render.marks import UNICODE
from rnnshape.render.plain_text import put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TextIO
    from xml.etree.ElementTree import Element

    from rnnshape.render import View
    from rnnshape.report import Report

# Closed sections; a section is open if its flag is given.
_FOLDED = ("weights", "cost", "cudnn")


def write(report: Report, stream: TextIO, view: View) -> None:
    """Write the page."""
    put(page(report.expression, [heading(report), *sections(report, view)]), stream)


def heading(report: Report) -> Element:
    """The name, the expression, the context and the verdict."""
    name = element("p", report.spec.name, class_="name") if report.spec.name else None
    return element("header", name, element("h1", element("code", report.expression)), *context_and_verdict(report))


def context_and_verdict(report: Report) -> Iterator[Element]:
    """The context (input, device, versions), the verdict and the hint of an error."""
    for line in table.context(report, UNICODE).plain.splitlines():
        yield element("p", line, class_="faint")
    hint = report.error and report.error.hint
    yield element(
        "div",
        *said(*ending.verdict(report, UNICODE)),
        element("p", "Hint: ", hint) if hint else None,
        class_=f"verdict {_state(report)}",
    )


def _state(report: Report) -> str:
    if report.ok:
        return "faint" if report.observed is None and report.error is None else "good"
    return "bad"


def sections(report: Report, view: View, level: int = 2) -> Iterator[Element]:
    """Everything below the heading: the parts of the table view, then the program and the environment."""
    yield element("section", *said(ending.footer(report)), class_="glance")
    whole = replace(view, weights=True, cost=True, cudnn=True)
    parts = list(table.parts(report, whole))
    yield from (part(*one.drawn, level=level, name=one.name) for one in parts if one.name not in _FOLDED)
    for one in parts:
        if one.name in _FOLDED:
            yield part(*one.drawn, level=level, name=one.name, fold=True, opened=getattr(view, one.name))
    program = element("pre", element("code", "\n".join(code.program(report)), data_copy=True))
    yield folded("Program", [program], level, name="program")
    yield environment(report.environment, level)


def environment(facts: Mapping[str, Any], level: int = 2) -> Element:
    """A closed section with versions and device."""
    items = []
    for name, value in facts.items():
        if value is not None:
            items += [element("dt", name), element("dd", str(value))]
    return folded("Environment", [element("dl", *items)], level, name="environment")
