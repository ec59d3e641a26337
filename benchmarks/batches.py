"""Many runs from files and pipes: the cost of the file, the memory, the gain from a second process."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.pairs import Row, Target, in_turn, seconds
from benchmarks.processes import ROOT, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rnnshape.reading.batch.entries import Run

SWEEP = """
runs:
  - layer: lstm
    return_state: true
    expect: {state_h: [N, H], state_c: [N, H], checks: ["state_h != state_c"]}
    matrix: {units: [1, 2, 3, 4], return_sequences: [false, true], time: [3, 4, 5], channels: [2, 3, 4, 5]}
  - layer: bidirectional
    return_state: true
    matrix: {units: [1, 2, 3], merge_mode: [concat, sum], time: [3, 4, 5, 6], channels: [2, 3, 4, 5]}
"""
HEAVY = "runs: [{layer: lstm, units: 256, batch: 32, time: 200, channels: 64, matrix: {seed: [SEEDS]}}]"
PREDICTED = 100_000
VERIFIED = 5_000
AFTER = 500
HEAVY_RUNS = 300


def batches(rounds: int) -> list[Row]:
    """Many runs from files and pipes.

    The layers' own time is that of `lab.observe` for the same 192 Specs in the same process, layer by layer.
    The lines go to `rnnshape batch - --predict -f jsonl`, in its own process, against a loop that reads each line as
    JSON and writes a prepared report.  They ask for fourteen layers, each many times with different seeds; in the row
    "no two alike", each line asks for another layer.  Memory is the peak memory.
    """
    _swept()  # the first layers load TensorFlow
    sweep = [_swept() for _ in range(rounds)]
    whole, layers = (tuple(once[side] for once in sweep) for side in ("rows", "layers"))
    sides: dict[str, Callable[[], dict[str, float]]] = {
        "ours": _predicted,
        "unlike": partial(_predicted, unlike=True),
        "json": _copied,
    }
    lines = in_turn(sides, 1)
    taken = {side: tuple([once["seconds"] for once in lines[side]]) for side in sides}
    most = {side: tuple([once["megabytes"] for once in lines[side]]) for side in sides}
    many = _alone("held", str(VERIFIED))
    said = f"{PREDICTED:,} lines, --predict"
    return [
        Row(
            "file, matrix, layers and report", "the layers' own time", "s", whole, layers,
            (Target("ratio", "≤", 1.10),),
        ),
        Row(said, "json alone", "s", taken["ours"], taken["json"], (Target("ratio", "≤", 4),)),
        Row(f"{said}, no two alike", "json alone", "s", taken["unlike"], taken["json"]),
        Row(f"{said}, memory", "json alone", "MB", most["ours"], most["json"], (Target("ours", "≤", 500),)),
        Row(
            f"memory after {VERIFIED:,} verified runs", f"after {AFTER}", "MB", (many["end"],), (many["after"],),
            (Target("ratio", "≤", 1.10),),
        ),
    ]  # fmt: skip


def jobs(rounds: int) -> list[Row]:
    """One process and two.

    `rnnshape batch - -f jsonl` over 300 LSTMs of 256 units on 32 sequences of 200 steps, and
    `rnnshape batch - --predict -f jsonl` over the 100,000 lines, with the start of the workers.  The target of
    `--jobs 2` is a ratio of 1 / 1.6 where layers run, and of 1 / 1.7 for predictions.  Two commands at the same time,
    each on half of the lines, tell what a second process gains on this machine at most.
    """
    with tempfile.TemporaryDirectory() as folder:
        heavy, lines, unlike = (Path(folder) / name for name in ("heavy.yaml", "lines.jsonl", "unlike.jsonl"))
        heavy.write_text(HEAVY.replace("SEEDS", ", ".join(map(str, range(HEAVY_RUNS)))))
        lines.write_bytes(b"".join(_lines()))
        unlike.write_bytes(b"".join(_lines(unlike=True)))
        halves = [Path(folder) / name for name in ("first.jsonl", "second.jsonl")]
        for place, half in enumerate(halves):
            half.write_bytes(b"".join(islice(_lines(), place * PREDICTED // 2, (place + 1) * PREDICTED // 2)))
        one, both = (seconds(partial(_beside, files, "--predict")) for files in ([lines], halves))
        alone = in_turn({"both": both, "one": one}, rounds)
        return [
            _gain("", heavy, (), 1.6, rounds),
            _gain(f"{PREDICTED:,} lines, ", lines, ("--predict",), 1.7, rounds),
            Row(
                f"{PREDICTED:,} lines, two commands `--predict`, each on half of them", "one on all", "s",
                alone["both"], alone["one"],
            ),
            _gain(f"{PREDICTED:,} lines, no two alike, ", unlike, ("--predict",), 1.7, rounds),
        ]  # fmt: skip


def _gain(what: str, file: Path, arguments: tuple[str, ...], wanted: float, rounds: int) -> Row:
    """The row of one file in two processes against one."""
    taken = in_turn({jobs: seconds(partial(_batch, file, "--jobs", jobs, *arguments)) for jobs in ("2", "1")}, rounds)
    two, one = (f"`{' '.join((*arguments, '--jobs', jobs))}`" for jobs in ("2", "1"))
    return Row(f"{what}{two}", one, "s", taken["2"], taken["1"], (Target("ratio", "≤", round(1 / wanted, 3)),))


def _batch(file: Path, *arguments: str) -> None:
    _beside([file], *arguments)


def _beside(files: Sequence[Path], *arguments: str) -> None:
    """Run a batch of each file, all at the same time."""
    command = [sys.executable, "-m", "rnnshape", "batch", "-", *arguments, "-f", "jsonl"]
    with ExitStack() as stack:
        opened = [stack.enter_context(file.open("rb")) for file in files]
        running = [subprocess.Popen(command, cwd=ROOT, stdin=runs, stdout=subprocess.DEVNULL) for runs in opened]  # noqa: S603  our own
        for process in running:
            if process.wait() != 0:
                raise RuntimeError(command)


def _swept() -> dict[str, float]:
    """Seconds of all rows, from the file's text to lines of JSON, and of the same layers alone.

    They are measured layer by layer; the sides take turns to be first, because the second one profits from what
    TensorFlow prepared for a shape.
    """
    from rnnshape import lab
    from rnnshape.batch import rows
    from rnnshape.reading.batch.runs import from_stream, runs_of
    from rnnshape.render import View, rows_renderer
    from rnnshape.report.rows import Tally

    write = rows_renderer("jsonl")

    def row(run: Run) -> None:
        tally = Tally(rows([run]))
        write(tally, io.StringIO(), View())
        if tally.failed:
            raise RuntimeError(str(tally))

    def layer(run: Run) -> None:
        assert run.spec is not None  # noqa: S101  a file with a mistake has raised
        lab.observe(run.spec)

    began = perf_counter()
    runs = [run for piece in from_stream(io.BytesIO(SWEEP.encode()), "sweep.yaml") for run in runs_of(piece)]
    taken = {"rows": perf_counter() - began, "layers": 0.0}
    for number, run in enumerate(runs):
        sides = [("rows", row), ("layers", layer)]
        for name, side in sides if number % 2 else sides[::-1]:
            taken[name] += seconds(partial(side, run))()
    return taken


def _predicted(*, unlike: bool = False) -> dict[str, float]:
    command = [sys.executable, "-m", "rnnshape", "batch", "-", "--predict", "-f", "jsonl"]
    return _through(command, unlike=unlike)


def _copied() -> dict[str, float]:
    report = json.dumps(_report())
    program = "import json, sys\nfor line in sys.stdin:\n    json.loads(line)\n    print(json.dumps(REPORT))"
    return _through([sys.executable, "-c", program.replace("REPORT", f"json.loads({report!r})")])


def _report() -> dict[str, Any]:
    import rnnshape

    return rnnshape.predict("lstm", return_state=True).to_dict()


def _through(command: list[str], *, unlike: bool = False) -> dict[str, float]:
    """Seconds and peak memory of a process that reads the lines."""
    with tempfile.NamedTemporaryFile() as lines:
        lines.writelines(_lines(unlike=unlike))
        lines.flush()
        return _alone("piped", lines.name, *command)


def _lines(*, unlike: bool = False) -> Iterator[bytes]:
    for number in range(PREDICTED):
        layer = "lstm" if number % 2 else "Bidirectional(GRU(8, return_state=True))"
        channels = 4 + number // 14 if unlike else 4
        yield json.dumps({"layer": layer, "seed": number, "input": [2, 3 + number % 7, channels]}).encode() + b"\n"


def _piped(command: list[str], file: str) -> dict[str, float]:
    with Path(file).open("rb") as lines:
        began = perf_counter()
        subprocess.run(command, cwd=ROOT, stdin=lines, stdout=subprocess.DEVNULL, check=True)  # noqa: S603  our own
        elapsed = perf_counter() - began
    return {"seconds": elapsed, "megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3}


def _held(count: int) -> dict[str, float]:
    """Megabytes in use after the first verified runs, and after all of them."""
    from benchmarks.loops import resident
    from benchmarks.questions import explore, mix

    held = {}
    for number, question in enumerate(mix(0, count), 1):
        explore(question)
        if number in (AFTER, count):
            held["after" if number == AFTER else "end"] = resident()
    return held


def _alone(what: str, *arguments: str) -> dict[str, float]:
    """The measurement in its own process, because the peak memory is that of the whole process."""
    printed = finished(sys.executable, "-m", "benchmarks.batches", what, *arguments)
    measured: dict[str, float] = json.loads(printed.splitlines()[-1])
    return measured


if __name__ == "__main__":
    wanted, *rest = sys.argv[1:]
    print(json.dumps(_held(int(rest[0])) if wanted == "held" else _piped(rest[1:], rest[0])))
