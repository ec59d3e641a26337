"""The explorer in a real terminal (tmux): the tests type keys and read the screen."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.shell

# A timeout in seconds, much longer than the screen needs.
_LONGEST = 60
_LOOK_S = 0.1
_MOST_FIELDS = 40
_GREYS = 232  # the first grey of a terminal's 256 colours


class Terminal:
    """A terminal of 80 × 24 with a shell in it."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        command = f"env PS1='$ ' PYTHONPATH={ROOT} TERM=tmux-256color bash --norc --noprofile"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command)
        self.tmux("set", "-g", "set-clipboard", "on")  # copied text goes to tmux's buffer
        self.until("$")

    def tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def type(self, *keys: str) -> None:
        """Press keys one after another, by tmux's names, at the speed of a person; a text counts as one key.

        Without pauses, Textual would run the action of a key after the letters that follow it.
        """
        for key in keys:
            self.tmux("send-keys", key)
            time.sleep(_LOOK_S)

    def until(self, *texts: str) -> str:
        """The screen, as soon as it contains all of these texts."""
        return self.once(lambda screen: all(text in screen for text in texts), f"no {texts}")

    def once(self, there: Callable[[str], bool], missing: str) -> str:
        end = time.monotonic() + _LONGEST
        while not there(screen := self.screen()):
            assert time.monotonic() < end, f"{missing} on\n{screen}"
            time.sleep(_LOOK_S)
        return screen

    def go_to(self, help_: str) -> str:
        """Press Tab until the help line begins with this text."""
        for _ in range(_MOST_FIELDS):
            self.type("Tab")
            screen = self._settled()
            if any(line.strip().startswith(help_) for line in screen.splitlines()):
                return screen
        raise AssertionError(f"no field {help_!r} on\n{screen}")

    def _settled(self) -> str:
        """The screen, once it no longer changes."""
        before, screen = "", self.screen()
        while before != screen:
            time.sleep(3 * _LOOK_S)
            before, screen = screen, self.screen()
        return screen

    def explore(self, *words: str) -> None:
        self.type(f"clear; {sys.executable} -m rnnshape explore {' '.join(words)}", "Enter")

    def state(self) -> str:
        """The state that a program must restore: the screen, the mouse, the cursor, the mode of the line."""
        flags = "#{alternate_on} #{mouse_any_flag} #{cursor_flag} #{bracket_paste_flag}"
        self.type("clear; stty -a | tr '\\n' ' '; echo =end", "Enter")
        said = self.once(lambda screen: "=end" in screen.replace("echo =end", ""), "no =end")
        return self.tmux("display-message", "-p", flags) + said.partition("=end")[0]

    @property
    def programs(self) -> list[psutil.Process]:
        """The processes in the shell, the explorer first."""
        shell = int(self.tmux("display-message", "-p", "#{pane_pid}"))
        return psutil.Process(shell).children(recursive=True)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    for program in ("tmux", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here: apt-get install {program}")
    one = Terminal(tmp_path / "tmux")
    try:
        yield one
    finally:
        one.tmux("kill-server")


def test_a_session_of_a_new_user(terminal: Terminal) -> None:
    """Three flags, Bidirectional, two masked steps, the strip, the code; then the worker is killed; then quit."""
    before = terminal.state()
    terminal.explore('"LSTM(4)"')
    terminal.until("LSTM(4)", "verified in", "(N, H)")

    terminal.go_to("return_sequences:")
    terminal.type("Space")
    terminal.until("LSTM(4, return_sequences=True)", "(N, T, H)", "by this step")
    terminal.go_to("return_state:")
    terminal.type("Space")
    terminal.until("LSTM(4, return_sequences=True, return_state=True)", "state_c", "returns*")
    terminal.go_to("go_backwards:")
    terminal.type("Space")
    terminal.until("go_backwards=True", "verified in")
    terminal.type("C-z")
    terminal.until("verified in", "state_c", " LSTM(4, return_sequences=True, return_state=True)\n")

    terminal.type("F2")
    terminal.until("Bidirectional(LSTM(4, return_sequences=True, return_state=True))", "(N, T, 2H)", "verified in")

    terminal.go_to("mask:")
    terminal.type("Right", "Right", "Space")
    terminal.type("Down", "Space")
    terminal.type("F8", "F8", "F8")
    strip = terminal.until("Mask by time step", "│ 0 1 2 │", "│ 1 1 0 │", "verified in")
    assert "disagree" not in strip

    terminal.type("F5")
    terminal.until("Shell command", "Python code", "--mask '110;110'")
    terminal.type("Down", "Down")
    terminal.until("import tensorflow as tf")
    terminal.type("Enter")
    terminal.until("Python code is in the clipboard")
    copied = terminal.tmux("show-buffer")
    compile(copied, "copied", "exec")
    assert "Bidirectional(LSTM(4, return_sequences=True, return_state=True))" in copied.replace("keras.layers.", "")

    _, worker = terminal.programs
    worker.kill()
    terminal.until("TensorFlow loaded in")
    terminal.type("C-z")
    terminal.until("verified in")

    _, worker = terminal.programs
    terminal.type("C-q")
    terminal.once(lambda screen: "Wrap" not in screen, "it goes on")
    assert terminal.state() == before
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(("ends", "code"), [("C-q", 0), ("C-c", 0), ("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_the_terminal_is_left_as_it_was(terminal: Terminal, ends: str, code: int) -> None:
    before = terminal.state()
    terminal.explore("LSTM", "--predict")
    terminal.until("theory only", "f2 Wrap")
    if ends.startswith("SIG"):
        terminal.programs[0].send_signal(signal.Signals[ends])
    else:
        terminal.type(ends)
    terminal.once(lambda screen: "f2 Wrap" not in screen, "it goes on")
    terminal.type("echo =code $?", "Enter")
    assert f"=code {code}\n" in terminal.once(lambda screen: "=code " in screen.replace("echo =code", ""), "no code")
    assert terminal.state() == before


def test_a_mistake_is_shown_while_it_is_typed(terminal: Terminal) -> None:
    terminal.explore('"LSTM(4)"', "--predict")
    terminal.until("theory only")
    terminal.type("BSpace", ", unts=3)")
    screen = terminal.until("unts", "^", "did you mean 'units'?")
    assert "(N, H)" in screen  # the last answer stays
    terminal.type("C-z", "C-z")
    terminal.until(" LSTM(4)\n")


def test_without_colours(terminal: Terminal) -> None:
    terminal.type("export NO_COLOR=1", "Enter")
    terminal.explore('"LSTM(4)"', "--predict")
    terminal.until("theory only")
    coloured = terminal.tmux("capture-pane", "-p", "-e")
    codes = [int(code) for code in re.findall(r"[34]8;5;(\d+)", coloured)]
    assert codes
    assert {code for code in codes if code < _GREYS} <= {16, 231}  # black and white
    terminal.type("C-q")


@pytest.mark.parametrize("time", range(4))
def test_it_ends_with_its_terminal(terminal: Terminal, time: int) -> None:
    """Without a limit, some wait forever: Textual writes to the closed terminal."""
    terminal.explore('"LSTM(4)"', "--predict")
    terminal.until("theory only")
    there = terminal.programs
    terminal.tmux("respawn-pane", "-k", "cat")
    _, alive = psutil.wait_procs(there, timeout=_LONGEST)
    assert there
    assert alive == []
