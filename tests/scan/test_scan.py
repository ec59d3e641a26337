"""The command: formats, exit codes, selected and ignored findings, edits and contracts."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

import rnnshape
from rnnshape.render import SCAN_FORMATS
from rnnshape.scan.one import scan_text
from rnnshape.scan.texts import Text
from tests.scan.test_corpus import RIGHT as RIGHT_PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

MODEL = """\
import keras

x = keras.Input((10, 4))
y, h = keras.layers.LSTM(8, return_state=True)(x)
z = keras.layers.LSTM(8, recurrent_dropout=0.2)(x)
"""
RIGHT = "import keras\nx = keras.Input((10, 4))\ny = keras.layers.LSTM(8, return_sequences=True)(x)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    return tmp_path


def test_a_finding_is_a_line_of_a_linter(run: Callable[..., Ran]) -> None:
    ran = run("scan", "model.py", "--select", "error")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        "model.py:4:8: unpacking 2 names are on the left, but LSTM returns 3 values: output, state_h, state_c\n"
        "    y, h = keras.layers.LSTM(8, return_state=True)(x)\n"
        "           ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
    )


def test_the_exit_code_says_whether_something_was_found(run: Callable[..., Ran]) -> None:
    assert run("scan", "right.py") == run("scan", "right.py", "--exit-zero")
    assert (run("scan", "right.py").code, run("scan", "right.py").out) == (0, "")
    assert (run("scan", ".").code, run("scan", ".", "--exit-zero").code) == (1, 0)
    assert run("scan").err.startswith("rnnshape: error: PATH: is missing")
    assert run("scan", "missing.py").code == 2


def test_a_named_file_that_cannot_be_read_is_an_error(run: Callable[..., Ran], folder: Path) -> None:
    (folder / "broken.py").write_text("import keras\nLSTM(\n", encoding="utf-8")
    ran = run("scan", "broken.py")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        "rnnshape: broken.py is not read: invalid Python: '(' was never closed\n",
    )
    assert run("scan", ".").code == 1


def test_findings_can_be_selected(run: Callable[..., Ran], folder: Path) -> None:
    def codes(*options: str) -> list[str]:
        files = json.loads(run("scan", "model.py", "-f", "json", *options).out)["files"]
        return [finding["code"] for file in files for finding in file["findings"]]

    assert codes() == ["unpacking", "cudnn"]
    assert codes("--select", "info") == codes("--select", "cudnn") == codes("--ignore", "error") == ["cudnn"]
    (folder / "pyproject.toml").write_text('[tool.rnnshape]\nignore = ["info"]\n', encoding="utf-8")
    assert codes() == ["unpacking"]
    (folder / "pyproject.toml").write_text('[tool.rnnshape]\nselect = ["cudnn"]\n', encoding="utf-8")
    assert (codes(), codes("--select", "unpacking")) == (["cudnn"], ["unpacking"])


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('select = ["RNN9"]', "'RNN9' is not a code"),
        ('ignore = "cudnn"', "must be a list of codes"),
        ("selects = []", "is unknown (did you mean 'select'?)"),
        ("select = [", "is not TOML"),
    ],
)
def test_mistakes_in_the_settings_are_one_error(table: str, told: str, run: Callable[..., Ran], folder: Path) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.rnnshape]\n{table}\n", encoding="utf-8")
    ran = run("scan", "model.py")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert told in ran.err
    assert "neither a code" in run("scan", "right.py", "--ignore", "RNN9").err or told


@pytest.mark.parametrize("form", SCAN_FORMATS)
def test_each_format_holds_each_finding(form: str, run: Callable[..., Ran]) -> None:
    told = run("scan", ".", "-f", form).out
    assert all(code in told for code in ("unpacking", "cudnn")), told
    if form == "json":
        document = json.loads(told)
        assert (document["scanned"], document["counts"]) == (2, {"unpacking": 1, "cudnn": 1})
    elif form == "jsonl":
        assert [json.loads(line)["path"] for line in told.splitlines()] == ["model.py"] * 2
    elif form == "github":
        assert told.splitlines()[1].startswith("::notice file=model.py,line=5,col=26,endColumn=47,title=cudnn::")
    elif form == "junit":
        root = ElementTree.fromstring(told)  # noqa: S314  our own
        assert (root.attrib["tests"], root.attrib["failures"]) == ("3", "2")
    elif form == "html":
        ElementTree.fromstring(told.partition("\n")[2].replace('<meta charset="utf-8">', ""))  # noqa: S314  our own


def test_sarif_has_the_required_properties(run: Callable[..., Ran]) -> None:
    """The properties that "SARIF 2.1.0" requires (§3.13 to §3.30), and the order of the places."""
    log = json.loads(run("scan", ".", "-f", "sarif").out)
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        region = place["region"]
        assert place["artifactLocation"]["uri"] == "model.py"
        line = MODEL.splitlines()[region["startLine"] - 1]
        assert 1 <= region["startColumn"] < region["endColumn"] <= len(line) + 1
        assert region["snippet"]["text"] == line


def test_the_extension_of_the_file_chooses_the_format(run: Callable[..., Ran], folder: Path) -> None:
    assert run("scan", "model.py", "-o", "found.sarif").code == 1
    assert json.loads((folder / "found.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_statistics_count_the_codes(run: Callable[..., Ran]) -> None:
    assert run("scan", ".", "--statistics").out.endswith("     1  unpacking\n     1  cudnn\n")


@pytest.mark.cluster
def test_several_processes_keep_the_order(run: Callable[..., Ran], folder: Path) -> None:
    for number in range(20):
        (folder / f"m{number:02}.py").write_text(MODEL, encoding="utf-8")
    assert run("scan", ".", "-j", "2") == run("scan", ".")


FIXABLE = """\
import keras
first = keras.layers.LSTM(8, time_major=False, name="first")
second = keras.layers.GRU(units=8, inner_activation="sigmoid")
x = keras.Input((10, 4))
h = keras.layers.LSTM(8)(x)
y = keras.layers.LSTM(4)(h)
z, s = keras.layers.GRU(8)(x)
"""
FIXED = """\
import keras
first = keras.layers.LSTM(8, name="first")
second = keras.layers.GRU(units=8, recurrent_activation="sigmoid")
x = keras.Input((10, 4))
h = keras.layers.LSTM(8, return_sequences=True)(x)
y = keras.layers.LSTM(4)(h)
z, s = keras.layers.GRU(8, return_state=True)(x)
"""


@pytest.mark.parametrize("breaks", ["\n", "\r\n"])
def test_one_edit_is_shown_and_made(breaks: str, run: Callable[..., Ran], folder: Path) -> None:
    path = folder / "fixable.py"
    data = FIXABLE.replace("\n", breaks).encode()
    path.write_bytes(data)
    shown = run("scan", "fixable.py", "--diff")
    assert shown.code == 1
    assert "-h = keras.layers.LSTM(8)(x)\n+h = keras.layers.LSTM(8, return_sequences=True)(x)\n" in shown.out
    assert run("scan", "fixable.py", "--diff", "--fix") == shown
    assert path.read_bytes() == data
    made = run("scan", "fixable.py", "--fix")
    assert (made.code, made.out) == (0, shown.out)
    assert path.read_bytes() == FIXED.replace("\n", breaks).encode()
    assert run("scan", "fixable.py", "--fix").out == ""


def test_an_edit_that_breaks_something_else_is_not_made(run: Callable[..., Ran], folder: Path) -> None:
    """The last output is the input of a Dense and of a RepeatVector, which does not take a sequence."""
    code = (
        "import keras\nx = keras.Input((10, 4))\nh = keras.layers.LSTM(8)(x)\n"
        "a = keras.layers.RepeatVector(3)(h)\nb = keras.layers.LSTM(4)(h)\n"
    )
    (folder / "both.py").write_text(code, encoding="utf-8")
    assert run("scan", "both.py", "--fix").code == 1
    assert (folder / "both.py").read_text(encoding="utf-8") == code


def test_batch_checks_the_contracts_of_code(run: Callable[..., Ran], folder: Path) -> None:
    assert run("scan", "right.py", "--contracts", "-o", "contracts.yaml").code == 0
    text = (folder / "contracts.yaml").read_text(encoding="utf-8")
    assert run("batch", "contracts.yaml", "--predict").code == 0
    (folder / "contracts.yaml").write_text(text.replace("params: 416", "params: 417"), encoding="utf-8")
    assert run("batch", "contracts.yaml", "--predict").code == 1


def test_layers_are_shown_with_what_they_return(run: Callable[..., Ran]) -> None:
    ran = run("scan", "right.py", "--layers")
    assert (ran.code, ran.out) == (
        0,
        "right.py:3: LSTM(8, return_sequences=True)\n    returns (N, T, H); 416 parameters, 7,680 multiply-adds\n",
    )


def test_batch_checks_the_contracts_of_correct_programs(run: Callable[..., Ran], folder: Path) -> None:
    """The contracts of the corpus, symbolic and with numbers, hold for theory: each run is read again and is ok."""
    for number, code in enumerate(RIGHT_PROGRAMS.values()):
        (folder / f"program{number}.py").write_text(code, encoding="utf-8")
    assert run("scan", ".", "--contracts", "-o", "contracts.yaml").code == 0
    ran = run("batch", "contracts.yaml", "--predict", "-f", "jsonl")
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) > 50


def test_the_findings_of_the_command_are_data_in_python(run: Callable[..., Ran], folder: Path) -> None:
    scanned = rnnshape.scan(folder / "model.py", "right.py", layers=True)
    assert [one.file for one in scanned] == [str(folder / "model.py"), "right.py"]
    told = [json.loads(line) for line in run("scan", "model.py", "-f", "jsonl").out.splitlines()]
    assert [(one.code, one.line) for one in scanned[0].findings] == [(one["code"], one["line"]) for one in told]
    assert scanned[1].ok
    assert [one.expression for one in scanned[1].found] == ["LSTM(8, return_sequences=True)"]


def test_scan_can_be_called_before_and_after_its_package_is_imported() -> None:
    code = "import rnnshape; a = rnnshape.scan('right.py'); import rnnshape.scan.one; assert rnnshape.scan('right.py') == a"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_wrong_code_is_a_mistake_in_python_too() -> None:
    with pytest.raises(rnnshape.Invalid, match="'rnk' is not a code or severity"):
        rnnshape.scan("right.py", select=["rnk"])


PART = "x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)\nlast = x[:, -1]\nm = Sequential([GRU(3), LSTM(2)])"


@pytest.mark.parametrize(
    ("name", "before", "codes"),
    [
        ("<stdin>", "", ["backward-last", "return-sequences"]),
        ("<stdin>", "import numpy as np\n", []),  # a whole file, whose layers are from elsewhere
        ("part.py", "", []),
    ],
)
def test_a_part_of_a_file_on_standard_input_has_the_usual_imports(name: str, before: str, codes: list[str]) -> None:
    assert [one.code for one in scan_text(Text(name, before + PART)).findings] == codes
