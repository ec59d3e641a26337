"""``python -m benchmarks``: measure, print, and write the tables to ``benchmarks/results/``.

python -m benchmarks                            # everything, about ten minutes
python -m benchmarks --only lengths --rounds 9  # one table again; the others do not change
"""

from __future__ import annotations

import argparse
import compileall
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rnnshape
from benchmarks import batches, exploring, layers, one_layer, parts, predictions, processes, report, saved, scanning

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.pairs import Row

BENCHMARKS: dict[str, Callable[[int], list[Row]]] = {
    "processes": processes.processes,
    "predictions": predictions.predictions,
    "layers": layers.layers,
    "parts": parts.parts,
    "lengths": one_layer.lengths,
    "sizes": one_layer.sizes,
    "batches": batches.batches,
    "jobs": batches.jobs,
    "scanning": scanning.scanning,
    "saved": saved.saved,
    "exploring": exploring.exploring,
}


def main() -> None:
    """Run the chosen benchmarks, and write each table as soon as it is measured."""
    options = _options()
    # The messages of TensorFlow at import belong to neither side.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # pip compiles a package; an editable install would be compiled at each start if bytecode cannot be written.
    compileall.compile_dir(Path(rnnshape.__file__).parent, quiet=1)
    for name in options.only or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        benchmark = BENCHMARKS[name]
        section = report.Section.of(benchmark, report.facts(), benchmark(options.rounds))
        report.keep(name, section, order=list(BENCHMARKS))
        print(section.markdown())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The cost of rnnshape, as ratios.")
    parser.add_argument(
        "--only",
        action="append",
        choices=BENCHMARKS,
        metavar="NAME",
        help=f"one of {', '.join(BENCHMARKS)}; repeatable",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="measurements of each side, in turn (default: 5)"
    )
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return options


if __name__ == "__main__":
    main()
