"""Rows that several processes read, predict and write: each takes lines of input and returns lines of output.

A prediction takes less time than sending its Spec and Report between processes.  So many lines are sent together, and
text is returned.
"""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from rnnshape.batch.died import Died
from rnnshape.batch.rows import rows
from rnnshape.batch.workers import spread
from rnnshape.errors import Unavailable
from rnnshape.reading.batch.entries import Run
from rnnshape.reading.batch.runs import Line, runs_of
from rnnshape.report.rows import Row, Tally, Written, unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

_MOST = 256
"""The most lines sent together: they take about 50 ms, and sending them takes 1 ms."""
_SHARE = 16
"""Lines sent together: one, and one more for every 16 lines sent before, so that the first answers do not wait."""


def written(asked: Iterable[Line | Run], draw: Callable[[Row], str], *, jobs: int) -> Generator[Row | Written]:
    """The predicted row of each run, in order, written by ``draw``, from ``jobs`` processes."""
    taken: deque[list[Line | Run]] = deque()

    def together() -> Iterator[list[Line | Run]]:
        pieces, count = iter(asked), 0
        while some := list(islice(pieces, min(_MOST, 1 + count // _SHARE))):
            count += len(some)
            taken.append(some)
            # A row does not show the place of its run, so the place is not sent.
            yield [replace(piece, where=None) if isinstance(piece, Run) else piece for piece in some]

    with closing(spread(partial(_write, draw), together(), jobs=jobs)) as answers:
        for answer in answers:
            some = taken.popleft()
            if isinstance(answer, Died):
                broken = Unavailable(answer.message, kind="worker")
                yield from (unanswered(run, broken) for piece in some for run in runs_of(piece))
            else:
                yield from answer


def _write(draw: Callable[[Row], str], asked: list[Line | Run]) -> list[Written]:
    """The written rows; runs in the worker."""

    def whole(row: Row) -> Written:
        return Written(draw(row), row.ok, row.exit_code, row.trace)

    return list(Tally(rows(asked, predict=True)).drawn(whole))
