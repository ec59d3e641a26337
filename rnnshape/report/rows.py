"""The row of a run, with or without an answer, and the counting of rows while they are drawn.

If drawing a row fails, the row becomes an internal error; the other rows are not affected.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from rnnshape.errors import FAILED, OK, UNAVAILABLE, Internal, RnnshapeError, foreseen
from rnnshape.form import blank
from rnnshape.reading.batch.entries import Run
from rnnshape.report import Error, Report
from rnnshape.report.expected import Expected, refused
from rnnshape.report.report import SCHEMA_VERSION
from rnnshape.spec.data import to_data
from rnnshape.versions import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator


Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one run.

    ``data`` is the row as JSON data.  ``report`` is the answer, if the run was answered now and not taken from an
    earlier output.  ``expectations`` are the expected results; ``trace`` is the traceback of an internal error.
    """

    run: Run
    data: dict[str, Any]
    exit_code: int
    report: Report | None = None
    expectations: tuple[Expected, ...] = ()
    trace: str = ""

    @property
    def ok(self) -> bool:
        return bool(self.data["ok"])

    def of(self, run: Run) -> Row:
        """The same row for another run."""
        data = {**self.data, **axes_of(run)}
        return Row(run, data, self.exit_code, self.report, self.expectations, self.trace)

    @property
    def failures(self) -> list[Failure]:
        """Every reason why the row is not ok; empty when it is ok."""
        return [] if self.ok else [*_failures(self.data)]


class Written(NamedTuple):
    """A row that a worker already drew as text, and the fields that ``Tally`` counts."""

    text: str
    ok: bool
    exit_code: int
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason why a row is not ok.

    ``kind`` is the kind of the error, or ``"disagreement"``, ``"check"`` or ``"expectation"``; ``message`` is one
    line; ``expect`` is the key of the contract (``"output"``), if the reason is about one.
    """

    kind: str
    message: str
    expect: str | None = None


class Tally:
    """Draws rows and counts them; with ``fail_fast`` it stops after the first row that is not ok.

    ``internal`` is called with every row that has an internal error.
    """

    def __init__(
        self,
        rows: Generator[Row | Written],
        *,
        fail_fast: bool = False,
        internal: Callable[[Row | Written], None] = lambda row: None,
    ) -> None:
        self._rows = rows
        self._fail_fast = fail_fast
        self._internal = internal
        self.count = self.failed = 0
        self.exit_code = OK

    def drawn(self, draw: Callable[[Row], Drawn]) -> Iterator[Drawn]:
        """Each row as drawn by ``draw``.  If drawing a row fails, that row is drawn as an internal error."""
        with closing(self._rows) as rows:
            for came in rows:
                row, made = _drawn(came, draw)
                self.count += 1
                self.failed += not row.ok
                self.exit_code = max(self.exit_code, row.exit_code)
                if row.trace:
                    self._internal(row)
                yield made
                if self._fail_fast and not row.ok:
                    return

    def __str__(self) -> str:
        runs = "1 run" if self.count == 1 else f"{self.count:,} runs"
        return f"{runs}, {self.count - self.failed:,} ok, {self.failed:,} failed"


def _drawn(row: Row | Written, draw: Callable[[Row], Drawn]) -> tuple[Row | Written, Drawn]:
    """The row, or the internal error that replaces it, and the drawn form."""
    if isinstance(row, Written):
        return row, cast("Drawn", row.text)
    try:
        return row, draw(row)
    except Exception as error:  # noqa: BLE001  the other rows must go on
        broken = foreseen(error)
    instead = unanswered(row.run, broken)
    try:
        return instead, draw(instead)
    except Exception:  # noqa: BLE001  perhaps the name cannot be drawn; the message has the run as data
        instead = replace(instead, run=Run(None, None, row.run.where))
        return instead, draw(instead)


def _failures(data: dict[str, Any]) -> Iterator[Failure]:
    unmet = [line for line in data.get("expectations", ()) if line["met"] is False]
    error = data["error"]
    if error and not any(line["expect"] == "error" for line in unmet):
        # A failure has no hint, so the message says what to report.
        more = f"; {error['hint']}" if error["kind"] == Internal.kind else ""
        yield Failure(error["kind"], error["message"] + more)
    for line in unmet:
        said = f"{line['expect']}: expected {line['expected']}, got {line['got']}"
        yield Failure("expectation", said, line["expect"])
    if data["agrees"] is False:
        parts = ", ".join(one["of"] for one in data.get("disagreements", ()))
        yield Failure("disagreement", f"theory and the real layer disagree: {parts}")
    for check in data["checks"]:
        if check["guaranteed"] and check["holds"] is False:
            yield Failure("check", f"{check['check']} does not hold")


def row_of(report: Report, *, values: bool, run: Run | None = None) -> Row:
    """The row of an answer; without ``run`` the row is for the Spec alone."""
    spec = report.spec
    run = run or Run(spec.name, spec.layer.text, spec=spec)
    data = {**report.to_dict(values=values), **axes_of(run)}
    return Row(run, data, report.exit_code, report, report.expectations, report.error.trace if report.error else "")


def axes_of(run: Run) -> dict[str, Any]:
    return {"matrix": dict(run.axes)} if run.axes else {}


def unanswered(run: Run, error: RnnshapeError) -> Row:
    """The row of a run that has an error instead of an answer: all keys of a report, without an answer."""
    expectations = () if run.expects is None else (refused(run.expects, error),)
    ok = any(line.met for line in expectations)
    failed = error.exit_code if run.expects is None or error.exit_code == UNAVAILABLE else FAILED
    asked = _as_data(run)
    error_data = Error.of(error, run=asked or {"layer": run.asked})
    data = {
        **blank(Report),
        "schema_version": SCHEMA_VERSION,
        "name": run.name,
        "expression": run.asked,
        "environment": dict(installed()),
        "error": error_data.to_dict(),
        "ok": ok,
        "run": asked,
        **({"expectations": [line.to_dict() for line in expectations]} if expectations else {}),
        **axes_of(run),
    }
    return Row(run, data, OK if ok else failed, expectations=expectations, trace=error_data.trace)


def _as_data(run: Run) -> dict[str, Any] | None:
    """The run as data; None when it has no Spec, or when its Spec cannot be written as data."""
    try:
        return None if run.spec is None else to_data(run.spec)
    except Exception:  # noqa: BLE001  the row reports an error already, and has the run as text
        return None
