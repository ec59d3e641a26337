"""Findings, edits and the results of one file: plain data that can be pickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnnshape.scan.codes import CODES, section


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the code: ``text`` replaces the characters from ``start`` to ``end``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: its code, place and message.

    Lines and columns start at 1; ``cell`` is the number of a notebook's cell, and ``line`` is a line of that cell.
    ``shown`` is the text of the line; ``end_column`` is one past the end, on the same line.  ``edits`` fix the problem
    and may be empty.  ``layer`` is the source text of the call.
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
        """The finding as JSON data."""
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
    """A layer, a model or wired calls in a file: the place, what it returns and its cost.

    ``tensors`` are the roles and symbolic shapes of the returned tensors; ``flow`` has each layer of a model and what
    it returns; ``input`` is the shape of the input if the file gives one.
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
    """The results of one file; ``unread`` says why it cannot be read (None: it was read)."""

    file: str
    findings: tuple[Finding, ...] = ()
    found: tuple[Found, ...] = ()
    unread: str | None = None

    @property
    def ok(self) -> bool:
        """Whether there are no findings."""
        return not self.findings
