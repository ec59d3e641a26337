"""The texts of answers: one sign for each meaning, code that can be pasted, line breaks between words."""

from __future__ import annotations

import io
import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

import rnnshape
from rnnshape.batch import rows
from rnnshape.cli import output
from rnnshape.reading.batch.runs import from_stream
from rnnshape.render import View, summary
from rnnshape.render.html import report as page
from rnnshape.render.table import write
from rnnshape.report.rows import Tally
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

BELIEFS = ("--units", "8", "--return-sequences", "--return-state")


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


# Signs


@pytest.mark.parametrize("command", some(("lstm", "bidirectional"), 2))
@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_a_healthy_answer_has_no_sign_of_failure(command: str, form: str, run: Callable[..., Ran]) -> None:
    ran = run(command, *BELIEFS, "--cudnn", "-f", form)
    assert ran.code == 0
    assert "≠" in ran.out
    assert "✗" not in ran.out


def test_an_unmet_rule_of_cudnn_is_not_a_failure(run: Callable[..., Ran]) -> None:
    ran = run("lstm", "--unroll", "--cudnn", "--predict")
    assert re.search(r"│ ≠ +│ unroll is False", ran.out)
    assert "✗" not in ran.out


def test_a_comparison_marks_what_need_not_be_equal_without_a_failure(run: Callable[..., Ran]) -> None:
    ran = run("compare", "LSTM(8, return_sequences=True, return_state=True)", "RNN(LSTMCell(8))")
    assert "≠" in ran.out
    assert "✗" not in ran.out


@pytest.mark.parametrize(
    ("layers", "end"),
    [
        (("LSTM(8)", "GRU(8)"), "Different functions: nothing has to be equal."),
        (("LSTM(8)", "LSTM(4)"), "Different functions: nothing has to be equal."),
        (("LSTM(8)", "LSTM(8, activation='relu')"), "Different functions: nothing has to be equal."),
        (("LSTM(8)", "RNN(LSTMCell(8))"), "✓ Everything that has to be equal is equal."),
    ],
)
def test_a_comparison_says_what_had_to_be_equal(layers: tuple[str, str], end: str, run: Callable[..., Ran]) -> None:
    ran = run("compare", *layers)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, end)


# cuDNN


@pytest.mark.parametrize(
    "layer", ["Dense(3)", "Embedding(9, 4)", "Masking()", "Dropout(0.2)", "Dense(3) | Dropout(0.2)"]
)
def test_a_layer_without_a_loop_has_no_line_on_cudnn(layer: str, run: Callable[..., Ran]) -> None:
    assert "cuDNN" not in run("show", layer, "--predict").out


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        ("LSTMCell(8)", "cannot use cuDNN: a cell computes one step"),
        ("LSTM(8)", "can use cuDNN on a GPU"),
        ("LSTM(8, unroll=True)", "cannot use cuDNN because unroll=True; remove it"),
        ("SimpleRNN(8)", "cannot use cuDNN because SimpleRNN has no kernel of its own; use LSTM or GRU"),
        (
            "Dense(3) | GRU(8, reset_after=False)",
            "because layer 2 GRU: reset_after=False; layer 2 GRU: drop reset_after",
        ),
    ],
)
def test_the_line_on_cudnn_says_why(layer: str, line: str, run: Callable[..., Ran]) -> None:
    (said,) = [one for one in run("show", layer, "--predict").out.splitlines() if one.startswith("cuDNN")]
    assert line in said


# Code to paste


@pytest.mark.parametrize(
    ("asked", "undefined"),
    [
        (("LSTM(8, return_state=True)",), ""),
        (("LSTM(8)", "--mask", "right:3,2"), "mask"),
        (("LSTM(8)", "--initial-state", "random"), "state_h_0, state_c_0"),
        (("GRUCell(8)",), "state_0"),
        (("LSTM(8, return_sequences=True) | GRU(4)",), "layer"),
        (("LSTM(8, return_state=True)", "--into", "LSTM(8)"), ""),
    ],
)
def test_every_name_in_the_lines_to_paste_is_defined_or_listed(
    asked: tuple[str, ...], undefined: str, run: Callable[..., Ran]
) -> None:
    told = dict(re.findall(r"^(Program)  +(.+)$", run("show", *asked, "--predict").out, re.MULTILINE))
    want = f"--code prints the whole program, which defines {undefined}" if undefined else None
    assert told.get("Program") == want
    lines = re.findall(r"^(?:Create|Unpack|Call) with +(.+)$", run("show", *asked, "--predict").out, re.MULTILINE)
    known = {"x", "True", *undefined.split(", ")}
    for line in lines:
        left, right = line.split(" = ", 1)
        free = set(re.findall(r"(?<![\w'.])[a-z_]\w*(?!\w*=)", re.sub(r"\w+=", "", right)))
        assert free <= known, line
        known |= set(re.findall(r"\w+", left))


