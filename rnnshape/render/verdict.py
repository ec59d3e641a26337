"""cuDNN in the table view: one line; with ``--cudnn`` every rule and the chosen kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from rnnshape.layers.base import STEP
from rnnshape.render.grid import grid, pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from rnnshape.layers.base import Kernel, Rule
    from rnnshape.render.marks import Marks
    from rnnshape.report import Report

_WORDS = {
    "cudnn": "cuDNN",
    "loop": "a loop over time",
    "unrolled": "unrolled steps",
    "step": "one step, no loop over time",
    "?": "no known kernel",
}


def line(report: Report) -> str | None:
    """The verdict in one line; None for a layer without a loop over time, such as Dense."""
    verdict = report.cudnn.verdict
    if all(kernel.otherwise == STEP for kernel in verdict.kernels):
        return "cannot use cuDNN: a cell computes one step" if report.spec.layer.cls.kind == "cell" else None
    if not verdict.eligible:
        why = _broken(verdict.kernels)
        hint = "remove it" if verdict.hint == f"drop {why}" else verdict.hint
        return f"cannot use cuDNN because {why}{f'; {hint}' if hint else ''}"
    if report.cudnn.used:
        return f"used on {report.environment['device']}"
    if report.cudnn.used is None:
        return "can use cuDNN on a GPU"
    return f"could use cuDNN, but this ran on {report.environment['device']}"


def _broken(kernels: Iterable[Kernel]) -> str:
    """The arguments that rule out cuDNN, by layer: ``layer 3 GRU: reset_after=False``."""
    decided = (f"{kernel.where}{rule.decided}" for kernel in kernels for rule in kernel.rules if not rule.ok)
    return ", ".join(dict.fromkeys(decided))


def rules(report: Report, marks: Marks) -> Iterator[RenderableType]:
    """A table of rules for each group of layers with equal rules; numbered sources in Keras are below."""
    tables: dict[tuple[Rule, ...], list[str]] = {}
    for kernel in report.cudnn.verdict.kernels:
        tables.setdefault(kernel.rules, []).append(kernel.layer)
    sources = list(dict.fromkeys(rule.source for group in tables for rule in group))
    keras = report.environment["keras"] or "3"
    for number, (group, layers) in enumerate(tables.items()):
        if number:
            yield Text()
        title = f"When Keras {keras} uses cuDNN{': ' if any(layers) else ''}{' and '.join(filter(None, layers))}"
        table = grid(marks, title, "", "rule", "decided by", "see")
        table.columns[0].min_width = len(marks.yes)
        for rule in group:
            mark = Text(marks.yes, "good") if rule.ok else Text(marks.unequal, "teach")
            table.add_row(mark, rule.rule, Text(rule.decided, "code"), str(sources.index(rule.source) + 1))
        yield table
    for number, source in enumerate(sources, 1):
        yield Text(f"{number} {source}", "faint")


def lines(report: Report) -> Table:
    """The kernel on a GPU, the kernel here, and the smallest change that allows cuDNN."""
    table = pairs()
    table.add_row(Text("On a GPU", "head"), _chosen(report.cudnn.on_gpu))
    table.add_row(Text("Here", "head"), _here(report))
    table.add_row(Text("Change", "head"), report.cudnn.hint or "none needed")
    return table


def _here(report: Report) -> str:
    """The kernel that was observed, and the predicted one if it differs."""
    if report.observed is None:
        return "not run"
    if report.cudnn.traced is None:
        return f"{_chosen(report.cudnn.predicted)}, from the rules; no graph was traced"
    said = f"{_chosen(report.cudnn.traced)}, read from the traced graph"
    if report.cudnn.traced != report.cudnn.predicted:
        said += f"; the rules say {_chosen(report.cudnn.predicted)}"
    graph = any(kernel == "cudnn" for _, kernel in report.cudnn.traced)
    return said + ("; the run itself did not use cuDNN" if graph and not report.cudnn.used else "")


def _chosen(kernels: Iterable[tuple[str, str]]) -> str:
    """``cuDNN``, or the kernel of each layer: ``forward LSTM(8): cuDNN, backward LSTM(8): a loop over time``."""
    kernels = list(kernels)
    words = [_WORDS[kernel] for _, kernel in kernels]
    if len(set(words)) == 1:
        return words[0] if len(words) == 1 else f"{words[0]}, in {len(words)} layers"
    return ", ".join(f"{layer}: {word}" for (layer, _), word in zip(kernels, words, strict=True))
