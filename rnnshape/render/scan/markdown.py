"""Markdown: a table of the findings, and the number of findings of each code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render.scan.gathered import counted
from rnnshape.scan.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Scanned


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write both tables when all files are read."""
    scanned = list(files)
    findings = [finding for one in scanned for finding in one.findings]
    if not findings:
        stream.write(f"No findings in {len(scanned):,} files.\n")
        return
    stream.write("| place | code | severity | message |\n| --- | --- | --- | --- |\n")
    for finding in findings:
        cells = (_cell(finding.where), finding.code, finding.severity, _cell(finding.message))
        stream.write(f"| {' | '.join(cells)} |\n")
    stream.write("\n| code | severity | count |\n| --- | --- | --- |\n")
    for code, count in counted(scanned):
        stream.write(f"| {code} | {CODES[code].severity} | {count:,} |\n")


def _cell(text: str) -> str:
    """Text escaped for a table cell."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>|" else sign for sign in " ".join(text.split()))
