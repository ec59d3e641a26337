"""``rnnshape schema``: print the JSON Schemas for programs and editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rnnshape.cli.output import destination

if TYPE_CHECKING:
    from collections.abc import Mapping


def write(what: str, output: Mapping[str, Any]) -> None:
    """Write the JSON Schema of a batch ``"file"``, a ``"report"`` or a comparison (``"compare"``)."""
    if what == "report":
        from rnnshape.schema.report import report as schema
    elif what == "compare":
        from rnnshape.schema.comparison import comparison as schema
    else:
        from rnnshape.schema.file import batch_file as schema
    with destination(output.get("output_file")) as stream:
        json.dump(schema(), stream, indent=2)
        stream.write("\n")
