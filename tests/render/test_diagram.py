"""Diagrams of layers unrolled over time: golden pictures, and properties of all pictures."""

from __future__ import annotations

import html
import io
import os
import re
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pyte
import pytest

import rnnshape
from rnnshape.reading import make
from rnnshape.render import View, renderer
from rnnshape.render.diagram import Diagram, picture_of
from rnnshape.render.marks import ASCII, UNICODE, Marks
from rnnshape.render.settling import settling
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.masks import rows
from rnnshape.structure import leaves
from tests.shared.drawing import Drawer
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rnnshape.report import Report
    from rnnshape.theory.unrolled import Unrolled
    from tests.conftest import Ran

BIDIRECTIONAL = "Bidirectional(LSTM(4, return_sequences=True, return_state=True))"
LONG = {"time": 9}


def predicted(layer: str, mask: str | None = None, /, **options: Any) -> Report:
    spec = make(layer, options)
    if mask is not None:
        spec = replace(spec, mask=rows(mask, batch=spec.input[0], steps=spec.input[1]))
    return rnnshape.predict(spec)


def drawn(report: Report, marks: Marks = UNICODE, width: int = 80) -> str:
    return "".join(line.plain + "\n" for line in picture_of(report.unrolled, marks.wires, width))


GOLDEN: dict[str, tuple[Report, Marks, int]] = {
    "bidirectional": (predicted(BIDIRECTIONAL), UNICODE, 80),
    "bidirectional-60-ascii": (predicted(BIDIRECTIONAL), ASCII, 60),
    "bidirectional-long": (predicted(BIDIRECTIONAL, **LONG), UNICODE, 80),
    "bidirectional-none": (
        predicted("Bidirectional(GRU(4, return_sequences=True, return_state=True), merge_mode=None)"), UNICODE, 80,
    ),
    "bidirectional-none-last": (predicted("Bidirectional(LSTM(4, return_state=True), merge_mode=None)"), UNICODE, 80),
    "bidirectional-sum": (predicted("Bidirectional(LSTM(4, return_state=True), merge_mode='sum')"), UNICODE, 80),
    "bidirectional-cells": (
        predicted("Bidirectional(RNN([LSTMCell(4), GRUCell(3)], return_state=True))", **LONG), UNICODE, 80,
    ),
    "lstm": (predicted("LSTM(4, return_sequences=True, return_state=True)"), UNICODE, 80),
    "lstm-60": (predicted("LSTM(4, return_sequences=True, return_state=True)", time=100), UNICODE, 60),
    "gru-backwards": (predicted("GRU(4, go_backwards=True, return_sequences=True)", **LONG), UNICODE, 80),
    "stateful": (predicted("RNN([LSTMCell(4), GRUCell(3)], return_state=True, stateful=True)"), UNICODE, 80),
    "mask": (predicted("LSTM(4, return_state=True)", "110;111"), UNICODE, 80),
    "mask-ascii": (predicted("SimpleRNN(4, go_backwards=True)", "11110;10000", time=5), ASCII, 80),
    "cell": (predicted("LSTMCell(4)"), UNICODE, 80),
    "cells": (predicted("StackedRNNCells([LSTMCell(4), GRUCell(3)])"), UNICODE, 80),
    "conv": (predicted("conv-lstm3d", return_state=True), UNICODE, 80),
    "around": (predicted("TimeDistributed(LSTM(4))"), UNICODE, 80),
    "dense": (predicted("dense"), ASCII, 80),
    "stack": (
        predicted(
            "Embedding(10, 4) | Bidirectional(LSTM(8, return_sequences=True)) | LSTM(4, return_state=True)"
        ), UNICODE, 80,
    ),
    "stack-turned": (
        predicted("LSTM(4, return_sequences=True) | GRU(3, go_backwards=True, return_sequences=True, return_state=True)"),
        UNICODE, 80,
    ),
    "stack-last": (predicted("Bidirectional(GRU(4)) | Dense(1)"), ASCII, 80),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_picture(name: str, golden: Callable[[str, str], None]) -> None:
    report, marks, width = GOLDEN[name]
    notes = "".join(note + "\n" for note in report.unrolled.notes)
    golden(f"diagram-{name}.txt", f"{report.expression}\n\n{drawn(report, marks, width)}{notes}")


def flags(command: str) -> Iterator[dict[str, Any]]:
    """All combinations of the command's flags that change the picture."""
    known = COMMANDS[command].options
    switches = [name for name in ("return_sequences", "return_state", "go_backwards", "stateful") if name in known]
    choices = dict.fromkeys(switches, (False, True)) | {
        name: argument.kind.values for name in ("merge_mode", "layer", "cell") if (argument := known.get(name))
    }
    for values in product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        if "cell" in chosen and "layer" in chosen and chosen["layer"] != "rnn":
            chosen.pop("cell")
        yield {name: value for name, value in chosen.items() if value is not False}


def answers(command: str) -> Iterator[Report]:
    for options in flags(command):
        for time in (3, 50) if "time" in {option.name for option in COMMANDS[command].run_options} else (None,):
            yield predicted(command, **options, **({} if time is None else {"time": time}))


def missing(report: Report, text: str) -> list[str]:
    """The returned tensors whose role and symbolic shape do not occur exactly once in the text."""
    titles = [f"{tensor.role} ({', '.join(tensor.symbolic)})" for tensor in leaves(report.predicted)]
    return [title for title in titles if len(re.findall(rf"(?<!\w){re.escape(title)}", text)) != 1]


@pytest.mark.parametrize("command", some(COMMANDS, 3))
def test_each_returned_tensor_is_named_once(command: str) -> None:
    seen = 0
    for report in answers(command):
        for marks, width in ((UNICODE, 80), (ASCII, 80), (UNICODE, 60)):
            text = drawn(report, marks, width)
            assert not missing(report, text), f"{report.expression}\n{text}"
            assert width < 80 or max(map(len, text.splitlines())) <= width, f"{report.expression}\n{text}"
            assert marks is UNICODE or text.isascii(), text
            assert all(line == line.rstrip() for line in text.splitlines())
            seen += 1
    assert seen


def test_each_returned_tensor_of_any_layer_is_named_once() -> None:
    drawer = Drawer(8)
    for _ in range(400):
        report = rnnshape.predict(drawer.spec())
        text = drawn(report)
        assert not missing(report, text), f"{report.expression}\n{text}"


def boxes(picture: Unrolled, steps: int) -> dict[str, int]:
    """How often each cell's name must occur with this number of drawn steps."""
    counts: dict[str, int] = {}
    for layer in picture.layers:
        for lane in layer.lanes:
            for cell in lane.cells:
                counts[cell.name] = counts.get(cell.name, 0) + (steps if layer.over_time else 1)
    return counts


def test_no_word_covers_another() -> None:
    """Every box has its name, and every step its x and its element in each output."""
    drawer = Drawer(9)
    for _ in range(300):
        report = rnnshape.predict(drawer.spec())
        picture, text = report.unrolled, drawn(report, ASCII, 1000)
        shown = len(re.findall(r"\bx\d+\b", text))
        expected = 0 if picture.steps is None else min(picture.steps, 4) if picture.steps < 5 else 3
        assert shown == expected, text
        for name, count in boxes(picture, shown).items():
            assert len(re.findall(rf"[|:+] *{name} *[|:+]", text)) == count, f"{report.expression}\n{text}"
        places = shown * len(picture.outputs) if picture.layers[-1].sequences else 0
        assert text.count("[:, ") == places, f"{report.expression}\n{text}"
        arrows = sum(bool(cell.roles) for layer in picture.layers for lane in layer.lanes for cell in lane.cells)
        assert (
            text.count("0 -") + text.count("- 0") + text.count("@ -") + text.count("- @") + text.count("_0 -") >= arrows
        )


LAW = re.compile(r"(?:\w+_)?output\[:, (?P<index>-1|0), (?P<half>:H|H:|:)\] == (?P<role>(?:\w+_)?state(?:_h)?)")


TURNED = [
    "LSTM(3, return_sequences=True) | GRU(3, return_sequences=True, return_state=True, go_backwards=True)",
    "GRU(3, return_sequences=True, go_backwards=True) | "
    "LSTM(3, return_sequences=True, return_state=True, go_backwards=True)",
    "GRU(3, return_sequences=True, go_backwards=True) | "
    "Bidirectional(LSTM(3, return_sequences=True, return_state=True))",
    "LSTM(3, return_sequences=True) | GRU(3, return_sequences=True, go_backwards=True) | "
    "Bidirectional(LSTM(3, return_sequences=True, return_state=True), merge_mode=None)",
]


def test_the_picture_agrees_with_the_laws() -> None:
    """If a law says that a final state is an element of the output, the lane ends below this element."""
    reports = [report for command in ("lstm", "gru", "rnn", "bidirectional") for report in answers(command)]
    held = 0
    for report in [*reports, *map(predicted, TURNED)]:
        last = report.unrolled.layers[-1]
        for check in report.checks:
            law = LAW.fullmatch(check.check)
            if law is None:
                continue
            lane = next(
                lane for lane in last.lanes if law["role"] in [tensor.role for tensor in lane.cells[-1].leaving]
            )
            ends_at_first_place = lane.leftward != last.turned
            assert ((law["index"] == "0") == ends_at_first_place) == check.guaranteed, f"{report.expression}: {check}"
            held += 1
    assert held > 50


def reaching(picture: Unrolled) -> list[list[set[int]]]:
    """For each element of each output, the steps of x from which arrows lead to it."""
    assert picture.steps is not None
    positions = range(picture.steps)
    times = [picture.steps - 1 - position if picture.backwards else position for position in positions]
    flows = [[{time} for time in times]]
    for layer in picture.layers:
        ways = []
        for lane in layer.lanes:
            reached = []
            for position in positions:
                before = positions[position:] if lane.leftward else positions[: position + 1]
                come = before if lane.cells[0].roles else [position]
                reached.append(set().union(*(flows[0][place] for place in come)))
            ways.append(reached)
        merged = [ways[0]] if len(ways) == 1 else [[left | right for left, right in zip(*ways, strict=True)]]
        flows = ways if len(ways) == 2 and layer.merge is None else merged
    return [flow[::-1] if picture.layers[-1].turned else flow for flow in flows]


@pytest.mark.parametrize(
    "expression",
    [
        "LSTM(3, return_sequences=True)",
        "GRU(3, return_sequences=True, go_backwards=True)",
        "GRU(3, return_sequences=True, go_backwards=True) | TimeDistributed(Dense(2))",
        "LSTM(3, return_sequences=True) | GRU(3, return_sequences=True, go_backwards=True)",
        "GRU(3, return_sequences=True, go_backwards=True) | GRU(3, return_sequences=True, go_backwards=True)",
        "Bidirectional(GRU(3, return_sequences=True))",
        "Bidirectional(GRU(3, return_sequences=True), merge_mode=None)",
        "TimeDistributed(Dense(3)) | Bidirectional(GRU(3, return_sequences=True, go_backwards=True), merge_mode=None, "
        "backward_layer=LSTM(2, return_sequences=True))",
        "GRU(3, return_sequences=True, go_backwards=True) | Bidirectional(GRU(3, return_sequences=True), merge_mode=None)",
    ],
)
def test_the_arrows_agree_with_the_real_layer(expression: str) -> None:
    """A changed step of x changes exactly those output elements to which arrows lead from it."""
    import numpy as np

    from rnnshape.lab.build import build

    steps, report = 4, predicted(expression, time=4)
    layer, stacked = build(report.spec.layer), "|" in expression

    def outputs(x: np.ndarray) -> list[np.ndarray]:
        returned = layer(x)[-1] if stacked else layer(x)
        return [np.asarray(output) for output in (returned if isinstance(returned, (tuple, list)) else [returned])]

    x = np.random.default_rng(0).normal(size=(2, steps, 4)).astype("float32")
    before = outputs(x)
    seen: list[list[set[int]]] = [[set() for _ in range(steps)] for _ in before]
    for time in range(steps):
        changed = x.copy()
        changed[:, time] += 1
        for output, (old, new) in enumerate(zip(before, outputs(changed), strict=True)):
            for place in range(steps):
                if not np.array_equal(old[:, place], new[:, place]):
                    seen[output][place].add(time)
    assert seen == reaching(report.unrolled)


def test_a_masked_step_is_dashed() -> None:
    lines = drawn(predicted("LSTM(4)", "110;111")).splitlines()
    assert [line.count("╌") > 0 for line in lines] == [("╭" in line and "╌" in line) or "╰╌" in line for line in lines]
    assert sum(line.count("┆") for line in lines) == 2
    assert "┆" not in drawn(predicted("LSTM(4)", "111;111"))
    assert lines[-3].split() == ["│", "mask[0]", "1", "1", "0", "│"]
    assert lines[-2].split() == ["│", "mask[1]", "1", "1", "1", "│"]


def test_the_mask_rows_of_many_samples_are_left_out() -> None:
    text = drawn(predicted("LSTM(4)", "right:" + ",".join(["3"] * 40), batch=40))
    assert "mask[3]" in text
    assert "mask[4]" not in text


def test_backwards_the_mask_is_below_its_step() -> None:
    lines = drawn(predicted("LSTM(4, go_backwards=True)", "110;111")).splitlines()
    assert lines[-4].split() == ["│", "x₃", "x₂", "x₁", "│"]
    assert lines[-3].split() == ["│", "mask[0]", "0", "1", "1", "│"]


def test_every_layer_command_has_the_flag(run: Callable[..., Ran]) -> None:
    for command in COMMANDS:
        ran = run(command, "--diagram", "--predict")
        assert ran.code == 0
        assert re.search(r"^(Unrolled over time|One step|One call)$", ran.out, re.MULTILINE)
        assert ran.out.index("╭") < ran.out.index("Returns")
        assert "▲" not in run(command, "--predict").out


def test_into_a_file_of_any_encoding(run: Callable[..., Ran], tmp_path: Path) -> None:
    target = tmp_path / "answer"
    assert run("show", "LSTM(4) | Dense(1)", "--diagram", "--predict", "-o", str(target)).code == 0
    assert "▲" in target.read_text(encoding="utf-8")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    renderer("table")(predicted(BIDIRECTIONAL), stream, View(diagram=True))
    stream.flush()
    assert b"^" in stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_a_diagram_with_a_verified_answer(run: Callable[..., Ran]) -> None:
    ran = run("gru", "--diagram", "--return-state")
    assert "├──▶ state (N, H)\n" in ran.out
    assert "✓ Theory and the real layer agree." in ran.out


def test_the_diagram_is_not_computed_without_its_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("nobody asked")

    monkeypatch.setattr("rnnshape.theory.unrolled.unroll", asked)
    renderer("table")(predicted("lstm"), io.StringIO(), View())
    predicted("lstm").to_dict()
    with pytest.raises(AssertionError, match="nobody asked"):
        renderer("table")(predicted("lstm"), io.StringIO(), View(diagram=True))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [80, 60, 30])
