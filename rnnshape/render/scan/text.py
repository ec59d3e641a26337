"""Text: ``path:line:column: code message``, then the line with a caret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.reading.places import marked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Finding, Found, Scanned


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write the layers (with ``--layers``) and findings of each file as soon as it is scanned."""
    for scanned in files:
        for found in scanned.found:
            stream.write(_layer(scanned.file, found))
        for finding in scanned.findings:
            stream.write(_finding(finding))
        if scanned.found or scanned.findings:
            stream.flush()


def _finding(finding: Finding) -> str:
    head = f"{finding.where}: {finding.code} {finding.message}"
    shown, mark = marked(finding.shown, finding.column - 1, finding.end_column - 1)
    return f"{head}\n    {shown}\n    {mark}\n"


def _layer(file: str, found: Found) -> str:
    """A layer or model with what it returns, and the layers of a model."""
    cell = "" if found.cell is None else f"cell {found.cell}:"
    name = f"{found.name} = " if found.name else ""
    wired = "\n" in found.expression
    what = "wired calls" if wired else f"{name}{found.expression}"
    lines = [f"{file}:{cell}{found.line}: {what}"]
    lines += [f"    {layer} -> {returned}" for layer, returned in found.flow]
    lines.append(f"    returns {found.returns}; {found.params:,} parameters, {found.macs:,} multiply-adds")
    if found.let:
        lines.append(f"    with {', '.join(f'{key}={value}' for key, value in found.let)}")
    return "\n".join(lines) + "\n"
