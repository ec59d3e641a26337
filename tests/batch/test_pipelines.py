"""A batch with other programs: closed pipes, full disks, Ctrl-C, and ``--resume``."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnnshape.batch import rows
from rnnshape.cli.batch import _Gate
from rnnshape.reading.batch.runs import from_stream
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from rnnshape.report.rows import Row
    from tests.conftest import Ran

BATCH = [sys.executable, "-m", "rnnshape", "batch"]
LINE = b'{"layer": "lstm", "return_state": true}\n'


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a batch in its own process, with pipes; the process ends with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        processes.append(subprocess.Popen([*BATCH, *arguments], **{**pipes, **streams}, bufsize=0))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


def test_a_reader_that_has_enough_ends_it_quietly(started: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = started("-", "--predict", "-f", "jsonl")
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(LINE)
    assert json.loads(process.stdout.readline())["ok"] is True
    process.stdout.close()
    process.stdin.write(LINE * 100)
    process.stdin.close()
    assert (process.wait(), process.stderr.read()) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_an_error(started: Callable[..., subprocess.Popen[bytes]]) -> None:
    with Path("/dev/full").open("wb") as full:
        process = started("-", "--predict", "-f", "jsonl", stdout=full)
        _, err = process.communicate(LINE * 100)
    assert process.returncode == 3
    assert err == b"rnnshape: error: standard output: No space left on device\n"


def test_ctrl_c_leaves_what_is_finished_whole(started: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = started("-", "--predict", "-f", "jsonl")
    assert process.stdin
    assert process.stdout
    process.stdin.write(LINE * 2)
    finished = [json.loads(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGINT)  # it waits for the next line
    out, err = process.communicate()
    assert all(row["ok"] for row in finished)
    assert (process.returncode, out, err) == (130, b"", b"rnnshape: interrupted: 2 runs done\n")


@pytest.mark.slow
def test_ctrl_c_says_how_many_were_left_and_keeps_the_file(
    started: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    many, out = tmp_path / "many.yaml", tmp_path / "rows.jsonl"
    many.write_text("runs:\n- {layer: lstm, matrix: {units: [1, 2, 3, 4, 5, 6, 7, 8], time: [400, 500, 600, 700]}}\n")
    terminal, inner = pty.openpty()
    process = started(str(many), "-f", "jsonl", "-o", str(out), stderr=inner, env={**os.environ, "TERM": "xterm"})
    os.close(inner)
    shown = b""
    while b"/32" not in shown or b"0/32" in shown[-200:]:  # the bar, once a row is there
        shown += os.read(terminal, 1000)
    process.send_signal(signal.SIGINT)
    while True:
        try:
            shown += os.read(terminal, 1000)
        except OSError:  # the other end is closed
            break
    os.close(terminal)
    assert process.wait() == 130
    rows = rows_of(out)
    assert 0 < len(rows) < 32
    assert all(row["ok"] for row in rows)
    assert f"interrupted: {len(rows)} runs done of 32, {32 - len(rows)} left" in shown.decode()


def test_no_progress_bar_off_a_terminal(run: Callable[..., Ran], tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("runs: [{layer: lstm}]\n")
    assert run("batch", str(file)).err == ""


@pytest.fixture
def former(tmp_path: Path, run: Callable[..., Ran]) -> tuple[Path, Path]:
    """A file of three runs, and an earlier output with the rows of the first two."""
    file, output = tmp_path / "x.yaml", tmp_path / "rows.jsonl"
    file.write_text("runs:\n- {name: a, layer: lstm}\n- {name: b, layer: gru, units: 3}\n- {name: c, layer: gru}\n")
    run("batch", str(file), "-f", "jsonl", "-o", str(output))
    lines = output.read_text().splitlines(keepends=True)
    # A value that no layer has shows that the row is the earlier one.
    output.write_text("".join(line.replace('"params": ', '"params": 1000') for line in lines[:2]))
    return file, output


def params(ran: Ran) -> list[int]:
    return [json.loads(line)["params"] for line in ran.out.splitlines()]


def test_going_on_where_an_output_ends(former: tuple[Path, Path], run: Callable[..., Ran]) -> None:
    file, output = former
    ran = run("batch", str(file), "-f", "jsonl", "--resume", str(output))
    assert (ran.code, ran.err, params(ran)) == (0, "", [100024, 100081, 21])
    run("batch", str(file), "-f", "jsonl", "--resume", str(output), "-o", str(output))
    assert [row["params"] for row in rows_of(output)] == [100024, 100081, 21]


def test_a_row_of_another_question_is_not_taken(former: tuple[Path, Path], run: Callable[..., Ran]) -> None:
    file, output = former
    text = file.read_text()
    file.write_text(text.replace("layer: lstm", "layer: lstm, seed: 5").replace("name: b", "name: another name"))
    ran = run("batch", str(file), "-f", "jsonl", "--resume", str(output))
    assert params(ran) == [24, 100081, 21]
    assert [json.loads(line)["name"] for line in ran.out.splitlines()] == ["a", "another name", "c"]


@pytest.mark.parametrize(
    ("old", "new"), [('"tensorflow": "', '"tensorflow": "0'), ('"ok": true', '"ok": false'), ('"keras": "', '"keras": "0')]
)  # fmt: skip
def test_a_row_of_other_versions_or_that_failed_is_asked_again(
    old: str, new: str, former: tuple[Path, Path], run: Callable[..., Ran]
) -> None:
    file, output = former
    output.write_text(output.read_text().replace(old, new))
    assert params(run("batch", str(file), "-f", "jsonl", "--resume", str(output))) == [24, 81, 21]


@pytest.mark.parametrize("flag", ["--predict", "--values"])
def test_a_row_that_says_less_or_more_is_not_taken(
    flag: str, former: tuple[Path, Path], run: Callable[..., Ran]
) -> None:
    file, output = former
    assert params(run("batch", str(file), "-f", "jsonl", flag, "--resume", str(output))) == [24, 81, 21]


def test_a_line_that_was_cut_off_is_asked_again(former: tuple[Path, Path], run: Callable[..., Ran]) -> None:
    file, output = former
    output.write_text(output.read_text()[:-30])
    assert params(run("batch", str(file), "-f", "jsonl", "--resume", str(output))) == [100024, 81, 21]


def test_a_file_that_is_no_output(former: tuple[Path, Path], run: Callable[..., Ran]) -> None:
    file, output = former
    output.write_text("runs:\n- {layer: lstm}\n")
    ran = run("batch", str(file), "--resume", str(output))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"rnnshape: error: --resume: {output}:1: not JSON: --resume needs JSON Lines\n"


OTHER_KINDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a list": lambda row: [],
    "an empty object": lambda row: {},
    "a run": lambda row: row["run"],
    "a row that lacks what nobody looked at before": lambda row: {
        key: value for key, value in row.items() if key in ("ok", "run", "environment", "observed")
    },
    "another schema": lambda row: {**row, "schema_version": "2.0"},
    "a text for the run": lambda row: {**row, "run": "lstm"},
    "a list for the environment": lambda row: {**row, "environment": []},
    "a text for a structure": lambda row: {**row, "observed": "a tensor"},
    "a structure without shapes": lambda row: {**row, "observed": {"kind": "tensor", "role": "output"}},
    "checks without names": lambda row: {**row, "checks": [{}]},
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
@pytest.mark.parametrize("form", some(("jsonl", "table", "html", "junit"), 4))
def test_json_that_is_not_a_row_is_reported_and_run_again(
    kind: str, form: str, former: tuple[Path, Path], run: Callable[..., Ran]
) -> None:
    file, output = former
    first, second = rows_of(output)
    output.write_text(f"{json.dumps(OTHER_KINDS[kind](first))}\n{json.dumps(second)}\n")
    ran = run("batch", str(file), "-f", form, "--resume", str(output))
    said = f"rnnshape: --resume: {output}:1: not a row of rnnshape batch: the run is run again\n"
    assert (ran.code, ran.err) == (0, said)
    if form == "jsonl":
        assert params(ran) == [24, 100081, 21]


def test_an_output_that_is_not_there(run: Callable[..., Ran], former: tuple[Path, Path]) -> None:
    ran = run("batch", str(former[0]), "--resume", "nowhere.jsonl")
    assert (ran.code, ran.err) == (2, "rnnshape: error: --resume: nowhere.jsonl: there is no such file\n")


def test_yaml_through_a_pipe(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (b"\nruns:\n- layer: lstm\n", b'{"runs": [{"layer": "lstm"}]}', b'{\n "runs": [{"layer": "lstm"}]\n}'):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert params(run("batch", "-", "--predict", "-f", "jsonl")) == [24]


def test_a_row_can_be_asked_again(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    first = json.loads(run("gru", "--units", "3", "--seed", "7", "-f", "json").out)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(first["run"]).encode())))
    assert json.loads(run("batch", "-", "-f", "jsonl").out) == first


@pytest.mark.parametrize("fails", [False, True])
def test_an_interrupt_that_becomes_an_error_is_not_a_failed_row(fails: bool) -> None:
    """Code that TensorFlow runs may catch the KeyboardInterrupt and raise another exception, or none."""
    lines = b'{"layer": "gru"}\n{"layer": "LSTM(0)"}\n' if fails else b'{"layer": "gru"}\n{"layer": "lstm"}\n'
    first, second = rows(from_stream(io.BytesIO(lines), "-"), predict=True)

    def asked() -> Generator[Row]:
        yield first
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        yield second
        yield first

    gate = _Gate(asked())
    with gate.watching():
        assert list(gate.rows()) == ([first] if fails else [first, second])
    assert gate.interrupted
