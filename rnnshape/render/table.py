"""The table view of one Report.

Each part of the answer is one function that returns a renderable; ``parts`` puts them in order.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from rnnshape.render import ending, masked, verdict
from rnnshape.render.grid import Folding, container, grid, sizes
from rnnshape.render.marks import UNICODE, Marks, marks_for
from rnnshape.render.terminal import show
from rnnshape.report.checks import BY_ACCIDENT
from rnnshape.report.inputs import inputs_of
from rnnshape.structure import Nest, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from rich.console import RenderableType
    from rich.table import Table

    from rnnshape.render import View
    from rnnshape.report import Report
    from rnnshape.report.checks import Check
    from rnnshape.report.comparison import Pair
    from rnnshape.report.expected import Expected
    from rnnshape.report.returned import Wired
    from rnnshape.spec import Spec


def write(report: Report, stream: TextIO, view: View) -> None:
    """Draw the Report on the stream."""
    show(draw(report, view, marks_for(stream)), stream)


def draw(report: Report, view: View, marks: Marks = UNICODE, waiting: str | None = None) -> RenderableType:
    """The whole view as one renderable.

    ``waiting`` is shown instead of the verdict while the real layer runs; the view then already has the
    columns and lines of the final view.
    """
    lines: list[RenderableType] = [Text(report.expression, "title"), context(report, marks)]
    for part in parts(report, view, marks, waiting=bool(waiting)):
        lines += [Text(), *part.drawn]
    lines += [Text(), ending.footer(report), *([Text(waiting, "faint")] if waiting else ending.verdict(report, marks))]
    return Group(*lines)


class Part(NamedTuple):
    """A part of the answer: its name in other formats (such as ``"weights"``), and its renderables."""

    name: str
    drawn: tuple[RenderableType, ...]


def parts(report: Report, view: View, marks: Marks = UNICODE, *, waiting: bool = False) -> Iterator[Part]:
    """The parts between heading and footer, in order; HTML and Markdown show the same."""
    if view.diagram and report.unruled:
        yield Part("diagram", (Text(f"No diagram: theory has no rule for {' and '.join(report.unruled)}.", "faint"),))
    elif view.diagram and report.spec.graph:
        yield Part("diagram", (Text("No diagram of wired calls; Layers shows where each tensor goes.", "faint"),))
    elif view.diagram:
        from rnnshape.render.diagram import Diagram

        yield Part("diagram", (Diagram(report.unrolled, marks),))
    if report.flow:
        yield Part("flow", ((_calls if report.flow[0].to is not None else _flow)(report, marks),))
    yield Part("outputs", (_outputs(report, marks),))
    if report.masked is not None:
        yield Part("mask", tuple(masked.draw(report.masked, marks)))
    if report.checks:
        yield Part("checks", (_checks(report, marks, verdicts=bool(waiting or report.observed)),))
    if report.expectations:
        yield Part("expectations", (expectations(report.expectations, marks),))
    if report.wiring is not None:
        yield Part("wiring", (_wiring(report.wiring, marks),))
    yield from _asked_for(report, view, marks)


def _asked_for(report: Report, view: View, marks: Marks) -> Iterator[Part]:
    """The parts that need a flag."""
    if view.weights:
        yield Part("weights", (_weights(report, marks),))
    if view.cost and not report.unruled:
        yield Part("cost", (_cost(report, marks),))
    if view.values and report.values:
        yield Part("values", tuple(_values(report)))
    if view.cudnn and not report.unruled:
        yield Part("cudnn", (*verdict.rules(report, marks), Text(), verdict.lines(report)))


def context(report: Report, marks: Marks) -> Text:
    """A line for each input, and one for the device and versions."""
    environment, spec = report.environment, report.spec
    given = f"{spec.name}: " if spec.name else ""
    given += fed(spec)
    if spec.initial_state is not None:
        given += f", states {spec.initial_state}"
    if spec.training:
        given += ", training"
    who = f"TensorFlow {environment['tensorflow']}, Keras {environment['keras']}"
    where = environment["device"] or "predicted for"
    return Text(f"{given}\n{where}{f' {marks.dot} ' if report.observed else ' '}{who}", "faint")


def fed(spec: Spec) -> str:
    """A line for each input, and the seed: ``x (N, T, C) = (2, 3, 4) float32, seed 0``."""
    lines = [f"{one.name} {sizes(one.symbolic)} = {sizes(one.shape)} {one.dtype}" for one in inputs_of(spec)]
    return "\n".join(lines) + f", seed {spec.seed}"


def _outputs(report: Report, marks: Marks) -> Table:
    nested = any(isinstance(item, Nest) for item in getattr(report.structure, "items", ()))
    title = f"Returns: {container(report.structure)}" + (", nested" if nested else "")
    table = grid(marks, title, "access", "role", "symbolic", "shape", "dtype")
    table.columns[1].no_wrap = True
    for tensor in leaves(report.structure):
        table.add_row(
            Text(f"y{tensor.path}", "code"),
            Text(tensor.role, "role"),
            sizes(tensor.symbolic),
            sizes(tensor.shape),
            tensor.dtype,
        )
    return table


def _flow(report: Report, marks: Marks) -> Table:
    """The layers of a stack with the first tensor that each returns; only the last may return several."""
    table = grid(marks, "Layers", "", "layer", "returns", "shape", "dtype")
    for number, part in enumerate(report.flow, 1):
        first, *others = leaves(part.structure)
        more = f" and {len(others)} more" if others else ""
        table.add_row(
            str(number), Text(part.expression, "code"), sizes(first.symbolic) + more, sizes(first.shape), first.dtype
        )
    return table


def _calls(report: Report, marks: Marks) -> Table:
    """The calls of a graph, the tensors that each returns, and where each of them goes."""
    table = grid(marks, "Layers", "", "call, tensor", "symbolic", "shape", "dtype", "", form=Folding)
    for column in table.columns[2:5]:
        column.no_wrap = True
    graph = report.spec.layer["graph"]
    for number, (call, part) in enumerate(zip(graph.calls, report.flow, strict=True), 1):
        said = Text(f"{call.name}: {graph.by_name[call.layer].short}", "code")
        table.add_row(str(number), said, "", "", "", Text())
        for tensor in leaves(part.structure):
            # A blank allows a line break.
            places = ", ".join((part.to or {}).get(tensor.role, ())).replace(".initial_state", " initial_state")
            name = Text(f"  {tensor.role}", "role")
            where = Text(f"  to {places}" if places else "", "faint")
            table.add_row("", name, sizes(tensor.symbolic), sizes(tensor.shape), tensor.dtype, where)
    return table


def _wiring(wired: Wired, marks: Marks) -> Table:
    table = grid(marks, f"Into {wired.layer.text}", "role", "symbolic", "shape", "dtype")
    for tensor in leaves(wired.structure):
        table.add_row(Text(tensor.role, "role"), sizes(tensor.symbolic), sizes(tensor.shape), tensor.dtype)
    return table


def _checks(report: Report, marks: Marks, *, verdicts: bool) -> Table:
    columns = ("", "check", *(["max difference"] if verdicts else []), "why")
    table = grid(marks, "Equalities", *columns, form=Folding)
    table.columns[0].min_width = max(map(len, (marks.yes, marks.unequal)))
    for check in report.checks:
        mark, style = sign(check, marks)
        apart = [""] if check.holds is None else [difference(check)]
        table.add_row(Text(mark, style), Text(check.check, "code"), *(apart if verdicts else ()), _why(check))
    return table


def expectations(lines: Iterable[Expected], marks: Marks) -> Table:
    """The contract: expected and real results."""
    table = grid(marks, "Expected", "", "of", "expected", "got")
    for line in lines:
        mark = marks.equal if line.met is None else marks.yes if line.met else marks.no
        style = "" if line.met is None else "good" if line.met else "bad"
        table.add_row(Text(mark, style), Text(line.expect, "role"), Text(line.expected, "code"), Text(line.got))
    return table


def sign(check: Check, marks: Marks) -> tuple[str, str]:
    """The sign of a check and its style; only a guaranteed check can fail."""
    if check.holds is None:
        return (marks.equal, "") if check.guaranteed else (marks.unequal, "teach")
    if check.guaranteed:
        return (marks.yes, "good") if check.holds else (marks.no, "bad")
    return marks.equal if check.holds else marks.unequal, "teach"


def difference(sides: Check | Pair) -> str:
    """The largest absolute difference of the two sides."""
    if sides.exact:
        return "0"
    return "?" if sides.max_abs_diff is None else f"{sides.max_abs_diff:.2g}"


def _why(check: Check) -> Text:
    reason = f"{check.why}; {check.elsewhere}" if check.elsewhere else check.why
    if check.guaranteed and check.holds is False:
        return Text("FAILED: ", "bad") + Text(reason)
    if check.by_accident:
        return Text(f"{BY_ACCIDENT}: ", "teach") + Text(reason)
    return Text(reason)


def _weights(report: Report, marks: Marks) -> Table:
    table = grid(marks, f"Weights: {report.params:,} parameters", "name", "symbolic", "shape", "gates", "elements")
    terms = []
    for weight in report.weights:
        shape = [dim.size for dim in weight.dims]
        terms.append((marks.times.join(dim.letter for dim in weight.dims) or "1", prod(shape)))
        table.add_row(
            Text(weight.name, "role"),
            sizes(dim.letter for dim in weight.dims),
            sizes(shape),
            "|".join(weight.gates),
            f"{prod(shape):,}",
        )
    table.caption = Text(f"{' + '.join(letters for letters, _ in terms)} = {report.params:,}", "faint")
    table.caption_justify = "left"
    return table


def _cost(report: Report, marks: Marks) -> Table:
    cost = report.cost
    table = grid(marks, "Cost of one forward call", "", "formula", "number", "")
    for what, formula, number, readable in (
        ("multiply-adds", cost.formula, cost.multiply_adds, ""),
        ("parameters", cost.parameter_formula, cost.parameter_bytes, _readable(cost.parameter_bytes)),
        ("activations", cost.activation_formula, cost.activation_bytes, _readable(cost.activation_bytes)),
    ):
        table.add_row(Text(what, "role"), formula.replace("*", marks.times), f"{number:,}", readable)
    table.columns[2].justify = "right"
    return table


def _readable(count: int) -> str:
    """Bytes with a suitable unit: ``416 bytes``, ``66.5 KiB``."""
    if count < 1024:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / 1024**power:.4g} {_UNITS[power - 1]}"


_UNITS = ("KiB", "MiB", "GiB", "TiB")


def _values(report: Report) -> Iterator[RenderableType]:
    import numpy as np

    yield Text("Values", "head")
    for tensor, array in zip(leaves(report.structure), report.values, strict=True):
        yield Text(f"{tensor.role} {sizes(tensor.shape)}", "role")
        numbers = np.array2string(np.asarray(array, dtype=np.float64), precision=6, suppress_small=False)
        yield Padding(Text(numbers), (0, 0, 0, 2))
