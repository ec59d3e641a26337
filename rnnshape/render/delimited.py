"""Rows as CSV and TSV with a header, for spreadsheets and pandas."""

from __future__ import annotations

import csv
from functools import partial
from typing import TYPE_CHECKING

from rnnshape.render.columns import cells, header

if TYPE_CHECKING:
    from typing import TextIO

    from rnnshape.render import View
    from rnnshape.report.rows import Tally


def write_csv(rows: Tally, stream: TextIO, view: View) -> None:
    """Write CSV as in RFC 4180, but with ``\\n`` as line break."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header(view))
    for fields in rows.drawn(partial(cells, view=view)):
        writer.writerow(fields)
        stream.flush()


def write_tsv(rows: Tally, stream: TextIO, view: View) -> None:
    """Write fields without quotes for ``cut`` and ``awk``; tabs and line breaks in a field become blanks."""
    stream.write("\t".join(header(view)) + "\n")
    for fields in rows.drawn(partial(cells, view=view)):
        stream.write("\t".join(" ".join(cell.split()) for cell in fields) + "\n")
        stream.flush()