def test_on_a_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn before verification, as wide as the terminal allows; a line that is too long is cut, not folded."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)
    monkeypatch.setattr("os.get_terminal_size", lambda *_: os.terminal_size((width, 200)))
    terminal, report, seen = Terminal(), predicted(BIDIRECTIONAL), []

    def prove() -> Report:
        screen = pyte.Screen(width, 200)
        screen.set_mode(pyte.modes.LNM)
        pyte.Stream(screen).feed(terminal.getvalue())
        seen.extend(line.rstrip() for line in screen.display)
        return report

    settling(report, prove, terminal, View(diagram=True))
    picture = [line[:width].rstrip() for line in drawn(report, UNICODE, width).splitlines()]
    first = seen.index("Unrolled over time") + 1
    assert seen[first : first + len(picture)] == picture


@pytest.mark.parametrize(
    "layer", [BIDIRECTIONAL, "GRU(3)", "lstm-cell", "LSTM(3, return_sequences=True) | GRU(2)", "dense"]
)
@pytest.mark.parametrize("form", ["html", "markdown", "svg"])
def test_every_format_has_the_picture(form: str, layer: str) -> None:
    """The picture itself, not the repr of an object."""
    report = rnnshape.predict(layer)
    stream = io.StringIO()
    renderer(form)(report, stream, View(diagram=True))
    out = html.unescape(stream.getvalue()).replace("\xa0", " ")
    assert " object at 0x" not in out
    picture = drawn(report).splitlines()
    if form == "svg":
        told = re.sub(r"<[^>]+>|\n", "", out)  # a text of the picture is an element
        assert all(word in told for line in picture for word in line.split())
    else:
        assert "\n".join(line.rstrip() for line in picture) in out
    assert Diagram(report.unrolled, UNICODE).head in out
