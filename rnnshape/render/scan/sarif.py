"""SARIF 2.1.0, for GitHub's code scanning and editors.

Source: OASIS, "Static Analysis Results Interchange Format Version 2.1.0".
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rnnshape.scan.codes import CODES, section
from rnnshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Finding, Scanned

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write one log with one run when all files are read."""
    results = [_result(finding) for scanned in files for finding in scanned.findings]
    driver = {"name": "rnnshape", "version": __version__, "rules": [_rule(code) for code in CODES]}
    # Columns count Unicode characters; the default of the format is UTF-16 units.
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    json.dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _rule(code: str) -> dict[str, Any]:
    known = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": known.happens},
        "help": {"text": f"{known.do} See {section(code)}."},
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
    }


def _result(finding: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _address(finding.file)}}
    if finding.cell is None:
        place["region"] = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "endColumn": finding.end_column,
            "snippet": {"text": finding.shown},
        }
    cell = "" if finding.cell is None else f" (cell {finding.cell}, line {finding.line})"
    return {
        "ruleId": finding.code,
        "ruleIndex": list(CODES).index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}{cell}"},
        "locations": [{"physicalLocation": place}],
    }


def _address(file: str) -> str:
    """The path as a URI; a relative path stays relative."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
