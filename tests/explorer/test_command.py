"""``rnnshape explore`` before anything is drawn: errors in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.project.test_imports import loaded_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran


def test_without_textual_it_says_what_to_install(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual", None)
    ran = run("explore")
    assert ran.code == 3
    assert ran.err.splitlines() == [
        "rnnshape: error: explore needs textual",
        'rnnshape: hint: pip install "rnnshape[tui]"',
    ]


def test_without_a_terminal_it_names_the_command_for_a_pipe(
    run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    ran = run("explore", "LSTM(8)")
    assert (ran.code, ran.out) == (3, "")
    assert "rnnshape show" in ran.err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing.py", "missing.py: there is no such file"),
        ("bare.py", "there is no layer here: write one as in Keras, such as LSTM(8)"),
        ("model.keras", "model.keras"),
    ],
)
def test_a_wrong_file_is_an_error_before_the_screen_opens(
    run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bare.py").write_text("x = 1\n", encoding="utf-8")
    Path("model.keras").touch()
    ran = run("explore", name)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


def test_the_layers_of_a_file_are_steps_of_one_walk(tmp_path: Path) -> None:
    from rnnshape.cli.explore import _first_steps

    file = tmp_path / "model.py"
    file.write_text(
        "encoder = LSTM(8)(keras.Input((7, 2)))\ndecoder = GRU(4, return_sequences=True)\n", encoding="utf-8"
    )
    history = _first_steps(str(file), {"batch": 5})
    steps = (history.now, *history.future)
    assert [(step.text, step.input) for step in steps] == [
        ("LSTM(8)", (5, 7, 2)),
        ("GRU(4, return_sequences=True)", (5, 3, 4)),
    ]
    assert not any(step.problems for step in steps)


@pytest.mark.parametrize("flag", [("--serve", "0"), ("--time", "0"), ("--initial-state", "twos")])
def test_a_wrong_option_is_an_error_before_the_screen_opens(run: Callable[..., Ran], flag: tuple[str, str]) -> None:
    ran = run("explore", *flag)
    assert ran.code == 2
    assert f"{flag[0]} {flag[1]}: must be" in ran.err


@pytest.mark.parametrize("module", ["steps", "fields", "edits", "presets", "written", "panels", "changes"])
def test_only_widgets_import_textual(module: str) -> None:
    assert loaded_by(f"import rnnshape.explorer.{module}", ("textual", "tensorflow")) == set()


def test_the_test_above_can_fail() -> None:
    assert loaded_by("import rnnshape.explorer.app", ("textual", "tensorflow")) == {"textual"}
