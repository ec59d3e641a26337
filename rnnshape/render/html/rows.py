"""The page of a batch: one line for each run, which opens into its report; a script sorts and filters the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.errors import Internal
from rnnshape.render.columns import cells, header
from rnnshape.render.html.elements import element, unbroken
from rnnshape.render.html.page import page
from rnnshape.render.html.parts import said
from rnnshape.render.html.report import context_and_verdict, environment, sections
from rnnshape.render.marks import UNICODE
from rnnshape.render.plain_text import put
from rnnshape.render.summary import verdict
from rnnshape.render.table import expectations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TextIO
    from xml.etree.ElementTree import Element

    from rnnshape.render import View
    from rnnshape.report.rows import Row, Tally

# The columns on a narrow screen.  The report has the others, and the name contains the axes of the matrices.
_NARROW = ("verdict", "name", "shapes", "checks")


def write(rows: Tally, stream: TextIO, view: View) -> None:
    """Write the page when all rows are ready."""
    axes = [f"matrix.{axis}" for axis in view.axes]
    columns = ["name", *axes, "input", "shapes", "params", "cudnn", "checks"]
    facts: dict[str, Any] = {}
    bodies = []
    for body, where in rows.drawn(lambda row: (_body(row, view, columns), row.data["environment"])):
        bodies.append(body)
        facts = facts or where
    head = element("header", element("h1", str(rows)), class_=None if rows.failed else "good")
    table = element("table", _head(columns), *bodies, class_="runs")
    put(page(str(rows), [head, _controls(), element("div", table, class_="scroll"), environment(facts)]), stream)


def _controls() -> Element:
    """The filter controls; hidden until the script runs."""
    choices = [
        element("label", element("input", type="radio", name="state", value=value, checked=value == "all"), f" {value}")
        for value in ("all", "ok", "failed")
    ]
    search = element("input", type="search", id="find", autocomplete="off", spellcheck="false")
    return element(
        "form",
        element("label", "Filter", search, class_="find"),
        element("fieldset", element("legend", "Show"), *choices),
        element("output", "", aria_live="polite"),
        id="filter",
        hidden=True,
    )


def _head(columns: list[str]) -> Element:
    """The two header lines: the columns, and below them the layer, which may be long."""
    heads = [_cell("th", name, name, scope="col") for name in ("verdict", *columns)]
    layer = element("th", "layer", scope="col", colspan=str(len(columns) + 1))
    return element("thead", element("tr", *heads), element("tr", layer))


def _cell(tag: str, column: str, text: str, *, scope: str | None = None) -> Element:
    return element(tag, *unbroken(text), scope=scope, class_=None if column in _NARROW else "wide")


def _body(row: Row, view: View, columns: list[str]) -> Element:
    """One run: its cells, and its layer, which opens into the report."""
    known = dict(zip(header(view), cells(row, view), strict=True))
    mark, style = verdict(row, UNICODE)
    word = "failed" if not row.ok else "ok" if style else "predicted"
    name, *others = columns
    summary = element(
        "tr",
        element("td", f"{mark} {word}", class_=style or None),
        element("th", known[name], scope="row"),
        *(_cell("td", column, known[column]) for column in others),
    )
    why = [element("p", failure.message, class_="bad") for failure in row.failures]
    layer = element("summary", element("code", row.run.asked or ""))
    details = element("details", layer, *_unfolded(row, view, known))
    more = element("tr", element("td", *why, details, colspan=str(len(columns) + 1)))
    return element("tbody", summary, more, class_="ok" if row.ok else "failed")


def _unfolded(row: Row, view: View, known: dict[str, str]) -> Iterator[Element]:
    if row.run.where is not None:
        yield element("p", f"{row.run.where.file}:{row.run.where.place().line}", class_="faint")
    if row.report is not None:
        yield from context_and_verdict(row.report)
        # The environment is shown once, below all runs.
        yield from (one for one in sections(row.report, view, level=3) if one.get("class") != "environment")
        return
    # A row without a Report: an error, or a row of an earlier batch.
    items = [part for name, value in known.items() if value for part in (element("dt", name), element("dd", value))]
    yield element("dl", *items)
    error = row.data["error"]
    if error and error["hint"] and error["kind"] != Internal.kind:  # an internal error already shows its hint above
        yield element("p", "Hint: ", error["hint"])
    yield from said(expectations(row.expectations, UNICODE)) if row.expectations else ()
    checks = [element("li", element("code", check["check"]), f": {check['why']}") for check in row.data["checks"]]
    if checks:
        yield element("ul", *checks)
