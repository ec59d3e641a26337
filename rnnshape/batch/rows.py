"""From runs to rows: one Report each, or the error of a run that cannot be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape import api
from rnnshape.report import Error, Report
from rnnshape.report.environment import installed
from rnnshape.report.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.batch.runs import Run


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one run: its Report, or the error in its place."""

    run: Run
    report: Report | None
    error: Error | None

    @property
    def ok(self) -> bool:
        return self.report is not None and self.report.ok

    @property
    def exit_code(self) -> int:
        if self.report is not None:
            return self.report.exit_code
        return self.error.exit_code if self.error else 0

    def to_dict(self) -> dict[str, Any]:
        """The contract's object; a run that could not be asked has its keys too, without an answer."""
        if self.report is not None:
            return self.report.to_dict()
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.run.name,
            "expression": self.run.asked,
            "input": None,
            "predicted": None,
            "observed": None,
            "agrees": None,
            "checks": [],
            "weights": [],
            "params": None,
            "cudnn": None,
            "environment": dict(installed()),
            "error": self.error and self.error.to_dict(),
            "ok": False,
        }


def rows(runs: Iterable[Run], *, predict: bool = False) -> Iterator[Row]:
    """The row of each run, in order, each as soon as it is there."""
    ask = api.predict if predict else api.explore
    for run in runs:
        if run.spec is not None:
            report = ask(run.spec)
            yield Row(run, report, report.error)
        elif run.error is not None:
            yield Row(run, None, Error.of(run.error))
