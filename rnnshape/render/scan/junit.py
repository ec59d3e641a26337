"""JUnit XML: a suite for each file, with a failed test case for each finding, or one passed test case."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from rnnshape.render.junit import put_suites
from rnnshape.render.plain_text import xml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Finding, Scanned


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write one document when all files are read."""
    root = Element("testsuites", name="rnnshape")
    for scanned in files:
        suite = SubElement(root, "testsuite", name=xml(scanned.file))
        if scanned.unread is not None:
            case = SubElement(suite, "testcase", name="read", classname=xml(scanned.file))
            SubElement(case, "error", message=xml(scanned.unread))
        elif not scanned.findings:
            SubElement(suite, "testcase", name="no findings", classname=xml(scanned.file))
        suite.extend(map(_case, scanned.findings))
    put_suites(root, stream)


def _case(finding: Finding) -> Element:
    case = Element("testcase", name=xml(f"{finding.code} {finding.where}"), classname=xml(finding.file))
    case.set("file", xml(finding.file))
    case.set("line", str(finding.line))
    failure = SubElement(case, "failure", type=finding.severity, message=xml(finding.message))
    failure.text = xml(f"{finding.where}: {finding.code} {finding.message}\n{finding.shown}")
    return case
