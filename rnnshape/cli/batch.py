"""``rnnshape batch``: many runs from files or from standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rnnshape.batch import Row, Run, from_files, from_lines, rows
from rnnshape.cli.output import destination
from rnnshape.errors import OK
from rnnshape.render import View
from rnnshape.render.batch import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


def batch(files: Sequence[str], output: Mapping[str, Any]) -> int:
    """Answer every run of the files (``-`` is standard input, a run a line) in order; the worst exit code.

    Raises:
        Unreadable: a file has mistakes; nothing was run.
        Invalid: a file cannot be opened.
    """
    code = OK

    def counted(all_rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal code
        for row in all_rows:
            code = max(code, row.exit_code)
            yield row
            if code != OK and output.get("fail_fast"):
                return

    found = rows(_runs(files), predict=output.get("predict", False))
    with destination(output.get("output_file")) as stream:
        FORMATS[output.get("format", "table")](counted(found), stream, View(values=output.get("values", False)))
    return code


def _runs(files: Sequence[str]) -> Iterable[Run]:
    if list(files) == ["-"]:
        return from_lines(sys.stdin, "<stdin>")
    return from_files(files)
