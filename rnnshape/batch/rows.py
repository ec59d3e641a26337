"""Makes rows from runs: one row each, with the answer or the error.

An unexpected exception becomes the error of its row (in ``_ready``, ``_ask`` and ``_answered``, and in
``report.rows.Tally`` where rows are drawn); the other rows go on.
"""

from __future__ import annotations

from collections import deque
from contextlib import closing
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape import api
from rnnshape.batch.died import Died
from rnnshape.batch.predicted import predicted_row
from rnnshape.batch.workers import spread
from rnnshape.errors import OK, RnnshapeError, Unavailable, foreseen
from rnnshape.layers import release
from rnnshape.reading.batch.runs import runs_of
from rnnshape.report.rows import Row, axes_of, row_of, unanswered

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from rnnshape.batch.resume import Former
    from rnnshape.reading.batch.entries import Run
    from rnnshape.reading.batch.runs import Line
    from rnnshape.report import Report
    from rnnshape.spec import Spec


def rows(
    runs: Iterable[Line | Run],
    *,
    predict: bool = False,
    values: bool = False,
    former: Former | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    verbose: bool = False,
) -> Generator[Row]:
    """The row of each run, in order, each as soon as it is ready.  A row of ``former`` is used if it answers the run.

    ``jobs`` and ``scheduler`` are as in ``workers.spread``; ``verbose`` shows the messages of TensorFlow.
    """
    taken: deque[tuple[Run, Row | None]] = deque()

    def specs() -> Iterator[Spec | None]:
        for run in chain.from_iterable(map(runs_of, runs)):
            row = _ready(run, former)
            taken.append((run, row))
            yield run.spec if row is None else None

    ask = partial(_ask, predict=predict, values=values, verbose=verbose)
    with closing(spread(ask, specs(), jobs=jobs, scheduler=scheduler)) as answers:
        for answer in answers:
            run, row = taken.popleft()
            yield row or _answered(run, answer, values=values)


def _ask(spec: Spec | None, *, predict: bool, values: bool, verbose: bool) -> Report | Row | RnnshapeError | None:
    """The answer for a Spec, without the arrays unless ``values``; with ``predict`` the predicted row.

    It runs in the worker: an exception is returned, and the messages of TensorFlow are written there.
    """
    if spec is None:
        return None
    try:
        if predict:
            return predicted_row(spec)
        report = api.explore(spec)
    except Exception as error:  # noqa: BLE001  the other rows must go on
        return foreseen(error)
    if verbose:
        from rnnshape.lab.tensorflow import replay

        replay()
    return replace(report, values=()) if report.values and not values else report


def _ready(run: Run, former: Former | None) -> Row | None:
    """The row of a run that has an error or an earlier row; None if the run has to be answered."""
    if run.error is not None:
        return unanswered(run, run.error)
    try:
        data = former.answer(run.spec) if former is not None and run.spec is not None else None
    except Exception as error:  # noqa: BLE001  as in ``_ask``
        return unanswered(run, foreseen(error))
    return None if data is None else Row(run, {**data, "name": run.name, **axes_of(run)}, OK)


def _answered(run: Run, answer: Report | Row | RnnshapeError | Died | None, *, values: bool) -> Row:
    if isinstance(answer, Row):
        return answer.of(run)
    if isinstance(answer, Died):
        return unanswered(run, Unavailable(answer.message, kind="worker"))
    if isinstance(answer, RnnshapeError):
        return unanswered(run, answer)
    assert answer is not None
    try:
        with release.of(answer.spec.keras):
            return row_of(answer, values=values, run=run)
    except Exception as error:  # noqa: BLE001  as in ``_ask``
        return unanswered(run, foreseen(error))