# Width


def test_a_check_stays_whole_and_its_reason_has_room_at_80_columns() -> None:
    report = rnnshape.explore("bidirectional", units=8, return_sequences=True, return_state=True, mask="right:3,2")
    terminal = Terminal()
    write(report, terminal, View())
    lines = terminal.text().splitlines()
    assert max(map(len, lines)) <= 80
    assert report.checks
    for check in report.checks:
        assert any(f"│ {check.check} " in line for line in lines), check.check
        begin = " ".join(check.why.split()[:4])
        assert any(f"│ {begin}" in line for line in lines), "the reason has no room"


def test_an_error_breaks_between_words_on_a_terminal(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("show", "LSTM(units=0, return_state=2, time_major=True)")
    off = run(*asked).err
    monkeypatch.setattr(output, "_columns", lambda: 60)
    on = run(*asked).err
    assert max(map(len, off.splitlines())) > 60
    assert max(map(len, on.splitlines())) <= 60
    assert on.split() == off.split()
    assert "    LSTM(units=0, return_state=2, time_major=True)\n               ^\n" in on


def test_a_mistake_in_a_file_keeps_its_caret_on_a_terminal(
    tmp_path: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "runs.yaml"
    file.write_text("runs:\n  - {layer: lstm, unit: 8, name: a name that is long enough to be wider than the screen}\n")
    off = run("batch", str(file)).err
    monkeypatch.setattr(output, "_columns", lambda: 60)
    on = run("batch", str(file)).err
    assert [line for line in on.splitlines() if "|" in line] == [line for line in off.splitlines() if "|" in line]


# Many runs


def tally(count: int) -> Tally:
    asked = [json.dumps({"name": f"run {number}", "layer": "LSTM(8)"}) for number in range(count)]
    asked.append(json.dumps({"name": "the wrong one", "layer": "LSTM(8)", "expect": {"params": 1}}))
    text = "".join(f"{line}\n" for line in asked)
    return Tally(rows(from_stream(io.BytesIO(text.encode()), "<stdin>"), predict=True))


@pytest.mark.parametrize(("count", "every", "shown"), [(30, False, 0), (30, True, 30), (5, False, 5)])
def test_a_terminal_shows_the_failures_of_many_runs(count: int, every: bool, shown: int) -> None:
    terminal = Terminal()
    summary.write(tally(count), terminal, View(every=every))
    assert len(re.findall(r"│ run \d+ ", terminal.text())) == shown
    assert "│ the wrong one " in terminal.text()
    end = f"{count + 1} runs, {count} ok, 1 failed"
    assert terminal.text().rstrip().endswith(end if shown else f"{end}; --all shows every run")


def test_a_file_has_every_run() -> None:
    stream = io.StringIO()
    summary.write(tally(30), stream, View())
    assert len(re.findall(r"│ run \d+ ", stream.getvalue())) == 30


def test_the_option_reaches_the_table(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bool] = []
    monkeypatch.setattr(summary, "write", lambda rows, stream, view: said.append(view.every))
    for options in ((), ("--all",)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"layer": "lstm"}\n')))
        run("batch", "-", "--predict", *options)
    assert said == [False, True]


# Pages and masks


def test_a_shape_on_a_page_is_one_piece() -> None:
    stream = io.StringIO()
    page.write(rnnshape.predict("LSTM(8, return_state=True)"), stream, View())
    assert '<span class="shape">(2, 8)</span>' in stream.getvalue()
    assert re.search(r"\.shape \{[^}]*white-space: nowrap", stream.getvalue())


def test_the_clearer_word_for_a_mask_means_the_same() -> None:
    masks = [rnnshape.predict("lstm", mask=word).to_dict()["run"]["mask"] for word in ("empty-last", "full")]
    assert masks[0] == masks[1] == "111;000"


def test_every_input_of_wired_calls_is_named(run: Callable[..., Ran]) -> None:
    code = "a = Input((None, 8)); b = Input((None, 3)); y = LSTM(5)(Concatenate()([a, b]))"
    lines = run("show", code, "--predict").out.splitlines()
    assert "a (N, T, C) = (2, 3, 8) float32" in lines
    assert "b (N, T, C2) = (2, 3, 3) float32, seed 0" in lines
