"""Completion in real shells, with the scripts of ``docs/completion.md``."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pyte
import pytest

from rnnshape import predict
from rnnshape.cli.completion import _example, layers
from rnnshape.layers import TABLE
from rnnshape.layers.arguments import DTYPES
from rnnshape.layers.names import ACTIVATIONS
from rnnshape.render import FORMATS, ROWS_FORMATS
from tests import ROOT
from tests.shared.pages import DOCS, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Ran

SHELLS = ("bash", "zsh", "fish")
# A timeout in seconds, much longer than a shell needs.
_LONGEST = 60


def installed(shell: str) -> str:
    """The path of the shell; skips the test if it is not installed."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here: apt-get install {shell}")
    return shell


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new home directory with two files; ``rnnshape`` is in the ``PATH``."""
    program = tmp_path / "bin" / "rnnshape"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rnnshape "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "runs.yaml").touch()
    (folder / "rows.jsonl").touch()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(folder)
    return folder


def said(shell: str, script: str) -> str:
    """The output of a script; the shell reads only the startup files of completion."""
    bare = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": []}[shell]
    done = subprocess.run(
        [shell, *bare, "-c", script], capture_output=True, text=True, check=False, timeout=_LONGEST, stdin=subprocess.DEVNULL
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def offered(shell: str, line: str) -> list[str]:
    """The candidates for Tab at the end of a line."""
    if shell == "fish":
        asked = said("fish", f"env _RNNSHAPE_COMPLETE=source_fish rnnshape | source\ncomplete -C {quoted(line)}")
        return [row.partition("\t")[0] for row in asked.splitlines()]
    if shell == "zsh":
        # The zsh function evaluates _arguments with words, or _files.
        asked = said("zsh", f"_TYPER_COMPLETE_ARGS={quoted(line)} _RNNSHAPE_COMPLETE=complete_zsh rnnshape")
        if asked.strip() == "_files":
            return sorted(path.name for path in Path.cwd().iterdir())
        return re.findall(r'(?:^|\(\()"([^"]+)"', asked.replace("\\", ""), re.MULTILINE)
    words = re.findall(r'"[^"]*"?|=|[^\s=]+', line) + ([""] if line.endswith(" ") else [])
    script = [
        "source <(_RNNSHAPE_COMPLETE=source_bash rnnshape)",
        f"COMP_WORDS=({' '.join(map(quoted, words))}); COMP_CWORD={len(words) - 1}",
        "_rnnshape_completion rnnshape",
        # -o default: without candidates, bash offers files.
        "complete -p rnnshape | grep -q -- '-o default' && ((${#COMPREPLY[@]})) || COMPREPLY=($(compgen -f))",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    return said("bash", "\n".join(script)).splitlines()


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


FILES = {"runs.yaml", "rows.jsonl"}
OFFERED = {
    "rnnshape lst": {"lstm", "lstm-cell"},
    "rnnshape help exi": {"exit-codes"},
    "rnnshape bidirectional --layer ": {"lstm", "gru", "simple-rnn", "rnn"},
    "rnnshape rnn --cell s": {"simple-rnn"},
    "rnnshape lstm --activation ": {*ACTIVATIONS.usable, "none"},
    "rnnshape lstm --activation tan": {"tanh", "tanh_shrink"},
    "rnnshape gru --dtype ": {*DTYPES, "none"},
    "rnnshape lstm -f ": set(FORMATS),
    "rnnshape batch -f ": set(ROWS_FORMATS),
    "rnnshape bidirectional --merge-mode a": {"ave"},
    "rnnshape compare LSTM --axis un": {"unroll"},
    "rnnshape lstm --initial-state ": {"zeros", "ones", "random"},
    "rnnshape lstm --mask ": {"right:", "left:", "random", "empty-last"},
    "rnnshape lstm --mask ri": {"right:", "right:3,2"},
    "rnnshape schema ": {"file", "report", "compare"},
    "rnnshape show ": {f"{name}(" for name in TABLE},
    'rnnshape show "LS': {"LSTM(", "LSTMCell("},
    'rnnshape show "Bidirectional(GR': {"Bidirectional(GRU(", "Bidirectional(GRU(1)"},
    'rnnshape compare "GRU(8)" "LSTM': {"LSTM(", "LSTMCell("},
    "rnnshape lstm --into Den": {"Dense(", "Dense(1)"},
    "rnnshape batch ": FILES,
    "rnnshape lstm -o ": FILES,
    "rnnshape batch --resume ": FILES,
}


@pytest.mark.shell
@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_shell_offers(shell: str, home: Path) -> None:
    installed(shell)
    assert {line: set(offered(shell, line)) for line in OFFERED} == OFFERED


@pytest.mark.shell
@pytest.mark.parametrize("shell", SHELLS)
def test_a_value_behind_an_equals_sign(shell: str, home: Path) -> None:
    """``--format=js`` is one word for zsh and fish, but three words for bash."""
    before = "" if installed(shell) == "bash" else "--format="
    assert set(offered(shell, "rnnshape lstm --format=js")) == {f"{before}json", f"{before}jsonl"}


@pytest.mark.shell
def test_the_table_of_the_page_lists_the_candidates(home: Path) -> None:
    """Each line of the table lists the candidates of a shell."""
    installed("bash")
    text = (DOCS / "completion.md").read_text(encoding="utf-8").replace("\\|", "¦")
    rows = re.findall(r"^\| `(rnnshape [^`]+)` \| (`.*`) \|$", text, re.MULTILINE)
    assert len(rows) >= 6
    for line, told in rows:
        asked = line.replace("¦", "|")
        asked += " " if asked.endswith(("--layer", "--mask")) else ""
        assert set(offered("bash", asked)) == set(re.findall("`([^`]+)`", told.replace("¦", "|"))), line


# For each shell, the command that starts it without startup files, and the lines that set up completion.
INTERACTIVE = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "PS1='> '; source <(_RNNSHAPE_COMPLETE=source_bash rnnshape)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PS1='> '; autoload -Uz compinit; compinit -u; source <(_RNNSHAPE_COMPLETE=source_zsh rnnshape)",
    ),
    # Turn off the suggestions of fish, which would be on the screen too.
    "fish": (
        ["fish", "--no-config", "-i"],
        "set -g fish_autosuggestion_enabled 0; env _RNNSHAPE_COMPLETE=source_fish rnnshape | source",
    ),
}
# The text before and after Tab: quotes stay open, and a complete word gets a blank.
TYPED = {
    'rnnshape show "Bidi': 'rnnshape show "Bidirectional(',
    'rnnshape show "LSTM(8) | Emb': 'rnnshape show "LSTM(8) | Embedding(',
    "rnnshape lstm --mask=rig": "rnnshape lstm --mask=right:",
    "rnnshape lstm --activation hard_sig": "rnnshape lstm --activation hard_sigmoid",
    "rnnshape batch run": "rnnshape batch runs.yaml",
}


@pytest.mark.shell
@pytest.mark.parametrize("shell", SHELLS)
def test_what_tab_types(shell: str, home: Path) -> None:
    """Uses a real terminal, because shells treat brackets and quotes differently there."""
    installed(shell)
    command, setup = INTERACTIVE[shell]
    with terminal(command) as (keys, shown):
        keys(f"{setup}; echo rea''dy\n")
        shown(ends("ready"))
        for typed, wanted in TYPED.items():
            keys(f"{typed}\t")
            shown(ends(wanted))
            # The next key shows the position of the cursor: a complete word is followed by a blank.
            keys("#")
            now = wanted + ("" if wanted.endswith(("(", ":")) else " ") + "#"
            shown(ends(now))
            keys("\x15")  # clear the line
            shown(lambda lines, now=now: not ends(now)(lines))  # type: ignore[misc]


def ends(wanted: str) -> Callable[[list[str]], bool]:
    """A check whether a line of the screen ends with this text."""
    return lambda lines: any(line.endswith(wanted) for line in lines)


@contextmanager
def terminal(
    command: list[str],
) -> Iterator[tuple[Callable[[str], None], Callable[[Callable[[list[str]], bool]], None]]]:
    """Run a program in a terminal; return a function that presses keys and one that waits for lines on the screen."""
    child, master = pty.fork()
    if child == 0:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
        os.execvpe(command[0], command, environment)  # noqa: S606  the test is about the shell
    screen = pyte.Screen(120, 40)
    stream = pyte.ByteStream(screen)
    # fish queries the type of the terminal, and waits for the answer.
    screen.write_process_input = lambda data: os.write(master, data.encode())  # type: ignore[method-assign]

    def wait(right: Callable[[list[str]], bool]) -> None:
        end = monotonic() + _LONGEST
        while not right([line.rstrip() for line in screen.display]):
            assert monotonic() < end, "\n".join(line for line in screen.display if line.strip())
            if select.select([master], [], [], 0.1)[0]:
                stream.feed(os.read(master, 65536))

    try:
        yield lambda text: _write(master, text), wait
    finally:
        os.close(master)
        with suppress(ProcessLookupError):
            os.kill(child, 9)
        os.waitpid(child, 0)


def _write(master: int, text: str) -> None:
    os.write(master, text.encode())


@pytest.mark.shell
def test_the_lines_of_the_page_install_it(home: Path) -> None:
    """After the lines of the page, a new shell has completion."""
    bash, zsh, fish = (block.text for block in blocks((DOCS / "completion.md").read_text(encoding="utf-8"), "sh"))
    said(installed("bash"), bash)
    # An interactive bash would read it.
    assert "_rnnshape_completion rnnshape" in said("bash", "source ~/.bashrc; complete -p rnnshape")
    if shutil.which("zsh"):
        said("bash", "echo 'autoload -Uz compinit; compinit -u' > ~/.zshrc\n" + zsh)
        assert said("zsh", "source ~/.zshrc; echo $_comps[rnnshape]") == "_rnnshape_completion\n"
    if shutil.which("fish"):
        said("fish", fish)
        assert said("fish", "complete -C 'rnnshape schema re'") == "report\n"


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
def test_a_shell_that_is_not_detected(option: str, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    import shellingham

    def unknown() -> tuple[str, str]:
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", unknown)
    ran = run(option)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines() == [
        "rnnshape: error: the shell cannot be detected, or it has no completion",
        "rnnshape: hint: _RNNSHAPE_COMPLETE=source_bash rnnshape prints the script for bash; also source_zsh, source_fish",
    ]


def test_a_detected_shell(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """The script uses the name rnnshape, even if ``python -m rnnshape`` wrote it."""
    import shellingham

    monkeypatch.setattr(shellingham, "detect_shell", lambda: ("bash", "/bin/bash"))
    ran = run("--show-completion")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("complete -o default -F _rnnshape_completion rnnshape\n")


def test_each_candidate_is_valid() -> None:
    """Every offered example can be read, and a class is offered only where it is allowed."""
    for name in TABLE:
        assert predict(_example(name)).ok
    assert layers("LSTM(8, ") == layers("Bidirectional(LSTMC") == []
    assert layers("RNN([GRUC") == ["RNN([GRUCell(", "RNN([GRUCell(1)"]
