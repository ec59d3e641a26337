"""``rnnshape batch``: many runs from files or from standard input."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.batch import former_rows, rows, written
from rnnshape.cli import signals
from rnnshape.cli.options import form
from rnnshape.cli.output import destination, not_over, note, show_trace
from rnnshape.cli.progress import wanted as bar_wanted
from rnnshape.cli.progress import watched
from rnnshape.errors import INTERRUPTED, Invalid, Problem, Unavailable
from rnnshape.reading.batch.runs import from_files, from_stream
from rnnshape.render import View, line_of, rows_renderer, streams
from rnnshape.report.rows import Tally

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from types import FrameType

    from rnnshape.reading.batch.entries import Run
    from rnnshape.reading.batch.runs import Line
    from rnnshape.render import RowsRenderer
    from rnnshape.report.rows import Row, Written


def batch(files: Sequence[str], output: Mapping[str, Any]) -> int:
    """Answer every run of the files (``-`` is standard input) in order; return the worst exit code.

    Raises:
        RnnshapeError: a file has mistakes; nothing was run.
        Invalid: a file cannot be opened.
    """
    require_one_place(output)
    return answer(_runs(files), output, rows_renderer(form(output)))


def require_one_place(output: Mapping[str, Any]) -> None:
    """Raise Invalid if both ``--jobs`` and ``--scheduler`` are given."""
    if output.keys() >= {"jobs", "scheduler"}:
        raise Invalid([Problem("--jobs", "runs on this machine, --scheduler on a cluster: give one of them")])


def answer(runs: list[Run] | Iterator[Line | Run], output: Mapping[str, Any], write: RowsRenderer) -> int:
    """Answer the runs in order and ``write`` their rows; return the worst exit code."""
    total = len(runs) if isinstance(runs, list) else None
    predict, values = output.get("predict", False), output.get("values", False)
    verbose, wanted, path = output.get("verbose", False), form(output), output.get("output_file")
    existed = path is not None and Path(path).is_file()
    not_over(path, _sources(runs))
    with suppress(_Unfinished), ExitStack() as stack:
        stream = stack.enter_context(destination(path))
        resume = (
            former_rows(output["resume"], predict=predict, values=values, note=note)
            if "resume" in output
            else nullcontext()
        )
        former, jobs = stack.enter_context(resume), output.get("jobs", 1)
        draw = None if isinstance(runs, list) or former is not None else line_of(wanted)
        asked: Generator[Row | Written]
        if predict and jobs > 1 and draw is not None:
            asked = written(runs, draw, jobs=jobs)
        else:
            how = {"predict": predict, "values": values, "former": former, "verbose": verbose}
            asked = rows(runs, **how, jobs=jobs, scheduler=output.get("scheduler"))
        answered = stack.enter_context(closing(asked))  # always stop the workers
        if not verbose and bar_wanted(to_stdout=path is None and streams(wanted)):
            answered = stack.enter_context(closing(watched(answered, total, "runs", "failed")))
        gate = _Gate(answered)
        internal = (lambda row: show_trace(row.trace)) if verbose else (lambda row: None)
        tally = Tally(gate.rows(), fail_fast=output.get("fail_fast", False), internal=internal)
        stack.enter_context(gate.watching())
        write(tally, stream, View(values=values, axes=_axes(runs), every=output.get("all", False)))
        if gate.interrupted and existed:
            raise _Unfinished
    if not gate.interrupted:
        return tally.exit_code
    left = "" if total is None else f" of {total:,}, {total - tally.count:,} left"
    note(f"interrupted: {tally.count:,} runs done{left}{f'; {path} is unchanged' if existed else ''}")
    return INTERRUPTED


def _sources(runs: list[Run] | Iterator[Line | Run]) -> set[str]:
    """The files that the runs come from."""
    if not isinstance(runs, list):
        return {"-"}
    return {run.where.file for run in runs if run.where is not None}


class _Unfinished(Exception):
    """Rows are missing: the existing output file stays unchanged."""


def _runs(files: Sequence[str]) -> list[Run] | Iterator[Line | Run]:
    if "-" not in files:
        return from_files(files)
    if len(files) > 1:
        raise Invalid([Problem("FILE", "- reads all of standard input: give it alone")])
    if sys.stdin is None:
        raise Unavailable("standard input is closed", "give a file, or pipe the runs in")
    return from_stream(sys.stdin.buffer, "<stdin>")


def _axes(runs: list[Run] | Iterator[Line | Run]) -> tuple[str, ...]:
    """The axes of all matrices, in order of first use; empty for a stream."""
    return tuple(dict.fromkeys(axis for run in runs for axis in run.axes)) if isinstance(runs, list) else ()


class _Gate:
    """Stops the rows at Ctrl-C, but only between two of them, so that each started row is written completely."""

    def __init__(self, answered: Generator[Row | Written]) -> None:
        self._answered = answered
        self._asking = False
        self.interrupted = False

    def rows(self) -> Generator[Row | Written]:
        """The rows, until Ctrl-C."""
        with closing(self._answered) as answered:
            while not self.interrupted:
                try:
                    self._asking = True
                    row = next(answered, None)
                except KeyboardInterrupt:
                    self.interrupted = True
                    return
                finally:
                    self._asking = False
                signals.again()
                # TensorFlow may turn the interrupt into its own error: do not report that row as failed.
                if row is None or (self.interrupted and not row.ok):
                    return
                yield row

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this context, the first Ctrl-C finishes the row being written and then stops; a second one raises."""
        before = signal.signal(signal.SIGINT, self._stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        second, self.interrupted = self.interrupted, True
        if self._asking or second:
            raise KeyboardInterrupt
