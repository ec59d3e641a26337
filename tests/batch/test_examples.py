"""Runs every example of a batch file in ``examples/``, correct and wrong ones.

Next to a wrong file is a text file of the same name with the errors; ``--rewrite-golden`` writes it again.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from rnnshape.render import ROWS_FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

EXAMPLES = Path(__file__).parent / "examples"
POSITIVE = sorted((EXAMPLES / "positive").iterdir())
NEGATIVE = sorted(path for path in (EXAMPLES / "negative").iterdir() if path.suffix != ".txt")
# Files that are also run on the real layer.
PROVED = [path for path in POSITIVE if path.stem in ("contracts", "none", "lines")]


@pytest.fixture
def batch(monkeypatch: pytest.MonkeyPatch, run: Callable[..., Ran]) -> Callable[..., Ran]:
    """Run a file from its own folder, so that messages have only its name; JSON Lines are run through a pipe."""

    def batch_(path: Path, *options: str) -> Ran:
        monkeypatch.chdir(path.parent)
        if path.suffix != ".jsonl":
            return run("batch", path.name, *options)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        return run("batch", "-", *options)

    return batch_


def rows_of(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


@pytest.mark.parametrize("path", POSITIVE, ids=lambda path: path.name)
def test_a_right_file(path: Path, batch: Callable[..., Ran]) -> None:
    ran = batch(path, "--predict", "-f", "jsonl")
    assert (ran.code, ran.err) == (0, "")
    assert all(row["ok"] for row in rows_of(ran))
    assert ran.out


@pytest.mark.parametrize("path", PROVED, ids=lambda path: path.name)
def test_a_right_file_on_the_real_layers(path: Path, batch: Callable[..., Ran]) -> None:
    ran = batch(path, "-f", "jsonl")
    assert (ran.code, ran.err) == (0, "")
    assert all(line["met"] for row in rows_of(ran) for line in row.get("expectations", ()))


@pytest.mark.parametrize("path", NEGATIVE, ids=lambda path: path.name)
def test_a_wrong_file(path: Path, batch: Callable[..., Ran], golden: Callable[[str, str], None]) -> None:
    """The errors of a wrong file go to standard error, and nothing runs; a wrong line of JSON Lines becomes a row."""
    ran = batch(path, "--predict", "-f", "jsonl")
    if path.suffix == ".jsonl":
        said = "".join(f"{row['error']['message']}\n" for row in rows_of(ran) if not row["ok"])
        assert ran.err == ""
    else:
        said = ran.err
        assert ran.out == ""
    assert ran.code == 2
    golden(str(path.with_suffix(".txt")), said)
    assert all(re.match(r"\S+:\d+:\d+: ", line) or re.match(r" *\d* \| ?", line) for line in said.splitlines())


def test_every_text_has_its_file() -> None:
    said = {path.stem for path in (EXAMPLES / "negative").glob("*.txt")}
    assert said == {path.stem for path in NEGATIVE}
    assert len(said) == len(NEGATIVE)


# Other checks of the examples


def test_a_matrix_is_as_many_runs_as_stand_behind_it(batch: Callable[..., Ran]) -> None:
    path = EXAMPLES / "positive" / "matrix.yaml"
    written = map(int, re.findall(r"# (\d+)$", path.read_text(), re.MULTILINE))
    assert len(rows_of(batch(path, "--predict", "-f", "jsonl"))) == sum(written)


def test_an_expression_is_the_same_in_every_way_to_write_a_text(batch: Callable[..., Ran]) -> None:
    rows = rows_of(batch(EXAMPLES / "positive" / "quotes.yaml", "--predict", "-f", "jsonl"))
    assert {row["expression"] for row in rows} == {"LSTM(5, activation='relu')"}


def test_a_word_is_the_text_as_written(batch: Callable[..., Ran]) -> None:
    rows = rows_of(batch(EXAMPLES / "positive" / "words.yaml", "--predict", "-f", "jsonl"))
    assert [row["name"] for row in rows] == ["on", "1e-3", "no", "2024-01-02", "011", "", "漢字 é 😀"]


# A contract that is not met

BROKEN = """\
runs:
  - {name: kept, layer: lstm, units: 5, expect: {output: [N, H], params: 200}}
  - name: broken
    layer: lstm
    units: 5
    matrix: {return_state: [true]}
    expect: {structure: output, output: [N, T, H], params: 201, cudnn: ineligible}
