"""JSON Lines: one line for each file with something to tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rnnshape.render.scan.gathered import data_of, told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Scanned


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write each line as soon as its file is read."""
    for scanned in files:
        if told(scanned):
            stream.write(json.dumps(data_of(scanned), ensure_ascii=False) + "\n")
            stream.flush()
