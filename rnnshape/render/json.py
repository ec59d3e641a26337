"""One indented JSON object; for a batch, an array with one object on each line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from rnnshape.render import View
    from rnnshape.report import Report
    from rnnshape.report.comparison import Compared
    from rnnshape.report.rows import Row, Tally

# ``json.dumps`` would make a new encoder for every row, and check for circular references.
_ENCODER = json.JSONEncoder(allow_nan=False, check_circular=False)


def write(report: Report, stream: TextIO, view: View) -> None:
    """Write a Report as one JSON object."""
    json.dump(report.to_dict(values=view.values), stream, indent=2, allow_nan=False)
    stream.write("\n")


def write_comparison(compared: Compared, stream: TextIO) -> None:
    """Write a comparison."""
    json.dump(compared.to_dict(), stream, indent=2, allow_nan=False)
    stream.write("\n")


def as_line(row: Row) -> str:
    """A row as JSON on one line."""
    return _ENCODER.encode(row.data)


def write_rows(rows: Tally, stream: TextIO, view: View) -> None:
    """Write one array; it is closed even after an exception, so that finished rows are valid JSON."""
    stream.write("[")
    before = "\n"
    try:
        for line in rows.drawn(as_line):
            stream.write(before + line)
            before = ",\n"
    finally:
        stream.write("\n]\n")
