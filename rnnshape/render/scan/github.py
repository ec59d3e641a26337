"""Workflow commands of GitHub Actions: every finding is an annotation at its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render.github import command

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Finding, Scanned

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write an ``::error`` for each error, a ``::warning`` for each warning, a ``::notice`` for the rest."""
    for scanned in files:
        for finding in scanned.findings:
            stream.write(_annotation(finding))
        stream.flush()


def _annotation(finding: Finding) -> str:
    properties = {"file": finding.file}
    if finding.cell is None:  # a line in a cell is not a line of the notebook's JSON
        properties |= {"line": str(finding.line), "col": str(finding.column), "endColumn": str(finding.end_column)}
    cell = "" if finding.cell is None else f" (cell {finding.cell}, line {finding.line})"
    return command(_LEVELS[finding.severity], {**properties, "title": finding.code}, f"{finding.message}{cell}")
