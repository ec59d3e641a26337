"""Errors in files of code and saved models: they name the file and the place."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

CELLS = {"cells": [{"cell_type": "markdown", "source": "x"}, {"cell_type": "code", "source": ["n = 0\n", "LSTM(n)"]}]}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("model.py", "\n\nimport keras\nm = LSTM(0)\n", "model.py:4: units must be a whole number, 1 or more"),
        ("model.py", "x = 1\n", "model.py: there is no layer here: write one as in Keras, such as LSTM(8)"),
        ("notes.ipynb", json.dumps(CELLS), "notes.ipynb, cell 2, line 2: units must be a whole number, 1 or more"),
        ("old.py", "# x\nprint 'a'\nl = LSTM(0)\n", "old.py:3: units must be a whole number, 1 or more"),
        ("page.md", "# A layer\n\n```\nl = LSTM(0)\n```\n", "page.md:4: units must be a whole number, 1 or more"),
        (
            "notes.ipynb",
            '{"cells": [,',
            "notes.ipynb: cannot be read: not a notebook: expecting value in line 1, column 12 of its JSON",
        ),
        (
            "notes.ipynb",
            '{"worksheets": []}',
            "notes.ipynb: cannot be read: not a notebook: its JSON has no list of cells of format 4",
        ),
        ("model.h5", "no model", "model.h5: is not an HDF5 file, or is damaged: "),
    ],
)
def test_a_wrong_file_is_named_with_the_line(
    run: Callable[..., Ran], tmp_path: Path, name: str, text: str, told: str
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    ran = run("show", str(file), "--predict")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"rnnshape: error: {tmp_path}/{told}")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("model.py", "\n\nl = LSTM(4)\ny = Own()(l(x))\n", "line 4: Own is not known"),
        ("old.py", "# x\nprint 'a', \\\n  2\nl = LSTM(4)\ny = Own()(l(x))\n", "line 5: Own is not known"),
        ("page.md", "# A layer\n\n```\nl = LSTM(4)\ny = Own()(l(x))\n```\n", "line 5: Own is not known"),
        (
            "notes.ipynb",
            json.dumps(
                {"cells": [{"cell_type": "code", "source": one} for one in ("l = LSTM(4)", "%time\ny = Own()(l(x))")]}
            ),
            "cell 2, line 2: Own is not known",
        ),
    ],
)
def test_a_note_names_the_line_of_the_file(
    run: Callable[..., Ran], tmp_path: Path, name: str, text: str, told: str
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    assert f"Note         {told}" in run("show", str(file), "--predict").out


def test_a_word_that_is_not_a_layer_is_an_error_without_a_flag(run: Callable[..., Ran]) -> None:
    assert run("show", "foo").err == "rnnshape: error: 'foo' is neither a layer's command nor an expression\n"


def test_an_answer_cannot_be_written_to_a_file_without_a_name(run: Callable[..., Ran]) -> None:
    ran = run("show", "LSTM(8)", "--predict", "-o", "")
    assert (ran.code, ran.out) == (2, "")
    assert "must be the name of a file" in ran.err


CODE = "# caf\u00e9\nimport keras\nx = keras.layers.LSTM(8, time_major=False)\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_code_is_read_and_fixed_in_its_own_encoding(run: Callable[..., Ran], tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "model.py"
    text = f"# -*- coding: {encoding} -*-\n{CODE}" if encoding == "latin-1" else CODE
    file.write_bytes(text.encode(encoding))
    assert "time_major" in run("show", str(file)).out
    assert run("scan", str(file)).code == 1
    assert run("scan", str(file), "--fix").err == ""
    assert file.read_bytes() == text.replace(", time_major=False", "").encode(encoding)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (CODE.encode("latin-1"), "not UTF-8 (byte 6): save it as UTF-8"),
        (b"# coding: klingon\n" + CODE.encode(), "unknown encoding: klingon"),
        (
            b"# coding: rot13\n" + CODE.encode(),
            "'rot13' is not a text encoding; use codecs.encode() to handle arbitrary codecs",
        ),
    ],
)
def test_code_in_no_known_encoding_says_which(run: Callable[..., Ran], tmp_path: Path, data: bytes, why: str) -> None:
    file = tmp_path / "model.py"
    file.write_bytes(data)
    assert run("show", str(file)).err == f"rnnshape: error: {file}: cannot be read: {why}\n"
    assert run("scan", str(file)).err == f"rnnshape: {file} is not read: {why}\n"


def test_a_notebook_comes_through_a_pipe_too(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    def piped(data: bytes) -> Ran:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        return run("show", "-", "--predict")

    ran = piped(json.dumps(CELLS).replace("n = 0", "n = 3").encode())
    assert (ran.code, ran.out.split("\n")[0]) == (0, "LSTM(3)")
    wrong = piped(json.dumps(CELLS).encode())
    assert wrong.err.startswith("rnnshape: error: <stdin>, cell 2, line 2: units must be a whole number")


@pytest.mark.parametrize("command", ["show", "compare"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("folder", "{} is a folder, and not a SavedModel: name a file in it, or use rnnshape scan {}"),
        ("model.txt", "{} is not read: code is .py, .ipynb or .md, a saved model .keras, .h5, .hdf5 or .json; "),
        ("model.zip", "{} is not read: code is .py, .ipynb or .md, "),
        ("gone/model.txt", "{}: there is no such file"),
    ],
)
def test_an_unknown_kind_of_file_is_an_error_with_the_known_kinds(
    run: Callable[..., Ran], tmp_path: Path, command: str, name: str, told: str
) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("model.txt", "model.zip"):
        (tmp_path / file).write_bytes(b"import keras")
    path = str(tmp_path / name)
    ran = run(command, path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"rnnshape: error: {told.format(path, path)}")
    assert ran.err.count("\n") == 1


def test_compare_takes_no_file_and_scan_no_saved_model(run: Callable[..., Ran], tmp_path: Path) -> None:
    for name in ("model.py", "model.keras"):
        (tmp_path / name).write_text("")
    assert f"rnnshape show {tmp_path}/model.py reads it" in run("compare", f"{tmp_path}/model.py", "gru").err
    ran = run("scan", f"{tmp_path}/model.keras")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(f"is not read: a saved model, not code; rnnshape show {tmp_path}/model.keras reads it\n")


@pytest.mark.parametrize(
    "words", [("show", "{}.py"), ("scan", "{}.py"), ("batch", "{}.yaml"), ("{}",), ("lstm", "--{}")]
)
def test_a_name_in_an_error_does_not_colour_the_terminal(run: Callable[..., Ran], words: tuple[str, ...]) -> None:
    ran = run(*(word.format("/gone/a\x1b[31mb\u202e") for word in words))
    assert ran.code == 2
    assert "a\N{REPLACEMENT CHARACTER}[31mb\N{REPLACEMENT CHARACTER}" in ran.err
    assert "\x1b" not in ran.err
