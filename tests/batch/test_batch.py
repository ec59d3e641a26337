"""Many runs, from YAML and JSON Lines: one row each, and all mistakes of a file at once."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rnnshape import explore, predict
from rnnshape.batch import rows
from rnnshape.layers import TABLE, release
from rnnshape.reading import make
from rnnshape.reading.batch.data import from_data
from rnnshape.reading.batch.runs import from_stream
from rnnshape.structure import leaves
from tests import CONFIGS
from tests.shared.releases import legacy, since
from tests.shared.vocabulary import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran


# Files with many real layers are slow.
LONG = {"classic.yaml", "masks.yaml", "sweep.yaml"}
MARKS = {"contracts.yaml": (since("3.4", "dropout does not prevent cuDNN"),)}
REAL = {**dict.fromkeys(LONG, (pytest.mark.slow,)), "keras2.yaml": (legacy,)}
EXAMPLES = [pytest.param(path, marks=MARKS.get(path.name, ())) for path in CONFIGS]
PROVED = [pytest.param(path, marks=(*MARKS.get(path.name, ()), *REAL.get(path.name, ()))) for path in CONFIGS]


@pytest.mark.parametrize("path", PROVED, ids=lambda path: path.name)
def test_every_example_is_proved(path: Path, run: Callable[..., Ran]) -> None:
    ran = run("batch", str(path), "-f", "jsonl")
    reports = list(map(json.loads, ran.out.splitlines()))
    assert (ran.code, ran.err) == (0, "")
    assert reports
    for report in reports:
        assert report["ok"]
        assert report["agrees"] or [line["expect"] for line in report["expectations"]] == ["error"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_no_example_expects_what_theory_denies(path: Path, run: Callable[..., Ran]) -> None:
    ran = run("batch", str(path), "--predict", "-f", "jsonl")
    assert (ran.code, ran.err) == (0, "")
    assert all(
        line["met"] is not False for row in ran.out.splitlines() for line in json.loads(row).get("expectations", ())
    )


def test_the_classic_walk_says_what_comes_out_of_every_layer(run: Callable[..., Ran]) -> None:
    classic = next(path for path in CONFIGS if path.name == "classic.yaml")
    reports = list(map(json.loads, run("batch", str(classic), "--predict", "-f", "jsonl").out.splitlines()))
    assert all(report["expectations"] for report in reports)
    said: dict[str, set[str]] = {}
    for report in reports:
        said.setdefault(report["expression"], set()).update(line["expect"] for line in report["expectations"])
    for expression, lines in said.items():
        assert {leaf.role for leaf in leaves(predict(expression).predicted)} <= lines, expression


def test_every_class_is_answered_from_yaml(tmp_path: Path, run: Callable[..., Ran]) -> None:
    asked = [
        "lstm", "gru", "simple-rnn", "lstm-cell", "gru-cell", "simple-rnn-cell", "rnn", "bidirectional",
        "StackedRNNCells([LSTMCell(3), GRUCell(4)])", "ConvLSTM1D(3, 2)", "ConvLSTM2D(3, 2)", "ConvLSTM3D(3, 2)",
        "TimeDistributed(LSTM(3))", "Masking()", "Embedding(9, 4)", "Dense(3)", "Dropout(0.5)", "LSTM(3) | Dense(1)",
    ]  # fmt: skip
    asked += [plain(name).text for name in TABLE if name != "Sequential"]
    file = tmp_path / "all.yaml"
    file.write_text("runs:\n" + "".join(f'  - {{layer: "{layer}"}}\n' for layer in asked))
    ran = run("batch", str(tmp_path), "-f", "json")
    reports = json.loads(ran.out)
    assert ran.code == 0
    assert [report["expression"] for report in reports] == [make(layer).layer.text for layer in asked]
    assert {part.name for layer in asked for part in make(layer).layer.walk()} == set(TABLE)


def test_yaml_flags_and_expressions_end_in_the_same_spec() -> None:
    from_flags = make("bidirectional", {"units": 8, "merge_mode": "sum", "return_state": True, "time": 5})
    from_text = make("Bidirectional(LSTM(8, return_state=True), merge_mode='sum')", {"input": (2, 5, 4)})
    from_yaml = from_data({"layer": "bidirectional", "units": 8, "merge_mode": "sum", "return_state": True, "time": 5})
    assert from_flags == from_text == from_yaml


BROKEN = """\
defaults: {sed: 3}
runs:
  - {name: one, layer: lstm, unit: 8, time: 0}
  - layer: "LSTM(8, unit=3)"
  - layer: rnn
    activation: tahn
  - {}
  - {layer: gru, input: [2, 3]}
