"""What is told of a file of code or a saved model that asks for nothing: which file, and where in it."""

from __future__ import annotations

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
        ("model.py", "x = 1\n", "model.py: no layer is made here: write one as in Keras, such as LSTM(8)"),
        ("notes.ipynb", json.dumps(CELLS), "notes.ipynb, cell 2, line 2: units must be a whole number, 1 or more"),
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


def test_a_word_that_is_no_layer_is_told_without_a_flag_that_nobody_gave(run: Callable[..., Ran]) -> None:
    assert run("show", "foo").err == "rnnshape: error: 'foo' is neither a layer's command nor an expression\n"


def test_an_answer_cannot_be_written_to_a_file_without_a_name(run: Callable[..., Ran]) -> None:
    ran = run("show", "LSTM(8)", "--predict", "-o", "")
    assert (ran.code, ran.out) == (2, "")
    assert "must be the name of a file" in ran.err
