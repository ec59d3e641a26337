"""The time to scan a tree of 1,000 files, of which 100 contain recurrent layers."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pairs import Row, Target, in_turn, seconds
from benchmarks.processes import finished

FILES = 1_000
_EVERY = 10  # one file in ten contains recurrent layers
_PLAIN = "import json\nimport os\n\n\n" + "\n\n".join(
    f"def function_{number}(a, b=None):\n    if a:\n        return os.path.join(str(a), b)\n    return json.dumps(b)\n"
    for number in range(40)
)
_MODEL = """\
import keras
from keras import layers

UNITS = 64
source = keras.Input((None,))
target = keras.Input((None,))
embedded = layers.Embedding(1000, 32, mask_zero=True)(source)
encoded, state_h, state_c = layers.LSTM(UNITS, return_sequences=True, return_state=True)(embedded)
decoded = layers.LSTM(UNITS, return_sequences=True)(layers.Embedding(900, 32)(target), initial_state=[state_h, state_c])
attended = layers.Attention()([decoded, encoded])
joined = layers.Concatenate()([decoded, attended])
model = keras.Model([source, target], layers.Dense(900, activation="softmax")(joined))

tagger = keras.Sequential()
tagger.add(keras.Input((20, 8)))
for units in (32, 16):
    tagger.add(layers.Bidirectional(layers.GRU(units, return_sequences=True, dropout=0.2)))
tagger.add(layers.TimeDistributed(layers.Dense(5)))
"""


def scanning(rounds: int) -> list[Row]:
    """Files scanned.

    The wall time of `rnnshape scan` on a tree of 1,000 files, of which 100 contain recurrent layers, in one process,
    against a program that only parses the same files with `ast`; and its peak memory.
    """
    with TemporaryDirectory() as folder:
        for number in range(FILES):
            path = Path(folder, f"package_{number % 20}", f"module_{number}.py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(_MODEL + _PLAIN if number % _EVERY == 0 else _PLAIN, encoding="utf-8")
        scan = (sys.executable, "-m", "rnnshape", "scan", folder)
        program = (
            "import ast, pathlib, sys\nfor path in pathlib.Path(sys.argv[1]).rglob('*.py'): ast.parse(path.read_text())"
        )
        parse = (sys.executable, "-c", program, folder)
        ours, theirs = "rnnshape scan of 1,000 files", "python -c: ast.parse of the same files"
        sides = {ours: seconds(partial(finished, *scan)), theirs: seconds(partial(finished, *parse))}
        taken = in_turn(sides, rounds)
        memory = tuple(most_memory(scan) for _ in range(rounds))
    return [
        Row(ours, theirs, "s", taken[ours], taken[theirs], (Target("ours", "≤", 5.0),)),
        Row(f"{ours}, memory", "nothing", "MB", memory, (), (Target("ours", "≤", 200.0),)),
    ]


def most_memory(command: tuple[str, ...]) -> float:
    """The peak memory of a command, in MB."""
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    return int(finished(sys.executable, "-c", code, *command)) / 1000
