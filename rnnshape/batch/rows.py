"""From runs to rows: one answer each, or the error of a run that cannot be asked."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape import api
from rnnshape.batch.died import Died
from rnnshape.batch.workers import spread
from rnnshape.errors import FAILED, OK, UNAVAILABLE, Unavailable
from rnnshape.report import Error, Report
from rnnshape.report.environment import installed
from rnnshape.report.expected import Expected, refused
from rnnshape.report.report import SCHEMA_VERSION
from rnnshape.spec.data import to_data

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from rnnshape.batch.resume import Former
    from rnnshape.batch.runs import Run
    from rnnshape.errors import RnnshapeError
    from rnnshape.spec import Spec


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one run.

    ``data`` is the contract's object; ``report`` is there when the run was asked here and now, and
    ``expectations`` are the lines of its contract.
    """

    run: Run
    data: dict[str, Any]
    exit_code: int
    report: Report | None = None
    expectations: tuple[Expected, ...] = ()

    @property
    def ok(self) -> bool:
        return bool(self.data["ok"])

    @property
    def failures(self) -> list[Failure]:
        """Every reason why the row is not ok; none when it is."""
        return [] if self.ok else [*_failures(self.data)]


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason in one line, and the line of the contract that it is about (``"output"``), if it is about one.

    ``kind`` is that of the error, or ``"disagreement"``, ``"check"`` or ``"expectation"``.
    """

    kind: str
    message: str
    expect: str | None = None


class Tally:
    """Rows on their way to whoever writes them, counted as they pass."""

    def __init__(self, rows: Generator[Row], *, fail_fast: bool = False) -> None:
        self._rows = rows
        self._fail_fast = fail_fast
        self.count = self.failed = 0
        self.exit_code = OK

    def __iter__(self) -> Iterator[Row]:
        with closing(self._rows) as rows:
            for row in rows:
                self.count += 1
                self.failed += not row.ok
                self.exit_code = max(self.exit_code, row.exit_code)
                yield row
                if self._fail_fast and not row.ok:
                    return

    def __str__(self) -> str:
        runs = "1 run" if self.count == 1 else f"{self.count:,} runs"
        return f"{runs}, {self.count - self.failed:,} ok, {self.failed:,} failed"


def _failures(data: dict[str, Any]) -> Iterator[Failure]:
    unmet = [line for line in data.get("expectations", ()) if line["met"] is False]
    error = data["error"]
    if error and not any(line["expect"] == "error" for line in unmet):
        yield Failure(error["kind"], error["message"])
    for line in unmet:
        said = f"{line['expect']}: expected {line['expected']}, got {line['got']}"
        yield Failure("expectation", said, line["expect"])
    if data["agrees"] is False:
        parts = ", ".join(one["of"] for one in data.get("disagreements", ()))
        yield Failure("disagreement", f"theory and the real layer disagree: {parts}")
    for check in data["checks"]:
        if check["guaranteed"] and check["holds"] is False:
            yield Failure("check", f"{check['check']} does not hold")


def rows(
    runs: Iterable[Run],
    *,
    predict: bool = False,
    values: bool = False,
    former: Former | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> Generator[Row]:
    """The row of each run, in order, each as soon as it is there; ``former`` is asked before the layer is.

    ``jobs`` and ``scheduler`` as in ``workers.spread``.
    """
    taken: deque[tuple[Run, Row | None]] = deque()

    def specs() -> Iterator[Spec | None]:
        for run in runs:
            row = _ready(run, former)
            taken.append((run, row))
            yield run.spec if row is None else None

    ask = partial(_ask, predict=predict, values=values)
    with closing(spread(ask, specs(), jobs=jobs, scheduler=scheduler)) as answers:
        for answer in answers:
            run, row = taken.popleft()
            yield row or _answered(run, answer, values=values)


def _ask(spec: Spec | None, *, predict: bool, values: bool) -> Report | None:
    """The Report, for a run that has to be asked; without numbers that nobody will see."""
    if spec is None:
        return None
    report = api.predict(spec) if predict else api.explore(spec)
    return report if values else replace(report, values=())


def _ready(run: Run, former: Former | None) -> Row | None:
    """The row that is known without asking."""
    if run.error is not None:
        return _unanswered(run, run.error)
    if former is not None and run.spec is not None and (data := former.answer(run.spec)) is not None:
        return Row(run, {**data, "name": run.name, **_axes(run)}, OK)
    return None


def _answered(run: Run, answer: Report | Died | None, *, values: bool) -> Row:
    if isinstance(answer, Died):
        return _unanswered(run, Unavailable(answer.message, kind="worker"))
    assert answer is not None
    data = {**answer.to_dict(values=values), **_axes(run)}
    return Row(run, data, answer.exit_code, answer, answer.expectations)


def _axes(run: Run) -> dict[str, Any]:
    return {"matrix": dict(run.axes)} if run.axes else {}


def _unanswered(run: Run, error: RnnshapeError) -> Row:
    """The row of a run that is wrong, or that could not be asked: the contract's keys without an answer."""
    expectations = () if run.expects is None else (refused(run.expects, error),)
    ok = any(line.met for line in expectations)
    failed = error.exit_code if run.expects is None or error.exit_code == UNAVAILABLE else FAILED
    data = {
        "schema_version": SCHEMA_VERSION,
        "name": run.name,
        "expression": run.asked,
        "input": None,
        "predicted": None,
        "observed": None,
        "agrees": None,
        "checks": [],
        "weights": [],
        "params": None,
        "cudnn": None,
        "environment": dict(installed()),
        "error": Error.of(error).to_dict(),
        "ok": ok,
        "run": run.spec and to_data(run.spec),
        "cost": None,
        **({"expectations": [line.to_dict() for line in expectations]} if expectations else {}),
        **_axes(run),
    }
    return Row(run, data, OK if ok else failed, expectations=expectations)
