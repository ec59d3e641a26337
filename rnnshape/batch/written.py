"""Rows that several processes read, predict and write whole: from the line that asks to the line that answers.

Theory answers a run faster than its Spec and its Report go from one process to another.  So many lines go together,
and what comes back is text.
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
"""Lines that go together: they take some 50 ms, and to send them 1 ms."""
_SHARE = 16
"""The first lines go alone, then as many as a share of all before: an answer never waits for many lines to come."""


def written(asked: Iterable[Line | Run], draw: Callable[[Row], str], *, jobs: int) -> Generator[Row | Written]:
    """The predicted row of each run, in order, as ``draw`` writes it, from so many processes."""
    taken: deque[list[Line | Run]] = deque()

    def together() -> Iterator[list[Line | Run]]:
        pieces, count = iter(asked), 0
        while some := list(islice(pieces, min(_MOST, 1 + count // _SHARE))):
            count += len(some)
            taken.append(some)
            # Where a run is written stays here: no row of text tells it.
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
    """It runs where the worker is."""

    def whole(row: Row) -> Written:
        return Written(draw(row), row.ok, row.exit_code, row.trace)

    return list(Tally(rows(asked, predict=True)).drawn(whole))
