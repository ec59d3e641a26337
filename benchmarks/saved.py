"""The time of a prediction for a saved model."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from benchmarks.pairs import Row, Target, in_turn, seconds
from benchmarks.processes import finished
from benchmarks.scanning import most_memory

_FILE = Path(__file__).parents[1] / "tests/reading/saved/encoder_decoder.keras"


def saved(rounds: int) -> list[Row]:
    """A saved model.

    The wall time of `rnnshape show model.keras --predict`, with the start and end of the interpreter, for an encoder
    and a decoder that Keras 3.3 saved: the config is read and the shapes of all weights are compared. Against
    `python -c "import tensorflow"`, which every program that loads the file needs; and the peak memory of both.
    """
    show = (sys.executable, "-m", "rnnshape", "show", str(_FILE), "--predict")
    program = (sys.executable, "-c", "import tensorflow")
    ours, theirs = "`rnnshape show model.keras --predict`", '`python -c "import tensorflow"`'
    sides = {ours: seconds(partial(finished, *show)), theirs: seconds(partial(finished, *program))}
    for side in sides.values():  # the first start reads from the disk, and may compile
        side()
    taken = in_turn(sides, rounds)
    memory = [tuple(most_memory(command) for _ in range(rounds)) for command in (show, program)]
    return [
        Row(ours, theirs, "s", taken[ours], taken[theirs], (Target("ratio", "≤", 0.10),)),
        Row(f"{ours}, memory", f"{theirs}, memory", "MB", memory[0], memory[1], (Target("ours", "≤", 100.0),)),
    ]