"""
TOLD = {
    "structure": ("output", "(output, state_h, state_c)"),
    "output": ("(N, T, H) = (2, 3, 5)", "(2, 5)"),
    "params": ("201", "200"),
    "cudnn": ("ineligible", "eligible"),
}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN)
    return file


@pytest.mark.parametrize("form", ROWS_FORMATS)
@pytest.mark.parametrize("how", ["--predict", "--values"])
def test_every_format_tells_what_was_expected_and_what_came(
    form: str, how: str, broken: Path, batch: Callable[..., Ran]
) -> None:
    ran = batch(broken, how, "-f", form)
    assert (ran.code, ran.err) == (1, "")
    for about, (expected, got) in TOLD.items():
        if form in ("json", "jsonl"):
            rows = json.loads(ran.out) if form == "json" else rows_of(ran)
            assert [row["ok"] for row in rows] == [True, False]
            assert {"expect": about, "expected": expected, "got": got, "met": False} in rows[1]["expectations"]
        elif form == "html":
            assert f"{about}: expected {expected}, got {got}" in html.unescape(ran.out)
        elif form in ("table", "svg"):
            ran = replace(ran, out=_as_text(ran.out))
            assert re.search(rf"✗ │ {about} +│ {re.escape(expected)} +│ {re.escape(got)} +│", ran.out)
        else:
            said = f"{about}: expected {expected}, got {got}"
            assert said in re.sub(r"\\(.)", r"\1", ran.out)


def _as_text(out: str) -> str:
    """The text of a picture, which is the table view line by line; any other output unchanged."""
    if not out.startswith("<svg"):
        return out
    lines: dict[float, str] = {}
    for text in ET.fromstring(out).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314  our own
        said = text.text or ""
        cell = float(text.get("textLength", "")) / len(said)
        y, before = float(text.get("y", "")), round(float(text.get("x", "")) / cell)
        lines[y] = lines.get(y, "").ljust(before) + said
    return "\n".join(lines.values()).replace("\N{NO-BREAK SPACE}", " ")


def test_a_broken_contract_as_junit(broken: Path, batch: Callable[..., Ran]) -> None:
    (broken.parent / "second.yaml").write_text(
        "runs:\n- {layer: lstm, expect: {params: 1}}\n- {layer: lstm, dtype: bfloat16}\n- {layer: gru}\n"
        "- {layer: LSTM(8, expect: {error: never closed}}\n- {layer: LSTM(8, expect: {error: another}}\n"
    )
    ran = batch(broken.parent, "--predict", "-f", "junit")
    assert ran.code == 2  # Keras rejects one of them, and the contract does not expect it
    root = ET.fromstring(ran.out)  # noqa: S314  our own
    assert counts(root) == (7, 3, 1)
    assert [counts(suite) for suite in root] == [(2, 1, 0), (5, 2, 1)]
    for suite in (root, *root):
        found = [len(list(suite.iter(name))) for name in ("testcase", "failure", "error")]
        assert tuple(found) == counts(suite)
    failures = ["".join(failure.itertext()) for failure in root.iter("failure")]
    assert "params: expected 201, got 200" in failures[0]
    assert "params: expected 1, got 24" in failures[1]
    assert "error: expected another, got invalid: invalid Python: '(' was never closed" in failures[2]


def counts(suite: ET.Element) -> tuple[int, ...]:
    return tuple(int(suite.get(name, "-1")) for name in ("tests", "failures", "errors"))


def test_the_flat_formats_have_the_same_columns_and_cells(broken: Path, batch: Callable[..., Ran]) -> None:
    read = csv.DictReader(io.StringIO(batch(broken, "--predict", "-f", "csv").out))
    rows = list(read)
    assert read.fieldnames is not None
    assert [(row["name"], row["matrix.return_state"], row["ok"]) for row in rows] == [
        ("kept", "", "true"),
        ("broken (return_state=true)", "true", "false"),
    ]
    cells = [list(read.fieldnames), *(list(row.values()) for row in rows)]
    tsv = batch(broken, "--predict", "-f", "tsv").out
    assert [line.split("\t") for line in tsv.splitlines()] == cells
    table = [line for line in batch(broken, "--predict", "-f", "markdown").out.splitlines() if line.startswith("|")]
    assert [[re.sub(r"\\(.)", r"\1", cell) for cell in line[2:-2].split(" | ")] for line in table] == [
        cells[0],
        ["---"] * len(cells[0]),
        *cells[1:],
    ]


def test_an_annotation_is_at_the_line_of_the_contract(broken: Path, batch: Callable[..., Ran]) -> None:
    lines = batch(broken, "--predict", "-f", "github").out.splitlines()
    errors = [line for line in lines if line.startswith("::error ")]
    assert len(errors) == len(TOLD)
    text = BROKEN.splitlines()
    for line in errors:
        place = dict(part.split("=", 1) for part in line.removeprefix("::error ").split("::")[0].split(","))
        about = line.split("::", 2)[2].split(":")[0]
        written = text[int(place["line"]) - 1][int(place["col"]) - 1 : int(place["endColumn"]) - 1]
        assert (place["file"], written) == ("broken.yaml", about)
