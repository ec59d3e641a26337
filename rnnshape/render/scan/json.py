"""One JSON document: the files with something to tell, and the findings counted by code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rnnshape.render.scan.gathered import counted, data_of, told
from rnnshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Scanned


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write the document when all files are read."""
    scanned = list(files)
    document = {
        "rnnshape": __version__,
        "scanned": len(scanned),
        "counts": dict(counted(scanned)),
        "files": [data_of(one) for one in scanned if told(one)],
    }
    json.dump(document, stream, indent=2, ensure_ascii=False)
    stream.write("\n")
