"""Rows as JUnit XML for CI servers: a suite for each file, a test case for each run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rnnshape.render.columns import cells, header
from rnnshape.render.plain_text import put, xml

if TYPE_CHECKING:
    from typing import TextIO

    from rnnshape.render import View
    from rnnshape.report.rows import Row, Tally

_BY_HAND = ("expectation", "check", "disagreement")


def write_rows(rows: Tally, stream: TextIO, view: View) -> None:
    """Write one document: an unmet check or expectation is a failure, a run without an answer is an error."""
    root = Element("testsuites", name="rnnshape")
    suites: dict[str, Element] = {}
    for case in rows.drawn(partial(_case, view=view)):
        file = case.get("classname", "")
        if file not in suites:
            suites[file] = SubElement(root, "testsuite", name=file)
        suites[file].append(case)
    put_suites(root, stream)


def put_suites(root: Element, stream: TextIO) -> None:
    """Write the document of these suites, with the numbers of test cases, failures and errors in them."""
    for element in (root, *root):
        for attribute, path in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            element.set(attribute, str(sum(1 for _ in element.iter(path))))
    indent(root)
    put(f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n', stream)


def _case(row: Row, view: View) -> Element:
    file = row.run.where.file if row.run.where else "<stdin>"
    case = Element("testcase", name=xml(row.run.name or row.run.asked or ""), classname=xml(file))
    if row.run.where is not None:
        case.set("file", xml(row.run.where.file))
        case.set("line", str(row.run.where.place().line))
    properties = SubElement(case, "properties")
    for name, value in zip(header(view), cells(row, view), strict=True):
        if value:
            SubElement(properties, "property", name=xml(name), value=xml(value))
    failures = row.failures
    if failures:
        first = failures[0]
        broken = SubElement(case, "failure" if first.kind in _BY_HAND else "error", type=first.kind)
        broken.set("message", xml(first.message.splitlines()[0]))
        broken.text = xml("\n".join(failure.message for failure in failures))
    return case
