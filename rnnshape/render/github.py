"""Rows as workflow commands of GitHub Actions: every failure is an annotation at its line.

Source of the commands and their escapes: ``actions/toolkit``, ``packages/core/src/command.ts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render.columns import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from rnnshape.render import View
    from rnnshape.report.rows import Row, Tally

_IN_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_MESSAGE | str.maketrans({":": "%3A", ",": "%2C"})


def write_rows(rows: Tally, stream: TextIO, view: View) -> None:
    """Write an ``::error`` for every failure, a ``::warning`` for every warning of Keras, and the count."""
    for commands in rows.drawn(_commands):
        stream.write(commands)
        stream.flush()
    stream.write(f"{rows}\n")


def _commands(row: Row) -> str:
    errors = (_command("error", row, failure.message, failure.expect) for failure in row.failures)
    warnings = (_command("warning", row, warning) for warning in row.data.get("warnings", ()))
    return "".join((*errors, *warnings))


def _command(level: str, row: Row, message: str, expect: str | None = None) -> str:
    properties: dict[str, str] = {}
    if row.run.where is not None:
        place = row.run.where.place(expect)
        properties = {
            "file": row.run.where.file,
            "line": str(place.line),
            "col": str(place.column),
            "endColumn": str(place.end_column),
        }
    properties["title"] = row.run.name or row.run.asked or "rnnshape"
    return command(level, properties, message)


def command(level: str, properties: Mapping[str, str], message: str) -> str:
    """One workflow command, escaped."""
    said = ",".join(f"{name}={value.translate(_IN_PROPERTY)}" for name, value in properties.items())
    return visible(f"::{level} {said}::{message.translate(_IN_MESSAGE)}\n")
