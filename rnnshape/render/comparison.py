"""The table view of a comparison: the variants, their outputs, the differences and the reasons."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from rnnshape.layers.quirks import HELP
from rnnshape.render.grid import grid, pairs, sizes
from rnnshape.render.marks import Marks, marks_for
from rnnshape.render.seconds import bar, duration
from rnnshape.render.table import difference, fed, sign
from rnnshape.render.terminal import show
from rnnshape.report.alike import DIFFERENT
from rnnshape.report.comparison import STRUCTURE, ratio
from rnnshape.spec.comparison import RULES
from rnnshape.spec.masks import written
from rnnshape.structure import brackets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from rich.console import RenderableType
    from rich.table import Table

    from rnnshape.report.checks import Check
    from rnnshape.report.comparison import Compared, Pair, Side


def write(compared: Compared, stream: TextIO) -> None:
    """Draw the comparison on the stream."""
    show(draw(compared, marks_for(stream)), stream)


def draw(compared: Compared, marks: Marks) -> RenderableType:
    """The whole view as one renderable."""
    lines: list[RenderableType] = [Text(compared.comparison.title, "title"), context(compared, marks)]
    for part in parts(compared, marks):
        lines += [Text(), part]
    return Group(*lines, *ending(compared, marks))


def parts(compared: Compared, marks: Marks) -> Iterator[RenderableType]:
    """The parts between heading and verdict, in order; HTML and Markdown show the same."""
    yield _variants(compared, marks)
    if compared.pairs:
        yield _returns(compared)
        yield _outputs(compared, marks)
    if any(side.report.checks for side in compared.sides):
        yield _laws(compared, marks)
    if any(side.timing for side in compared.sides):
        yield _timings(compared, marks)
    yield _reasons(compared)


def _letter(number: int) -> str:
    """``A`` to ``Z``, then numbers from ``27``."""
    return ascii_uppercase[number] if number < len(ascii_uppercase) else str(number + 1)


def context(compared: Compared, marks: Marks) -> Text:
    """Two lines: the input, and the device and versions."""
    first = compared.sides[0]
    spec, environment = first.variant.spec, first.report.environment
    masks = {side.variant.spec.mask for side in compared.sides}
    mask = f", mask {written(spec.mask)}" if spec.mask is not None and len(masks) == 1 else ""
    devices = dict.fromkeys(side.report.environment["device"] for side in compared.sides)
    where = " and ".join(device for device in devices if device) or "not run"
    ran = [side.report.environment["keras"] for side in compared.sides if side.way != RULES]
    keras = " and ".join(dict.fromkeys(ran or [environment["keras"]]))
    return Text(
        f"{fed(spec)}{mask}\n{where} {marks.dot} TensorFlow {environment['tensorflow']}, Keras {keras}",
        "faint",
    )


def _variants(compared: Compared, marks: Marks) -> Table:
    """The variants: how each was run, its kernel, cuDNN, and whether its weights are copied."""

    sides = compared.sides
    run = compared.comparison.axis != "execution"
    columns = ["", "variant", *(["run"] if run else []), "kernel", "cuDNN", "weights"]
    table = grid(marks, "Variants", *columns)
    for number, side in enumerate(sides):
        table.add_row(
            Text(_letter(number), "head"),
            Text(side.variant.label, "code"),
            *([side.way] if run else []),
            side.kernel or ("not run" if side.variant.static else "unknown"),
            "used" if side.report.cudnn.used else "eligible" if side.report.cudnn.eligible else "not eligible",
            _weights(number, side),
        )
    return table


def _weights(number: int, side: Side) -> str:
    if side.way == RULES:
        return "none"
    return "own" if number == 0 else "own (shapes differ)" if side.weights else "copied from A"


def _returns(compared: Compared) -> Group:
    """The returned containers with their roles; variants that return the same share a row."""
    table = pairs()
    of: dict[str, list[str]] = {}
    for number, side in enumerate(compared.sides):
        if side.structure is not None:
            said = brackets(side.structure, lambda tensor: tensor.role)
            of.setdefault(said, []).append(_letter(number))
    for said, letters in of.items():
        table.add_row(Text(f"{_joined(letters)} return{'s' if len(letters) == 1 else ''}", "head"), Text(said, "role"))
    # A title of the table itself would wrap at the table's width.
    return Group(Text("Returns", "head"), table)


def _joined(letters: list[str]) -> str:
    """``A, B and C``."""
    return " and ".join(filter(None, (", ".join(letters[:-1]), letters[-1])))


def _outputs(compared: Compared, marks: Marks) -> Table:
    """One row for each role: the tensor of A, and the difference of the others from it."""

    found = {(pair.role, pair.variant): pair for pair in compared.pairs}
    others = range(1, len(compared.sides))
    table = grid(marks, "Outputs compared with A", "role", "A", *map(_letter, others))
    if any(not pair.equal for pair in compared.pairs if pair.role == STRUCTURE):
        cells = [_cell(found.get((STRUCTURE, number)), None, marks) for number in others]
        table.add_row(STRUCTURE, "", *cells)
    for role, tensor in compared.sides[0].tensors.items():
        cells = [_cell(found.get((role, number)), tensor.dtype, marks) for number in others]
        table.add_row(Text(role, "role"), f"{sizes(tensor.shape)} {tensor.dtype}", *cells)
    return table


def _cell(pair: Pair | None, dtype: str | None, marks: Marks) -> Text:

    if pair is None:
        return Text("")
    mark, style = (marks.yes, "good") if pair.kept else (marks.no, "bad")
    if pair.must is None:
        mark, style = (marks.equal if pair.equal else marks.unequal), "teach"
    text = Text(mark, style)
    if pair.tensor is not None and pair.max_abs_diff is None and not pair.equal:
        text += f" {sizes(pair.tensor.shape)}"
    elif pair.exact is not None:
        text += f" {difference(pair)}"
    if pair.tensor is not None and pair.tensor.dtype not in ("", dtype):
        text += f" {pair.tensor.dtype}"
    return text


def _laws(compared: Compared, marks: Marks) -> Table:
    """One row for each law; the cell is empty for variants that were only predicted."""

    checks = [{check.check: check for check in side.report.checks} for side in compared.sides]
    table = grid(marks, "Equalities", "check", *map(_letter, range(len(checks))))
    for law in dict.fromkeys(law for known in checks for law in known):
        table.add_row(Text(law, "code"), *(_held(known.get(law), marks) for known in checks))
    return table


def _held(check: Check | None, marks: Marks) -> Text:

    if check is None or check.holds is None:
        return Text("")
    mark, style = sign(check, marks)
    return Text(f"{mark} {difference(check)}", style)


# -- time ---------------------------------------------------------------------------------------


def _timings(compared: Compared, marks: Marks) -> Table:

    timings = {number: side.timing for number, side in enumerate(compared.sides) if side.timing}
    some = next(iter(timings.values()))
    what = "forward and backward" if some.training else "forward"
    title = f"Time per call, {what}: median of {some.runs} interleaved runs"
    table = grid(marks, title, "", "median", "25th to 75th percentile", "ratio", "")
    longest = max(timing.median for timing in timings.values())
    for number, timing in timings.items():
        times = ratio(compared.sides[number], compared.sides[0])
        table.add_row(
            Text(_letter(number), "head"),
            duration(timing.median),
            f"{duration(timing.lower)} to {duration(timing.upper)}",
            "" if times is None else f"{times:.2f}",
            Text(bar(timing.median / longest, marks), "bar"),
        )
    return table


# -- why, and the verdict -----------------------------------------------------------------------


def _reasons(compared: Compared) -> Table:
    """Each reason once, with the letters of its variants; failures first."""
    table = pairs()
    of: dict[tuple[str, str], list[str]] = {}
    for number, why, style in sorted(dict.fromkeys(_remarks(compared)), key=lambda one: (one[2] != "bad", one[0])):
        of.setdefault((why, style), []).append(_letter(number))
    for (why, style), letters in of.items():
        table.add_row(Text(" ".join(letters), "head"), Text(why, style))
    return table


def _remarks(compared: Compared) -> Iterator[tuple[int, str, str]]:
    """The variant, text and style of each error, warning, note and reason."""
    for number, side in enumerate(compared.sides):
        if side.report.error is not None:
            yield number, side.report.error.message, "bad"
        for warning in side.report.warnings:
            yield number, f"Keras warns: {warning}", "teach"
        yield from ((number, note, "") for note in side.report.notes)
        yield from ((number, change, "teach") for change in side.variant.changes)
    for pair in compared.pairs:
        if not pair.kept:
            known = f"; a Keras bug: {pair.quirk} ({HELP})" if pair.quirk else "; the reason is unknown"
            yield pair.variant, f"{pair.role} must be {_needed(pair)}: {pair.why}{known}", "bad"
        elif pair.role != STRUCTURE:
            yield pair.variant, pair.why if pair.must is None else f"{_needed(pair)}: {pair.why}", ""


def hints(compared: Compared) -> Iterator[tuple[str, str]]:
    """The label and hint of each error, for the documents; the command line writes hints to standard error."""
    for side in compared.errors:
        if side.report.error and side.report.error.hint:
            yield side.variant.label, side.report.error.hint


def _needed(pair: Pair) -> str:
    return {"bitwise": "bitwise equal", "close": "equal within tolerance", "shape": "the same"}[pair.must or "shape"]


def ending(compared: Compared, marks: Marks) -> Iterator[Text]:
    """The verdict in words."""
    yield Text()
    broken, needed = len(compared.broken), sum(pair.must is not None for pair in compared.pairs)
    listed = {pair.variant for pair in compared.broken if pair.role == STRUCTURE}
    odd = [
        _letter(number)
        for number, side in enumerate(compared.sides)
        if not side.report.ok and side.report.error is None and number not in listed
    ]
    if compared.errors:
        yield Text(f"{marks.no} {len(compared.errors)} of {len(compared.sides)} gave no answer.", "bad")
    if broken:
        yield Text(f"{marks.no} {broken} of {needed} required equalities {'fails' if broken == 1 else 'fail'}.", "bad")
    if odd:
        yield Text(f"{marks.no} Theory and the real layer disagree in {', '.join(odd)}.", "bad")
    if not compared.ok:
        return
    if any(pair.must is not None for pair in compared.pairs if pair.role != STRUCTURE):
        yield Text(f"{marks.yes} Everything that has to be equal is equal.", "good")
    elif all(DIFFERENT in pair.why for pair in compared.pairs if pair.role != STRUCTURE):
        yield Text("Different functions: nothing has to be equal.", "faint")
    else:
        yield Text("Nothing here has to be equal.", "faint")
