"""One process that runs many layers, one after the other: ``python -m benchmarks.loops ours``.

``layers.py`` runs each side in its own process, so that the memory of one does not affect the other.  The measurements
are printed as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.questions import explore, look_by_hand, mix

# The first layers load TensorFlow, its threads and its pools; only the cost of further layers counts.
WARM_UP = 50
MEASURED = 500

SIDES = {"ours": explore, "by hand": look_by_hand}


def loop(side: str) -> dict[str, float]:
    """Seconds for each layer and the growth in megabytes, over the layers after the first ones."""
    look, questions = SIDES[side], mix(0, WARM_UP + MEASURED)
    for question in questions[:WARM_UP]:
        look(question)
    before, began = resident(), perf_counter()
    for question in questions[WARM_UP:]:
        look(question)
    elapsed = perf_counter() - began
    return {"seconds": elapsed / MEASURED, "megabytes": resident() - before}


def resident() -> float:
    """The memory of this process in megabytes, after a garbage collection."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource  # without /proc, the peak memory; macOS gives it in bytes

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    print(json.dumps(loop(sys.argv[1])))
