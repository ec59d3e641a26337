"""The verified view replaces the prediction, on an emulated terminal."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING

import pyte
import pytest

import rnnshape
from rnnshape.render import View
from rnnshape.render.settling import settling
from rnnshape.render.table import write

if TYPE_CHECKING:
    from rnnshape.report import Report

THEORY = rnnshape.predict("bidirectional", return_state=True, return_sequences=True)


class Terminal(io.StringIO):
    """A stream that claims to be a terminal; its text is shown on an emulated screen."""

    def isatty(self) -> bool:
        return True

    def screen(self, width: int = 80, height: int = 90) -> list[str]:
        screen = pyte.Screen(width, height)
        screen.set_mode(pyte.modes.LNM)
        pyte.Stream(screen).feed(self.getvalue())
        return [line.rstrip() for line in screen.display]


def sized(monkeypatch: pytest.MonkeyPatch, columns: int, lines: int) -> None:
    monkeypatch.setattr("os.get_terminal_size", lambda *_: os.terminal_size((columns, lines)))


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)
    sized(monkeypatch, 80, 90)


@pytest.fixture(scope="module")
def proved() -> Report:
    return rnnshape.explore(THEORY.spec)


def drawn(report: Report) -> list[str]:
    terminal = Terminal()
    write(report, terminal, View())
    return terminal.screen()


def test_the_prediction_is_shown_while_the_layer_is_built(proved: Report) -> None:
    terminal = Terminal()
    seen: list[list[str]] = []

    def prove() -> Report:
        seen.append(terminal.screen())
        return proved

    settling(THEORY, prove, terminal, View())
    text = "\n".join(seen[0])
    assert "verifying on the real layer …" in text
    assert "│ y[4]   │ backward_state_c" in text
    assert "✓" not in text


def test_the_verified_view_leaves_no_old_line(proved: Report) -> None:
    terminal = Terminal()
    terminal.write("$ rnnshape bidirectional …\n")
    assert settling(THEORY, lambda: proved, terminal, View()) is proved
    assert terminal.screen()[:-1] == ["$ rnnshape bidirectional …", *drawn(proved)[:-2]]


def test_the_lines_keep_their_places(proved: Report) -> None:
    terminal = Terminal()
    before: list[str] = []

    def prove() -> Report:
        before.extend(terminal.screen())
        return proved

    settling(THEORY, prove, terminal, View())
    after = terminal.screen()
    changed = [line for line, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    rows = [
        line
        for line, text in enumerate(after)
        if "==" in text or "it ran on" in text or "CPU:0" in text or "agree" in text
    ]
    assert set(changed) <= set(rows)


def test_a_resize_leaves_no_old_line(proved: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()

    def prove() -> Report:
        sized(monkeypatch, 60, 90)
        # A terminal that folds lines now shows the lines of 80 columns folded at 60.
        folded = [
            part
            for line in re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
            for part in ([line[i : i + 60] for i in range(0, len(line), 60)] or [""])
        ]
        terminal.seek(0)
        terminal.truncate()
        terminal.write("$ before\n" + "".join(f"{line}\n" for line in folded))
        return proved

    monkeypatch.setenv("NO_COLOR", "1")
    settling(THEORY, prove, terminal, View())
    expected = Terminal()
    write(proved, expected, View())
    assert terminal.screen(60, 90)[1:-1] == expected.screen(60, 90)[:-2]


def test_an_interrupt_is_shown_and_raised_again() -> None:
    terminal = Terminal()

    def prove() -> Report:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        settling(THEORY, prove, terminal, View())
    text = "\n".join(terminal.screen())
    assert "Interrupted. Predicted from rules; not verified on a real layer." in text
    assert "proving" not in text


def test_a_view_larger_than_the_screen_is_drawn_once(proved: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    sized(monkeypatch, 80, 10)
    terminal = Terminal()
    settling(THEORY, lambda: proved, terminal, View())
    assert "\x1b[J" not in terminal.getvalue()
    assert terminal.getvalue().count("Returns") == 1
