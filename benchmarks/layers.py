"""Many verified layers in one process: their time, and the memory that stays in use."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.loops import MEASURED, SIDES
from benchmarks.pairs import Row, Target, Unit, in_turn
from benchmarks.processes import finished

if TYPE_CHECKING:
    from collections.abc import Callable


def layers(rounds: int) -> list[Row]:
    """Many layers in one process.

    `rnnshape.explore` in a loop against a hand-written loop that builds the same Keras layers, calls them on
    random input and fetches the values.  Each side runs in a new process; 500 layers are measured after the
    first 50.  Memory is the growth of the process between the first 50 layers and the end.
    """
    taken = in_turn({side: partial(_loop, side) for side in SIDES}, rounds)

    def row(what: str, unit: Unit, value: Callable[[dict[str, float]], float], *targets: Target) -> Row:
        ours, theirs = (tuple(map(value, taken[side])) for side in SIDES)
        return Row(what, "a loop by hand", unit, ours, theirs, targets)

    return [
        row("a verified layer", "s", lambda run: run["seconds"], Target("ratio", "≤", 1.10)),
        row("verified layers a second", "/s", lambda run: 1 / run["seconds"]),
        row(f"memory that {MEASURED} layers leave", "MB", lambda run: run["megabytes"], Target("ours", "≤", 20)),
        row("memory that a layer leaves", "kB", lambda run: run["megabytes"] * 1000 / MEASURED),
    ]


def _loop(side: str) -> dict[str, float]:
    """The measurements of one side, in its own process."""
    printed = finished(sys.executable, "-m", "benchmarks.loops", side)
    measured: dict[str, float] = json.loads(printed.splitlines()[-1])
    return measured
