"""Small programs with one mistake each, and correct ones: every mistake is found, nothing else is, and Keras agrees.

A program begins at ``# %%``.  A wrong line ends with the code of its finding; for a contract that does not hold, ``contract``.
"""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from rnnshape.scan.codes import CODES
from rnnshape.scan.one import scan_text
from rnnshape.scan.texts import Text

HERE = Path(__file__).parent / "corpus"


def programs(file: str) -> dict[str, str]:
    """The programs of a file, by name."""
    parts = re.split(r"^# %% (.+)\n", (HERE / f"{file}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


ERRORS, SILENT, RIGHT = (programs(name) for name in ("errors", "silent", "right"))


def planted(code: str) -> list[tuple[str, int]]:
    """The codes at the ends of lines, with the line numbers."""
    return [
        (found[1] or "contract", number)
        for number, line in enumerate(code.splitlines(), 1)
        if (found := re.search(r"# (?:([a-z][a-z-]+)|->.*)$", line))
    ]


def found(code: str) -> list[tuple[str, int]]:
    scanned = scan_text(Text("program.py", code))
    assert scanned.unread is None
    return [(finding.code, finding.line) for finding in scanned.findings]


@pytest.mark.parametrize("name", [*ERRORS, *SILENT])
def test_the_planted_mistake_is_found_and_nothing_else(name: str) -> None:
    code = {**ERRORS, **SILENT}[name]
    assert found(code) == planted(code)


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_found_in_a_right_program(name: str) -> None:
    assert found(RIGHT[name]) == []


def test_every_code_is_planted_twice() -> None:
    codes = [code for program in (*ERRORS.values(), *SILENT.values()) for code, _ in planted(program)]
    assert {code for code in CODES if codes.count(code) < 2} == set()
    assert len(codes) >= 60
    assert len(RIGHT) >= 60


def failed_at(code: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, BaseException] | None:
    """The line at which Keras rejects a program, 0 if only a call of the connected layers fails; None if nothing fails."""
    import keras

    monkeypatch.setattr(sys, "argv", ["program.py"])
    # Annotations are resolved in the module of the program.
    space = {"__name__": "tests.scan.test_corpus"}
    try:
        exec(compile(code, "program.py", "exec"), space)  # noqa: S102  the corpus is trusted
        if isinstance(space.get("y"), keras.KerasTensor):
            _call(space["y"])
    except Exception as error:  # noqa: BLE001  Keras raises different exceptions
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "program.py"]
        return next(iter(lines), 0) or 0, error
    return None


def _call(output: Any) -> None:
    """Call the model of the program, because Keras does not check the states of symbolic tensors."""
    import keras
    import numpy as np

    inputs = keras.utils.get_source_inputs(output)
    fed = [np.zeros([size or 3 for size in one.shape], one.dtype) for one in inputs]
    keras.Model(inputs, output)(fed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ERRORS)
def test_keras_rejects_each_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program fails in the statement with the finding, or where a class or model that contains it is called."""
    code = ERRORS[name]
    ((wrong, line),) = planted(code)
    failed = failed_at(code, monkeypatch)
    if wrong == "contract":  # the code is correct, but not its comment
        assert failed is None
        return
    assert failed is not None, "Keras takes it"
    inside = code.splitlines()[failed[0] - 1] if failed[0] else ""
    assert failed[0] in (line, 0) or inside.startswith(("model", "Tagger"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*SILENT, *RIGHT])
def test_keras_accepts_the_others(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = failed_at({**SILENT, **RIGHT}[name], monkeypatch)
    assert failed is None, failed
