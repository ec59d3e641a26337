"""JSON Lines: one object on each line, for pipelines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rnnshape.render.json import as_line

if TYPE_CHECKING:
    from typing import TextIO

    from rnnshape.render import View
    from rnnshape.report import Report
    from rnnshape.report.comparison import Compared
    from rnnshape.report.rows import Tally


def write(report: Report, stream: TextIO, view: View) -> None:
    """Write a Report as one line."""
    stream.write(json.dumps(report.to_dict(values=view.values), allow_nan=False) + "\n")


def write_comparison(compared: Compared, stream: TextIO) -> None:
    """Write a comparison as one line."""
    stream.write(json.dumps(compared.to_dict(), allow_nan=False) + "\n")


def write_rows(rows: Tally, stream: TextIO, view: View) -> None:
    """Write one line for each row and flush it at once."""
    for line in rows.drawn(as_line):
        stream.write(line + "\n")
        stream.flush()
