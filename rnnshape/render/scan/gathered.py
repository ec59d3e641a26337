"""Shared by the formats of a scan: counts of findings, and a file's results as data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rnnshape.scan.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.scan.finding import Scanned


def counted(files: Iterable[Scanned]) -> list[tuple[str, int]]:
    """The number of findings of each code, in the order of the codes."""
    counts = Counter(finding.code for scanned in files for finding in scanned.findings)
    return [(code, counts[code]) for code in CODES if code in counts]


def data_of(scanned: Scanned) -> dict[str, Any]:
    """The results of one file as JSON data."""
    return {
        "path": scanned.file,
        "unread": scanned.unread,
        "findings": [finding.to_dict() for finding in scanned.findings],
        "layers": [found.to_dict() for found in scanned.found],
    }


def has_results(scanned: Scanned) -> bool:
    """Whether a file has findings or layers, or cannot be read."""
    return bool(scanned.findings or scanned.found or scanned.unread)
