"""A finding, an edit, and what one file gives: plain data that pickles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnnshape.scan.codes import CODES, section


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the text: the characters ``start`` to ``end`` become ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that will go wrong: its code, its place, and its message.

    Lines and columns count from 1; ``cell`` is the number of a notebook's cell, and ``line`` is then counted in it.
    ``shown`` is the text of the line; ``end_column`` is one past the end, on the same line.  ``edits`` mend it, if one
    change does.  ``layer`` is the call that it is about, as the code has it.
    """

    code: str
    message: str
    file: str
    line: int
    column: int
    end_column: int
    shown: str
    cell: int | None = None
    edits: tuple[Edit, ...] = ()
    layer: str | None = None

    @property
    def severity(self) -> str:
        return CODES[self.code].severity

    @property
    def where(self) -> str:
        """``model.py:3:5``, ``notes.ipynb:cell 2:3:5``."""
        cell = "" if self.cell is None else f"cell {self.cell}:"
        return f"{self.file}:{cell}{self.line}:{self.column}"

    def to_dict(self) -> dict[str, Any]:
        """The contract's finding."""
        cell = {} if self.cell is None else {"cell": self.cell}
        return {
            "path": self.file,
            **cell,
            "line": self.line,
            "column": self.column,
            "end_line": self.line,
            "end_column": self.end_column,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "fix": CODES[self.code].do,
            "layer": self.layer,
            "page": section(self.code),
            "fixable": bool(self.edits),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A layer, a model or wired calls that a file makes: where it is, what it returns and what it costs.

    ``tensors`` are the symbolic shapes of what it returns, by role; ``flow`` what each layer of a model returns;
    ``input`` is the shape of the input where the file says something of it.
    """

    name: str | None
    expression: str
    line: int
    cell: int | None
    returns: str
    tensors: tuple[tuple[str, tuple[str, ...]], ...]
    flow: tuple[tuple[str, str], ...]
    params: int
    macs: int
    let: tuple[tuple[str, int | float], ...] = ()
    input: tuple[int, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "expression": self.expression,
            "line": self.line,
            "cell": self.cell,
            "returns": self.returns,
            "flow": [{"layer": layer, "returns": returned} for layer, returned in self.flow],
            "params": self.params,
            "macs": self.macs,
            "let": dict(self.let),
        }


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one file gives; ``unread`` says why it could not be read, if it could not."""

    file: str
    findings: tuple[Finding, ...] = ()
    found: tuple[Found, ...] = ()
    unread: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
