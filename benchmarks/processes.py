"""The time of whole processes, from start to end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.pairs import Row, Side, Target, in_turn, seconds

ROOT = Path(__file__).parents[1]
QUESTION = ("lstm", "--return-state", "--return-sequences")


def processes(rounds: int) -> list[Row]:
    """Whole processes.

    The wall time of a command, with the start and end of the interpreter, against
    `python -c "import tensorflow"`, which every run of a real layer needs, and against the script
    `by_hand.py`, which imports TensorFlow, builds the same layer, calls it and prints shapes.
    """
    tensorflow, by_hand = 'python -c "import tensorflow"', "python by_hand.py"
    sides = {
        "rnnshape --help": _process(*_rnnshape(), "--help"),
        f"rnnshape {' '.join(QUESTION)} --predict": _process(*_rnnshape(), *QUESTION, "--predict"),
        f"rnnshape {' '.join(QUESTION)}": _process(*_rnnshape(), *QUESTION),
        tensorflow: _process(sys.executable, "-c", "import tensorflow"),
        by_hand: _process(sys.executable, str(Path(__file__).with_name("by_hand.py"))),
    }
    for side in sides.values():  # the first start reads from the disk, and may compile
        side()
    taken = in_turn(sides, rounds)
    help_, predicted, verified, *_ = sides
    asked = [
        (help_, tensorflow, (Target("ratio", "≤", 0.05),)),
        (predicted, tensorflow, (Target("ratio", "≤", 0.06),)),
        (verified, tensorflow, (Target("ratio", "≤", 0.80),)),
        (verified, by_hand, (Target("ratio", "≤", 1.05),)),
    ]
    return [Row(f"`{a}`", f"`{b}`", "s", taken[a], taken[b], targets) for a, b, targets in asked]


def _rnnshape() -> tuple[str, ...]:
    """The command: the installed script, or the module if there is no script."""
    script = shutil.which("rnnshape", path=str(Path(sys.executable).parent))
    return (script,) if script else (sys.executable, "-m", "rnnshape")


def _process(*command: str) -> Side:
    return seconds(partial(finished, *command))


def finished(*command: str) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        RuntimeError: the command failed.
    """
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  our own
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stderr}")
    return done.stdout
