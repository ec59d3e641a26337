"""One JSON document: the files with results, and the number of findings of each code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rnnshape.render.scan.gathered import counted, data_of, has_results
from rnnshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Scanned


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write the document when all files are scanned."""
    scanned = list(files)
    document = {
        "rnnshape": __version__,
        "scanned": len(scanned),
        "counts": dict(counted(scanned)),
        "files": [data_of(one) for one in scanned if has_results(one)],
    }
    json.dump(document, stream, indent=2, ensure_ascii=False)
    stream.write("\n")
