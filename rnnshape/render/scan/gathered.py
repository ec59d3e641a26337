"""What formats that are written at the end have in common: the files, and the findings counted by code."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rnnshape.scan.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.scan.finding import Scanned


def counted(files: Iterable[Scanned]) -> list[tuple[str, int]]:
    """How often each code was found, in the order of the codes."""
    counts = Counter(finding.code for scanned in files for finding in scanned.findings)
    return [(code, counts[code]) for code in CODES if code in counts]


def data_of(scanned: Scanned) -> dict[str, Any]:
    """What was found in one file, as JSON holds it."""
    return {
        "path": scanned.file,
        "unread": scanned.unread,
        "findings": [finding.to_dict() for finding in scanned.findings],
        "layers": [found.to_dict() for found in scanned.found],
    }


def told(scanned: Scanned) -> bool:
    """Whether there is anything to tell of a file."""
    return bool(scanned.findings or scanned.found or scanned.unread)
