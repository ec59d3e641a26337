"""Rows as a Markdown table, for issues and pull requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnnshape.render.columns import cells, header

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.batch import Tally
    from rnnshape.render import View

# What Markdown would read as its own; a name is a user's text.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")


def write_rows(rows: Tally, stream: TextIO, view: View) -> None:
    """Write a table of all rows and a line that counts them."""
    names = header(view)
    stream.write(_line(names) + _line(["---"] * len(names)))
    for row in rows:
        stream.write(_line(_cell(cell) for cell in cells(row, view)))
        stream.flush()
    stream.write(f"\n{rows}\n")


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |\n"


def _cell(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