"""
MISTAKES = """\
broken.yaml:1:12: sed is not an option here (did you mean 'seed'?)
  |
1 | defaults: {sed: 3}
  |            ^~~
broken.yaml:3:30: unit is not an option here (did you mean 'units'?)
  |
3 |   - {name: one, layer: lstm, unit: 8, time: 0}
  |                              ^~~~
broken.yaml:3:45: time must be a whole number, 1 or more
  |
3 |   - {name: one, layer: lstm, unit: 8, time: 0}
  |                                             ^
broken.yaml:4:21: LSTM takes no argument unit (did you mean 'units'?)
  |
4 |   - layer: "LSTM(8, unit=3)"
  |                     ^~~~~~
broken.yaml:6:17: activation must be the name of a Keras activation (did you mean 'tanh'?)
  |
6 |     activation: tahn
  |                 ^~~~
broken.yaml:7:5: layer is missing: give a command's name (lstm) or an expression (LSTM(8))
  |
7 |   - {}
  |     ^~
"""


def test_every_mistake_of_a_file_at_once_and_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., Ran]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text(BROKEN)
    ran = run("batch", "broken.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == MISTAKES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "a batch file is a mapping with runs:"),
        ("rums: []", "rums is not known here (did you mean 'runs'?)"),
        ("runs: []", "runs must be a list of at least one run"),
        ("runs: {a: 1}", "runs must be a list of at least one run"),
        ("runs: [lstm]", "a run must be a mapping, such as {layer: lstm, units: 8}"),
        ("runs:\n- {layer: lstm}\ndefaults: 3", "defaults must be a mapping of options"),
    ],
)
def test_a_file_of_another_shape(text: str, message: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    ran = run("batch", str(file))
    assert ran.code == 2
    assert message in ran.err


def test_a_wrong_line_is_a_row_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, run: Callable[..., Ran]) -> None:
    lines = b'{"name": "a", "layer": "lstm"}\n{"layer": "LSTM(8"}\n\n{"name": "c", "layer": "gru", "units": 0}\n{"layer": "gru"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    ran = run("batch", "-", "--predict", "-f", "jsonl")
    reports = list(map(json.loads, ran.out.splitlines()))
    assert ran.code == 2
    assert [(report["name"], report["ok"]) for report in reports] == [
        ("a", True),
        (None, False),
        ("c", False),
        (None, True),
    ]
    assert "<stdin>:2:" in reports[1]["error"]["message"]
    assert "units must be a whole number, 1 or more" in reports[2]["error"]["message"]
    assert len({tuple(report) for report in reports}) == 1


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (b"\xef\xbb\xbf", ""),  # the byte order mark of UTF-8, as on Windows
        (b"\n\xef\xbb\xbf\n", "nothing to read"),
        (b"lstm\n", "-:1:1: not JSON"),
        (b'\n"units": 3}\n', "-:2:8: not JSON"),
        (b"null\n", "each line is one JSON object, not nothing"),
        (b"[" * 5000 + b"\n", "too deep"),
        (b"# runs\n", "not JSON"),
    ],
)
def test_a_wrong_first_line_does_not_affect_other_runs(before: bytes, told: str) -> None:
    found = list(rows(from_stream(io.BytesIO(before + b'{"layer": "gru"}\n{"layer": "lstm"}\n'), "-"), predict=True))
    assert [row.run.asked for row in found if row.ok] == ["GRU(1)", "LSTM(1)"]
    assert all(told in str(row.run.error) for row in found if not row.ok)
    assert (len(found) == 3) == bool(told)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be"])
def test_a_pipe_may_be_in_utf_16_with_its_mark(encoding: str) -> None:
    """As PowerShell writes it; U+010A and U+0A0A contain the byte of a line break."""
    mark = "" if encoding == "utf-8-sig" else "\ufeff"
    names = ("\u010a\u0a0a", "a", "\U0001f600")
    lines = [json.dumps({"name": name, "layer": "gru"}, ensure_ascii=False) for name in names]
    for last in ("\n", ""):
        data = (mark + "\r\n".join(lines) + last).encode(encoding)
        assert [(row.run.name, row.ok) for row in rows(from_stream(io.BytesIO(data), "-"), predict=True)] == [
            (name, True) for name in names
        ]
    document = (mark + "runs:\n- {layer: gru}\n").encode(encoding)
    assert [row.ok for row in rows(from_stream(io.BytesIO(document), "-"), predict=True)] == [True]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_what_is_in_no_known_encoding_is_one_mistake(encoding: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    path = tmp_path / "runs.yaml"
    path.write_bytes("runs:\n- {layer: gru}\n".encode(encoding))
    ran = run("batch", str(path), "--predict")
    assert ran.code == 2
    assert ran.err.count("runs.yaml:") == 1
    assert "as UTF-8" in ran.err


@pytest.mark.parametrize(
    "text", ['{"layer": "gru"}\n{"layer": "lstm"}\n', '{\n "layer": "gru"\n}\n{\n "layer": "lstm"\n}\n']
)
def test_json_lines_in_a_file_get_a_clear_error(text: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    (tmp_path / "runs.jsonl").write_text(text, encoding="utf-8")
    ran = run("batch", str(tmp_path / "runs.jsonl"), "--predict")
    assert ran.code == 2
    assert (
        "a second object starts here: JSON Lines are one object on each line, and are read from standard input"
        in ran.err
    )


@pytest.mark.parametrize(
    "document",
    [
        b'{"runs": [\n{"layer": "lstm"},\n{"layer": "gru"}]}',
        b'runs: [\n{"layer": "lstm"},\n{"layer": "gru"}]',
        b"\xef\xbb\xbfruns:\n- {layer: lstm}\n- {layer: gru}",
        b'# runs\n\n{"runs": [{"layer": "lstm"}, {"layer": "gru"}]}',
        b"---\n{runs: [{layer: lstm}, {layer: gru}]}",
        b"{\nruns: [{layer: lstm}, {layer: gru}]}",
    ],
)
def test_a_document_in_a_pipe_is_no_line_of_json(document: bytes) -> None:
    found = list(rows(from_stream(io.BytesIO(document), "-"), predict=True))
    assert [(row.run.asked, row.ok) for row in found] == [("LSTM(1)", True), ("GRU(1)", True)]


@pytest.mark.parametrize(
    ("check", "met", "got"),
    [
        ("output[:, -1, :] == state_h", True, "equal"),
        ("output[:, -1, :] != state_h", False, "equal"),
        ("output[:, -1, :] != state_c", True, "max difference "),
        # Sides of different shapes: a slice is missing, and != would hold for any values.
        ("output != state_h", False, "of shapes (2, 3, 5) and (2, 5)"),
        ("output == state_h", False, "of shapes (2, 3, 5) and (2, 5)"),
        ("layer(x) == output", False, "of shapes ((2, 3, 5), (2, 5), (2, 5)) and (2, 3, 5)"),
        ("layer(x)[0] == output", True, "equal"),
        ("layer(x) == (output, state_h, state_c)", True, "equal"),
        ("layer(x) == ((output, state_h), 1)", False, "inhomogeneous"),
        ("output[2, 0] == state_h", False, "out of bounds"),
        ("N == ...", False, "cannot be compared"),
    ],
)
def test_a_check_of_a_contract(check: str, met: bool, got: str) -> None:
    report = explore("lstm", units=5, return_sequences=True, return_state=True, expect={"checks": check})
    (line,) = report.expectations
    assert (line.met, report.ok) == (met, met)
    assert got in line.got


@pytest.mark.parametrize("none", ["null", "none", "None", '"none"', "~", ""])
def test_none_is_none_where_none_may_stand(none: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(f"runs:\n- layer: bidirectional\n  merge_mode: {none}\n")
    assert (
        run("batch", str(file), "--predict", "-f", "csv")
        .out.splitlines()[1]
        .startswith(',"Bidirectional(LSTM(1), merge_mode=None)"')
    )
    file.write_text(f"runs:\n- layer: lstm\n  return_state: {none}\n")
    assert "return_state must be True or False" in run("batch", str(file), "--predict").err


def test_a_message_that_is_a_sentence_follows_its_key(tmp_path: Path, run: Callable[..., Ran]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("runs:\n- {layer: lstm, into: LSTM(3), units: 0}\n- {layer: lstm, into: LSTM(3), input: [2, 3]}\n")
    err = run("batch", str(file)).err
    assert "2:39: units must be a whole number" in err
    assert "3:39: input: LSTM takes a rank-3 input" in err
    file.write_text("runs: [{layer: lstm, into: LSTM(3)}]\n")
    assert "1:28: into: LSTM(1) does not return its states" in run("batch", str(file)).err


def test_a_row_leaves_as_soon_as_its_line_is_there() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb", buffering=0) as lines:
        stream = rows(from_stream(pipe, "<stdin>"), predict=True)
        for units in (1, 2):
            lines.write(b'{"layer": "lstm", "units": %d}\n' % units)  # the next line is not written yet
            assert next(stream).run.asked == f"LSTM({units})"


def test_stopping_at_the_first_failure(tmp_path: Path, run: Callable[..., Ran]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("runs:\n- {layer: lstm, dtype: bfloat16}\n- {layer: lstm}\n")
    assert len(run("batch", str(file), "-f", "jsonl", "--predict").out.splitlines()) == 2
    stopped = run("batch", str(file), "-f", "jsonl", "--predict", "--fail-fast")
    assert (stopped.code, len(stopped.out.splitlines())) == (2, 1)


@pytest.mark.parametrize("form", ["table", "csv", "tsv", "markdown", "github", "junit", "html"])
def test_a_code_of_the_terminal_in_a_name_is_not_written_out(
    form: str, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        {"name": "a\x1b[31mred\r\u202e", "layer": "LSTM(3)", "mask": "\x1b[32m"},
        {"name": "b\x1b[31mred", "layer": "LSTM(3)", "\x1b[33mx": 1},
        {"name": "c\x1b[31mred", "layer": "LSTM(3)", "expect": {"params": 1}},
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    ran = run("batch", "-", "-f", form, "--predict")
    assert "c\N{REPLACEMENT CHARACTER}[31mred" in ran.out.replace("\\[", "[") or form in ("github", "html")
    assert not {"\x1b", "\r"}.intersection(ran.out + ran.err)


def test_the_summary(run: Callable[..., Ran], golden: Callable[[str, str], None]) -> None:
    with release.of("3.15"):
        golden("batch.txt", run("batch", str(CONFIGS[1]), "--predict").out)


def test_no_file_is_a_mistake(run: Callable[..., Ran]) -> None:
    ran = run("batch")
    assert (ran.code, ran.err) == (
        2,
        "rnnshape: error: FILE: is missing: give a YAML file, a folder of YAML files, or - for standard input\n",
    )
    missing = run("batch", "no-such-file.yaml")
    assert (missing.code, missing.err) == (2, "rnnshape: error: no-such-file.yaml: there is no such file\n")
