"""Unexpected exceptions: one row of a batch, one line of a command, and a traceback only with ``--verbose``."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape import api, theory
from rnnshape.batch import rows
from rnnshape.errors import Refused, RnnshapeError, foreseen
from rnnshape.reading import make
from rnnshape.reading.batch import entries, runs
from rnnshape.reading.batch.runs import from_stream
from rnnshape.render import ROWS_FORMATS, View, ending, rows_renderer
from rnnshape.report import Report
from rnnshape.report.rows import Tally
from rnnshape.schema.report import report as report_schema
from tests import ROOT
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

# The packages export functions with the names of these modules.
observe, feed = import_module("rnnshape.lab.observe"), import_module("rnnshape.lab.feed")

BAD = 7
"""The units of the run that our code falls over."""
RUNS = [
    {"name": "first", "layer": "lstm"},
    {"name": "bad", "layer": "gru", "units": BAD},
    {"name": "last", "layer": "gru"},
]
"""What is asked: a failing run between two others."""


def falling(original: Callable[..., Any], is_bad: Callable[..., bool]) -> Callable[..., Any]:
    """The function, changed to raise an exception for bad arguments."""

    def fall(*arguments: Any, **more: Any) -> Any:
        if is_bad(*arguments, **more):
            raise KeyError("T")
        return original(*arguments, **more)

    return fall


def asks_bad(spec: Any, *_: Any, **__: Any) -> bool:
    return f"({BAD})" in spec.layer.text


def break_reading(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entries, "from_data", falling(entries.from_data, lambda data: data.get("units") == BAD))


def break_theory(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(theory, "predict", falling(theory.predict, asks_bad))


def break_lab(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(observe, "feed", falling(observe.feed, asks_bad))


def break_report(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Report, "to_dict", falling(Report.to_dict, lambda report, **_: asks_bad(report.spec)))


def break_rendering(patch: pytest.MonkeyPatch) -> None:
    """Make all parts of a format fail for a row with the bad name."""
    from rnnshape.render import delimited, github, json, jsonl, junit, markdown, summary
    from rnnshape.render.html import rows as page

    def bad(row: Any, *_: Any, **__: Any) -> bool:
        return row.run.name == "bad"

    for module, name in (
        (json, "as_line"), (jsonl, "as_line"), (delimited, "cells"), (markdown, "cells"), (github, "_commands"),
        (junit, "cells"), (summary, "returned"), (page, "cells"),
    ):  # fmt: skip
        patch.setattr(module, name, falling(getattr(module, name), bad))


STAGES = {
    "reading": break_reading,
    "theory": break_theory,
    "lab": break_lab,
    "report": break_report,
    "rendering": break_rendering,
}
SAID = re.compile(r"this is a bug of rnnshape: KeyError: 'T'")


def in_lines(folder: Path) -> str:
    path = folder / "runs.jsonl"
    path.write_text("".join(f"{json.dumps(run)}\n" for run in RUNS), encoding="utf-8")
    return "-"


def in_yaml(folder: Path) -> str:
    path = folder / "runs.yaml"
    path.write_text(json.dumps({"runs": RUNS}), encoding="utf-8")
    return str(path)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The argument of ``batch`` for three runs, from a pipe or from a file."""

    def asked_(where: str) -> str:
        if where == "yaml":
            return in_yaml(tmp_path)
        in_lines(tmp_path)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "runs.jsonl").read_bytes())))
        return "-"

    return asked_


