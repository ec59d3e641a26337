"""The output formats: one small renderer for each, found by name.

A renderer takes a Report (or the rows of a batch), a text stream and a View.  It does not depend on Keras, and is
imported when its format is used.
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
"""The parts of the table view that need a flag of the same name."""


class View(Struct, frozen=True):
    """The optional parts to show: values, weights, cost, cuDNN rules, a diagram.

    ``axes`` are the axes of a batch's matrices; ``every`` shows all runs of a batch where a terminal would show only
    failures.
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
        """A View with those of ``parts`` that are in ``ON_DEMAND``."""
        shown: dict[str, Any] = {part: True for part in parts if part in ON_DEMAND}
        return cls(**shown)


class _Format(NamedTuple):
    """The functions of a format, as ``module:name``: for one Report, for the rows of a batch, for a comparison.

    ``streams`` is true if rows are written one by one.  ``line`` makes the text of a row that does not depend on
    other rows.  ``audit`` writes the rows of an audit; without it, ``rows`` does.
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
        "markdown:write", "markdown:write_rows", comparison="markdown:write_comparison", audit="markdown:write_audit"
    ),
    # Does not stream, because the number of passed runs comes before the rows.
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
"""The format of each file extension."""
FORMATS = tuple(name for name, form in _FORMATS.items() if form.report)
ROWS_FORMATS = tuple(name for name, form in _FORMATS.items() if form.rows)
COMPARISON_FORMATS = tuple(name for name, form in _FORMATS.items() if form.comparison)


def by_ending(file: str) -> str | None:
    """The format for the extension of a file name; None if there is none.

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
    """The function that writes the rows of an audit in this format."""
    form = _FORMATS[name]
    write: RowsRenderer = _function(form.audit or form.rows)
    return write


def line_of(name: str) -> Callable[[Row], str] | None:
    """The function that makes the text of one row; None if the format has no such text."""
    place = _FORMATS[name].line
    return None if place is None else _function(place)


def streams(name: str) -> bool:
    """Whether the format writes each row as soon as it is ready."""
    return _FORMATS[name].streams


def notebook(answer: Report | Compared) -> str:
    """An answer as HTML for a notebook."""
    show: Callable[[Report | Compared], str] = _function("html.notebook:shown")
    return show(answer)


def _function(place: str | None) -> Any:
    module, _, name = (place or "").partition(":")
    return getattr(import_module(f"rnnshape.render.{module}"), name)


# The formats of scan, and whether they are written file by file.
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
    """The format of findings for the extension of a file name; None if there is none.

    >>> scan_by_ending("findings.sarif"), scan_by_ending("findings.txt"), scan_by_ending("findings.csv")
    ('sarif', 'text', None)
    """
    form = {".sarif": "sarif", ".txt": "text"}.get(PurePath(file).suffix.lower()) or by_ending(file)
    return form if form in _OF_SCANS else None


def scan_streams(name: str) -> bool:
    """Whether a format of findings is written file by file."""
    return _OF_SCANS[name]


def scan_renderer(name: str) -> ScanRenderer:
    """The function that writes the results of a scan in this format."""
    write: ScanRenderer = _function(f"scan.{name}:write")
    return write
