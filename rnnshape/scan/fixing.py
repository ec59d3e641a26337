"""Fix findings: make the edits of findings, and keep each edit only if it leaves fewer findings.

>>> from rnnshape.scan.settings import Chosen
>>> from rnnshape.scan.texts import Text
>>> code = "import keras\\nlayer = keras.layers.LSTM(8, time_major=False)\\n"
>>> print(fixed(Text("model.py", code), Chosen()).code)
import keras
layer = keras.layers.LSTM(8)
<BLANKLINE>
"""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff
from typing import TYPE_CHECKING

from rnnshape.scan.one import scan_text
from rnnshape.scan.texts import encoding_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.scan.finding import Edit, Finding
    from rnnshape.scan.settings import Chosen
    from rnnshape.scan.texts import Text

_MOST_EDITS = 200


def fixed(text: Text, chosen: Chosen, *, keras: str | None = None) -> Text:
    """The text with every edit that leaves fewer findings."""
    for _ in range(_MOST_EDITS):
        findings = scan_text(text, keras=keras).findings
        for finding in findings:
            if not finding.edits or not chosen.includes(finding.code):
                continue
            edited = replace(text, code=_edited(text.code, finding.edits))
            if _count(scan_text(edited, keras=keras).findings) < _count(findings):
                text = edited
                break
        else:
            break
    return text


def _count(findings: Sequence[Finding]) -> tuple[int, int]:
    """The numbers of errors and of findings: fewer errors are better, because a fixed one may reveal other findings."""
    return sum(finding.severity == "error" for finding in findings), len(findings)


def _edited(code: str, edits: Sequence[Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        code = code[: edit.start] + edit.text + code[edit.end :]
    return code


def diff(before: Text, after: Text) -> str:
    """The changes as a unified diff; empty if there are none."""
    old, new = (text.code.splitlines(keepends=True) for text in (before, after))
    parts = unified_diff(old, new, f"a/{before.name}", f"b/{before.name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in parts)


def as_written(before: bytes, after: Text) -> bytes | None:
    """The bytes of a fixed file, with the encoding and line breaks of the bytes before.

    None if these mix line breaks.
    """
    mark, encoding = encoding_of(before, after.name)
    text = before.removeprefix(mark).decode(encoding)
    breaks = text.count("\r\n")
    if breaks not in (0, text.count("\n")) or text.count("\r") != breaks:
        return None
    code = after.code.replace("\n", "\r\n") if breaks else after.code
    return mark + code.encode(encoding)