@pytest.mark.parametrize("where", ["yaml", "lines"])
@pytest.mark.parametrize("stage", STAGES)
def test_one_failure_is_one_row(
    stage: str, where: str, asked: Callable[[str], str], run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    from jsonschema import Draft202012Validator

    STAGES[stage](monkeypatch)
    ran = run("batch", asked(where), "-f", "jsonl")
    first, bad, last = map(json.loads, ran.out.splitlines())
    assert (ran.code, ran.err) == (1, "")
    assert (first["ok"], bad["ok"], last["ok"]) == (True, False, True)
    assert bad["error"]["kind"] == "internal"
    assert SAID.fullmatch(bad["error"]["message"])
    hint = bad["error"]["hint"]
    assert "\n" not in hint
    assert f"rnnshape {rnnshape.__version__}, tensorflow {first['environment']['tensorflow']}" in hint
    reported = json.loads(hint.partition("the request: ")[2])
    assert make(reported.pop("layer"), {k: v for k, v in reported.items() if k == "units"}).layer.text == "GRU(7)"
    if stage != "rendering":  # there the part that contains the name fails
        assert bad["name"] == "bad"
    assert list(Draft202012Validator(report_schema()).iter_errors(bad)) == []


def texts(form: str, out: str) -> list[str]:
    """The text of each of the three runs in a format; for a document, the whole text."""
    if form == "json":
        return [json.dumps(row) for row in json.loads(out)]
    if form in ("jsonl", "tsv"):
        return out.splitlines()[form == "tsv" :]
    if form == "csv":
        return ["\t".join(row) for row in csv.reader(io.StringIO(out))][1:]
    if form == "markdown":
        return [line for line in out.splitlines() if line.startswith("| ")][2:]
    if form == "junit":
        return re.findall("<testcase.*?</testcase>", out, re.DOTALL)
    return [out]


@pytest.mark.parametrize("form", some(ROWS_FORMATS, 4))
@pytest.mark.parametrize("stage", STAGES)
def test_no_format_loses_a_row(
    stage: str, form: str, asked: Callable[[str], str], run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    STAGES[stage](monkeypatch)
    ran = run("batch", asked("yaml"), "-f", form)
    assert (ran.code, ran.err) == (1, "")
    told = texts(form, ran.out.replace("&#160;", " ").replace("&#x27;", "'").replace("&apos;", "'"))
    assert len(told) in (1, 3)
    for name, text in zip(("first", "bad", "last"), told * (3 if len(told) == 1 else 1), strict=True):
        if form == "github":
            assert "3 runs, 2 ok, 1 failed\n" in text
            assert text.count("::error ") == 1
        elif name != "bad" or stage != "rendering":
            assert name in text
        if name == "bad":
            assert "this is a bug of rnnshape" in text
            assert "please report this line, the versions (rnnshape " in text


@pytest.mark.cluster
def test_processes_send_the_failure_back(tmp_path: Path) -> None:
    """Other processes cannot be patched from here, so they run a module that patches itself."""
    done = subprocess.run(
        [sys.executable, "-c", IN_WORKERS, in_yaml(tmp_path), "--jobs", "2"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    first, bad, last = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (1, "")
    assert (first["ok"], bad["error"]["kind"], last["ok"]) == (True, "internal", True)
    assert bad["predicted"] is not None, "theory's answer stands"


IN_WORKERS = """
import sys, rnnshape.batch
rows = sys.modules["rnnshape.batch.rows"]
def ask(spec, **how):  # what loky pickles by value, for it is of __main__
    import pytest, tests.cli.test_internal as broken
    with pytest.MonkeyPatch.context() as patch:
        broken.break_lab(patch)
        from rnnshape.batch.rows import _ask  # a worker's own, which nobody has replaced
        return _ask(spec, **how)
rows._ask = ask
sys.argv = ["rnnshape", "batch", *sys.argv[1:], "-f", "jsonl"]
from rnnshape.cli import main
main()
"""


@pytest.mark.parametrize("flag", [(), ("--verbose",)])
@pytest.mark.parametrize("stage", ["theory", "lab", "rendering"])
@pytest.mark.parametrize("command", ["gru", "show", "compare"])
def test_a_single_command_ends_in_one_line(
    command: str, stage: str, flag: tuple[str, ...], run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_single(stage, monkeypatch)
    asked = {"gru": ("gru", "-u", "7"), "show": ("show", "GRU(7)"), "compare": ("compare", "GRU(7)", "LSTM(3)")}
    ran = run(*asked[command], *flag)
    said = [line for line in ran.err.splitlines() if line.startswith("rnnshape: ")]
    assert ran.code == 1
    assert SAID.search(said[0])
    assert "please report" in said[1]
    assert ("Traceback (most recent call last)" in ran.err) == bool(flag)


def break_single(stage: str, patch: pytest.MonkeyPatch) -> None:
    from rnnshape.lab import sides
    from rnnshape.render import comparison

    if stage == "theory":
        break_theory(patch)
    elif stage == "lab":
        break_lab(patch)
        patch.setattr(sides, "feed", falling(sides.feed, asks_bad))
    else:
        patch.setattr(ending, "footer", falling(ending.footer, lambda *_: True))
        patch.setattr(comparison, "parts", falling(comparison.parts, lambda *_: True))


@pytest.mark.parametrize("flag", [(), ("--verbose",)])
@pytest.mark.parametrize("command", ["env", "schema", "help masks"])
def test_the_other_commands_too(
    command: str, flag: tuple[str, ...], run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnshape.cli import schema, topics
    from rnnshape.lab import environment

    for module, name in ((environment, "environment"), (schema, "write"), (topics, "text")):
        monkeypatch.setattr(module, name, falling(getattr(module, name), lambda *_: True))
    ran = run(*command.split(), *flag)
    first, second, *more = ran.err.splitlines()
    assert (ran.code, ran.out) == (1, "")
    assert first == "rnnshape: error: this is a bug of rnnshape: KeyError: 'T'"
    assert second.startswith("rnnshape: hint: please report this line, the versions (rnnshape ")
    assert second.endswith(f"the request: rnnshape {' '.join([command, *flag])}")
    assert bool(more) == bool(flag)


def test_a_batch_shows_the_traceback_when_it_is_asked(
    asked: Callable[[str], str], run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_theory(monkeypatch)
    ran = run("batch", asked("yaml"), "--verbose", "-f", "jsonl")
    assert ran.err.count("Traceback (most recent call last)") == 1
    assert len(ran.out.splitlines()) == 3


def test_a_comparison_fails_in_one_variant(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    break_single("lab", monkeypatch)
    sides = json.loads(run("compare", "GRU(7)", "LSTM(3)", "-f", "json").out)["compare"]
    assert [(side["error"] or {}).get("kind") for side in sides] == ["internal", None]


@pytest.mark.parametrize("stage", STAGES)
def test_running_out_of_memory_is_not_a_bug(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def falling_short(original: Callable[..., Any], is_bad: Callable[..., bool]) -> Callable[..., Any]:
        def fall(*arguments: Any, **more: Any) -> Any:
            if is_bad(*arguments, **more):
                raise MemoryError
            return original(*arguments, **more)

        return fall

    monkeypatch.setattr(sys.modules[__name__], "falling", falling_short)
    STAGES[stage](monkeypatch)
    stream = io.BytesIO("".join(f"{json.dumps(run)}\n" for run in RUNS).encode())
    tally, out = Tally(rows(from_stream(stream, "<stdin>"))), io.StringIO()
    rows_renderer("jsonl")(tally, out, View())
    kinds = [(json.loads(line)["error"] or {}).get("kind") for line in out.getvalue().splitlines()]
    assert (kinds, tally.exit_code) == ([None, "memory", None], 3)


def test_running_out_of_memory_in_a_single_command(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(theory, "predict", short)
    ran = run("lstm", "--predict")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("rnnshape: error: not enough memory\n")


@pytest.mark.parametrize("execution", ["eager", "graph", "xla"])
def test_an_exception_of_keras_is_an_answer(execution: str) -> None:
    """In a graph, an exception of Keras passes through functions of rnnshape between frames of TensorFlow."""
    for layer, options in (
        ("LSTM(3, kernel_initializer='constant')", {}),
        ("RNN([SimpleRNNCell(3, dtype='float16'), LSTMCell(4, dtype='float64')], dtype='float16')", {}),
        ("Masking() | TimeDistributed(LSTM(5)) | LSTM(6)", {"input": (2, 3, 4, 4)}),
    ):
        try:
            error = api.explore(layer, execution=execution, **options).error
        except RnnshapeError:  # theory rejects it already
            continue
        assert error is None or error.kind == Refused.kind, error


@pytest.mark.parametrize("execution", ["auto", "graph", "xla"])
def test_an_exception_of_the_lab_within_keras_is_a_bug(execution: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in a traced function of the lab is a bug of the lab; no other execution mode is tried."""
    monkeypatch.setattr(feed, "beside", falling(feed.beside, lambda *_: True))
    report = rnnshape.explore("lstm", execution=execution, time=200)
    assert report.error is not None
    assert (report.error.kind, report.exit_code) == ("internal", 1)
    assert "KeyError" in report.error.trace


def test_a_contract_cannot_expect_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    break_lab(monkeypatch)
    for wanted in ("internal", "bug", "KeyError"):
        report = rnnshape.explore(make("gru", {"units": BAD, "expect": {"error": wanted}}))
        assert (report.ok, report.exit_code) == (False, 1)


def test_an_unreadable_file_does_not_end_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("runs: [{layer: lstm}]\n", encoding="utf-8")
    monkeypatch.setattr(runs, "read_yaml", falling(runs.read_yaml, lambda data, name: name.endswith("a.yaml")))
    first, second = runs.from_files([str(tmp_path)])
    assert first.error is not None
    assert (first.error.kind, first.name) == ("internal", str(tmp_path / "a.yaml"))
    assert second.spec is not None


def test_known_errors_stay_and_system_errors_are_not_internal() -> None:
    refused = Refused("no")
    assert foreseen(refused) is refused
    full = foreseen(OSError(28, "No space left on device", "x"))
    assert (full.kind, full.exit_code, full.message) == ("unavailable", 3, "x: No space left on device")
    long = foreseen(ValueError("two\nlines"))
    assert (long.kind, long.exit_code, long.message) == (
        "internal",
        1,
        "this is a bug of rnnshape: ValueError: two lines",
    )
