"""Drawing: one small renderer a format, found by its name.

A renderer takes a Report, or the rows of a batch, a text stream and a View; it knows nothing of Keras and is
imported when its format is asked for.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from rnnshape.report import Report
    from rnnshape.report.comparison import Compared
    from rnnshape.report.rows import Row, Tally
    from rnnshape.scan.finding import Scanned

    Renderer = Callable[[Report, TextIO, "View"], None]
    RowsRenderer = Callable[[Tally, TextIO, "View"], None]
    ComparisonRenderer = Callable[[Compared, TextIO], None]
    ScanRenderer = Callable[[Iterable[Scanned], TextIO], None]


ON_DEMAND = ("values", "weights", "cost", "cudnn", "diagram")
"""The parts of the table view that are there only where a flag of the same name asks for them."""


class View(Struct, frozen=True):
    """What to show beside the answer: numbers, weights, the cost, cuDNN's rules, a diagram.

    ``axes`` is what the matrices of a batch vary; ``every`` asks for all of its runs where a terminal would show
    only failures.
    """

    values: bool = False
    weights: bool = False
    cost: bool = False
    cudnn: bool = False
    diagram: bool = False
    axes: tuple[str, ...] = ()
    every: bool = False

    @classmethod
    def of(cls, parts: Iterable[str]) -> View:
        """With those of the parts that are there only on demand."""
        shown: dict[str, Any] = {part: True for part in parts if part in ON_DEMAND}
        return cls(**shown)


class _Format(NamedTuple):
    """Where the function is that writes one Report, the one that writes rows and the one for a comparison.

    Rows ``streams`` one at a time; ``line`` is the function that makes a row's text where that is one line of its own.
    ``audit`` is the function that writes the rows of an audit, where these are not written as those of a batch.
    """

    report: str | None
    rows: str | None
    streams: bool = True
    comparison: str | None = None
    line: str | None = None
    audit: str | None = None


_FORMATS = {
    "table": _Format("table:write", "summary:write", streams=False, comparison="comparison:write", audit="audit:write"),
    "json": _Format("json:write", "json:write_rows", comparison="json:write_comparison", line="json:as_line"),
    "jsonl": _Format("jsonl:write", "jsonl:write_rows", comparison="jsonl:write_comparison", line="json:as_line"),
    "csv": _Format(None, "delimited:write_csv"),
    "tsv": _Format(None, "delimited:write_tsv"),
    "markdown": _Format(
        "markdown:write",
        "markdown:write_rows",
        comparison="markdown:write_comparison",
        audit="markdown:write_audit",
    ),
    # How many runs are ok stands at the top of the page, above the rows.
    "html": _Format("html.report:write", "html.rows:write", streams=False, comparison="html.comparison:write"),
    "svg": _Format("recorded:write", "recorded:write_rows", streams=False, comparison="recorded:write_comparison"),
    "junit": _Format(None, "junit:write_rows", streams=False),
    "github": _Format(None, "github:write_rows"),
    "code": _Format("code:write", None),
}
_ENDINGS = {
    "txt": "table",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "csv": "csv",
    "tsv": "tsv",
    "md": "markdown",
    "markdown": "markdown",
    "html": "html",
    "htm": "html",
    "svg": "svg",
    "xml": "junit",
    "py": "code",
}
"""The endings of the files that hold a format."""
FORMATS = tuple(name for name, form in _FORMATS.items() if form.report)
ROWS_FORMATS = tuple(name for name, form in _FORMATS.items() if form.rows)
COMPARISON_FORMATS = tuple(name for name, form in _FORMATS.items() if form.comparison)


def by_ending(file: str) -> str | None:
    """The format that a file of this name holds, if its ending says so.

    >>> by_ending("answers/lstm.HTML"), by_ending("rows.xml"), by_ending("lstm")
    ('html', 'junit', None)
    """
    return _ENDINGS.get(PurePath(file).suffix.lower().removeprefix("."))


def renderer(name: str) -> Renderer:
    """The function that writes a Report in this format."""
    write: Renderer = _function(_FORMATS[name].report)
    return write


def rows_renderer(name: str) -> RowsRenderer:
    """The function that writes the rows of a batch in this format."""
    write: RowsRenderer = _function(_FORMATS[name].rows)
    return write


def comparison_renderer(name: str) -> ComparisonRenderer:
    """The function that writes a comparison in this format."""
    write: ComparisonRenderer = _function(_FORMATS[name].comparison)
    return write


def audit_renderer(name: str) -> RowsRenderer:
    """The function that writes the rows of an audit in this format: its tables, or the rows one by one."""
    form = _FORMATS[name]
    write: RowsRenderer = _function(form.audit or form.rows)
    return write


def line_of(name: str) -> Callable[[Row], str] | None:
    """The function that makes the text of one row by itself, in a format that has such a text."""
    place = _FORMATS[name].line
    return None if place is None else _function(place)


def streams(name: str) -> bool:
    """Whether a row is written as soon as it is there."""
    return _FORMATS[name].streams


def notebook(answer: Report | Compared) -> str:
    """What a notebook shows of an answer: a piece of HTML."""
    show: Callable[[Report | Compared], str] = _function("html.notebook:shown")
    return show(answer)


def _function(place: str | None) -> Any:
    module, _, name = (place or "").partition(":")
    return getattr(import_module(f"rnnshape.render.{module}"), name)


# What a scan found: each format, and whether it is written file by file.
_OF_SCANS = {
    "text": True,
    "json": False,
    "jsonl": True,
    "github": True,
    "sarif": False,
    "junit": False,
    "markdown": False,
    "html": False,
}
SCAN_FORMATS = tuple(_OF_SCANS)


def scan_by_ending(file: str) -> str | None:
    """The format of findings that a file of this name holds, if its ending says so.

    >>> scan_by_ending("findings.sarif"), scan_by_ending("findings.txt"), scan_by_ending("findings.csv")
    ('sarif', 'text', None)
    """
    if file.lower().endswith((".sarif", ".txt")):
        return "sarif" if file.lower().endswith(".sarif") else "text"
    form = by_ending(file)
    return form if form in _OF_SCANS else None


def scan_streams(name: str) -> bool:
    """Whether a format of findings is written file by file, and not at the end."""
    return _OF_SCANS[name]


def scan_renderer(name: str) -> ScanRenderer:
    """The function that writes what a scan found in this format."""
    write: ScanRenderer = _function(f"scan.{name}:write")
    return write
