"""One HTML page without a script: the findings of each file, with their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render.html.elements import element, markup
from rnnshape.render.plain_text import put
from rnnshape.render.scan.gathered import counted
from rnnshape.scan.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO
    from xml.etree.ElementTree import Element

    from rnnshape.scan.finding import Finding, Scanned

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
body { color-scheme: light dark; }
pre { overflow-x: auto; padding: .5rem; border-left: 3px solid #888; }
mark { background: #fd6; color: #000; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem; text-align: left; }
"""


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write the page when all files are read."""
    scanned = list(files)
    total = sum(len(one.findings) for one in scanned)
    counts = [
        element("tr", element("td", code), element("td", CODES[code].severity), element("td", f"{count:,}"))
        for code, count in counted(scanned)
    ]
    body = element(
        "body",
        element("h1", "What rnnshape scan found"),
        element("p", f"{total:,} findings in {len(scanned):,} files"),
        element("table", *counts) if counts else None,
        *(_file(one) for one in scanned if one.findings),
    )
    head = element(
        "head", element("meta", charset="utf-8"), element("title", "rnnshape scan"), element("style", _STYLE)
    )
    put(f"<!DOCTYPE html>\n{markup(element('html', head, body, lang='en'))}\n", stream)


def _file(scanned: Scanned) -> Element:
    return element("section", element("h2", scanned.file), *map(_finding, scanned.findings))


def _finding(finding: Finding) -> Element:
    start, end = finding.column - 1, finding.end_column - 1
    line = finding.shown
    return element(
        "article",
        element("h3", f"{finding.code} ({finding.severity})"),
        element("p", f"{finding.where}: {finding.message}"),
        element("pre", line[:start], element("mark", line[start:end]), line[end:]),
    )
