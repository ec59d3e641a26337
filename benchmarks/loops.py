"""One process that looks at many layers, one after the other: ``python -m benchmarks.loops ours``.

It is run by ``layers.py``, each side in a process of its own, so that neither inherits the other's
memory, and prints its measurements as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.questions import explore, look_by_hand, mix

# TensorFlow, its threads and its pools come with the first layers; what counts is what every layer adds.
WARM_UP = 50
MEASURED = 500

SIDES = {"ours": explore, "by hand": look_by_hand}


def loop(side: str) -> dict[str, float]:
    """Seconds a layer and megabytes that stay, over the layers after the first ones."""
    look, questions = SIDES[side], mix(0, WARM_UP + MEASURED)
    for question in questions[:WARM_UP]:
        look(question)
    before, began = resident(), perf_counter()
    for question in questions[WARM_UP:]:
        look(question)
    elapsed = perf_counter() - began
    return {"seconds": elapsed / MEASURED, "megabytes": resident() - before}


def resident() -> float:
    """Megabytes of memory that this process holds, after what can be collected has been."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource  # no /proc, so the most that was ever held; it is given in bytes on a Mac

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    print(json.dumps(loop(sys.argv[1])))
