"""The progress bar of a batch or scan, on standard error if that is a terminal."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator


class Answered(Protocol):
    """One of many results."""

    @property
    def ok(self) -> bool: ...


Answer = TypeVar("Answer", bound=Answered)


def wanted(*, to_stdout: bool) -> bool:
    """Whether to show a bar.

    If rows go to standard output one by one (``to_stdout``), only if that is a file: the reader of a pipe
    (``| head``) may write to the same terminal as the bar.
    """
    if not (sys.stderr and sys.stderr.isatty()) or os.environ.get("TERM") == "dumb":
        return False
    return not to_stdout or stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)


def watched(rows: Generator[Answer], total: int | None, what: str, failures: str) -> Generator[Answer]:
    """Yield the same rows while a bar shows the rate, the time left and the number of failures.

    ``what`` is the unit ("runs"); ``failures`` follows the number of rows that are not ok ("failed").
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    count = "{task.completed}" + ("/{task.total}" if total is not None else "")
    columns = (
        TextColumn(count),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        *([TimeRemainingColumn(compact=True), TextColumn("left")] if total is not None else []),
        TextColumn("{task.fields[failures]}"),
    )
    # The lab redirects descriptor 2 while a layer runs, so the bar has its own descriptor.
    with (
        os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding) as terminal,
        Progress(*columns, console=Console(file=terminal), transient=True) as bar,
    ):
        task = bar.add_task("", total=total, rate="", failures="")
        failed = 0
        for row in rows:
            failed += not row.ok
            speed = bar.tasks[0].speed
            rate = f"{speed:,.1f} {what}/s" if speed else ""
            bar.update(task, advance=1, rate=rate, failures=f"{failed} {failures}" if failed else "")
            yield row
