"""Named facts (of ``rnnshape env``) as a table or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


def write(facts: Mapping[str, Any], stream: TextIO, *, as_json: bool) -> None:
    """Write one fact on each line, or all as one JSON object."""
    if as_json:
        json.dump(facts, stream, indent=2)
        stream.write("\n")
        return
    from rich.text import Text

    from rnnshape.render.grid import pairs
    from rnnshape.render.terminal import show

    table = pairs()
    for name, value in facts.items():
        table.add_row(Text(name.replace("_", " "), "faint"), Text(_words(value)))
    show(table, stream)


def _words(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case dict():
            return " ".join(str(part) for part in (value["name"], value.get("model")) if part)
        case list():
            return ", ".join(map(_words, value))
        case _:
            return str(value)
