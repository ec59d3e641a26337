"""JSON Lines: one line for each finding, and with ``--layers`` one for each layer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rnnshape.render.scan.gathered import data_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Scanned


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write the lines of each file as soon as it is scanned."""
    for scanned in files:
        for data in (
            *data_of(scanned)["findings"],
            *({"path": scanned.file, **one.to_dict()} for one in scanned.found),
        ):
            stream.write(json.dumps(data, ensure_ascii=False) + "\n")
        stream.flush()
