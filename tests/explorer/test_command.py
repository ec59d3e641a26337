"""``rnnshape explore`` before anything is drawn: what is missing is said in a line."""

from __future__ import annotations

import sys
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


@pytest.mark.parametrize("flag", [("--serve", "0"), ("--time", "0"), ("--initial-state", "twos")])
def test_a_wrong_option_is_told_before_the_screen_is_taken(run: Callable[..., Ran], flag: tuple[str, str]) -> None:
    ran = run("explore", *flag)
    assert ran.code == 2
    assert f"{flag[0]} {flag[1]}: must be" in ran.err


@pytest.mark.parametrize("module", ["steps", "fields", "edits", "presets", "written", "panels", "changes"])
def test_what_is_no_widget_does_not_import_textual(module: str) -> None:
    assert loaded_by(f"import rnnshape.explorer.{module}", ("textual", "tensorflow")) == set()


def test_the_test_above_can_fail() -> None:
    assert loaded_by("import rnnshape.explorer.app", ("textual", "tensorflow")) == {"textual"}
