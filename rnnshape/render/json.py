"""One JSON object, indented for people who look at it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from rnnshape.render import View
    from rnnshape.report import Report


def write(report: Report, stream: TextIO, view: View) -> None:
    """Write the contract's object."""
    json.dump(report.to_dict(values=view.values), stream, indent=2, allow_nan=False)
    stream.write("\n")
