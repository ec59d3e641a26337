"""What Tab offers, asked of real shells with the scripts that ``docs/completion.md`` tells people to use."""

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
# Seconds until a shell has answered; it has long before.
_LONGEST = 60


def installed(shell: str) -> str:
    """The shell, or the test is skipped."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here: apt-get install {shell}")
    return shell


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new home with two files in it, where ``rnnshape`` is in the ``PATH``."""
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
    """What a script prints, without the files that the shell would read first, but for those of completion."""
    bare = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": []}[shell]
    done = subprocess.run(
        [shell, *bare, "-c", script], capture_output=True, text=True, check=False, timeout=_LONGEST, stdin=subprocess.DEVNULL
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def offered(shell: str, line: str) -> list[str]:
    """What Tab offers at the end of a line."""
    if shell == "fish":
        asked = said("fish", f"env _RNNSHAPE_COMPLETE=source_fish rnnshape | source\ncomplete -C {quoted(line)}")
        return [row.partition("\t")[0] for row in asked.splitlines()]
    if shell == "zsh":
        # What zsh's own function evaluates: the words of _arguments, or _files.
        asked = said("zsh", f"_TYPER_COMPLETE_ARGS={quoted(line)} _RNNSHAPE_COMPLETE=complete_zsh rnnshape")
        if asked.strip() == "_files":
            return sorted(path.name for path in Path.cwd().iterdir())
        return re.findall(r'(?:^|\(\()"([^"]+)"', asked.replace("\\", ""), re.MULTILINE)
    words = re.findall(r'"[^"]*"?|=|[^\s=]+', line) + ([""] if line.endswith(" ") else [])
    script = [
        "source <(_RNNSHAPE_COMPLETE=source_bash rnnshape)",
        f"COMP_WORDS=({' '.join(map(quoted, words))}); COMP_CWORD={len(words) - 1}",
        "_rnnshape_completion rnnshape",
        # -o default: where there is no answer, bash itself offers files.
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
    """One word to zsh and fish, three to bash."""
    before = "" if installed(shell) == "bash" else "--format="
    assert set(offered(shell, "rnnshape lstm --format=js")) == {f"{before}json", f"{before}jsonl"}


@pytest.mark.shell
def test_the_table_of_the_page_is_what_is_offered(home: Path) -> None:
    """Every line of it with the words that a shell gets."""
    installed("bash")
    text = (DOCS / "completion.md").read_text(encoding="utf-8").replace("\\|", "¦")
    rows = re.findall(r"^\| `(rnnshape [^`]+)` \| (`.*`) \|$", text, re.MULTILINE)
    assert len(rows) >= 6
    for line, told in rows:
        asked = line.replace("¦", "|")
        asked += " " if asked.endswith(("--layer", "--mask")) else ""
        assert set(offered("bash", asked)) == set(re.findall("`([^`]+)`", told.replace("¦", "|"))), line


# How a shell begins that reads nothing, and the lines that give it the completion.
INTERACTIVE = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "PS1='> '; source <(_RNNSHAPE_COMPLETE=source_bash rnnshape)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PS1='> '; autoload -Uz compinit; compinit -u; source <(_RNNSHAPE_COMPLETE=source_zsh rnnshape)",
    ),
    # What fish only suggests, behind the cursor, would stand on the screen too.
    "fish": (
        ["fish", "--no-config", "-i"],
        "set -g fish_autosuggestion_enabled 0; env _RNNSHAPE_COMPLETE=source_fish rnnshape | source",
    ),
}
# What is typed before Tab, and what stands there afterwards: quotes stay open, and a whole word gets its blank.
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
    """At a terminal, where a shell has its own ideas of brackets and quotes."""
    installed(shell)
    command, setup = INTERACTIVE[shell]
    with terminal(command) as (keys, shown):
        keys(f"{setup}; echo rea''dy\n")
        shown(ends("ready"))
        for typed, wanted in TYPED.items():
            keys(f"{typed}\t")
            shown(ends(wanted))
            # The next key says where the cursor is: a whole word has its blank.
            keys("#")
            now = wanted + ("" if wanted.endswith(("(", ":")) else " ") + "#"
            shown(ends(now))
            keys("\x15")  # the line away
            shown(lambda lines, now=now: not ends(now)(lines))  # type: ignore[misc]


def ends(wanted: str) -> Callable[[list[str]], bool]:
    """Whether a line of the screen ends so."""
    return lambda lines: any(line.endswith(wanted) for line in lines)


@contextmanager
def terminal(
    command: list[str],
) -> Iterator[tuple[Callable[[str], None], Callable[[Callable[[list[str]], bool]], None]]]:
    """A program at a terminal: what presses keys, and what waits until the lines of the screen are as wanted."""
    child, master = pty.fork()
    if child == 0:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
        os.execvpe(command[0], command, environment)  # noqa: S606  the shell is what is tested
    screen = pyte.Screen(120, 40)
    stream = pyte.ByteStream(screen)
    # fish asks the terminal what it is, and waits for the answer.
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
    """As far as what the next shell of a reader knows."""
    bash, zsh, fish = (block.text for block in blocks((DOCS / "completion.md").read_text(encoding="utf-8"), "sh"))
    said(installed("bash"), bash)
    # As an interactive bash reads it.
    assert "_rnnshape_completion rnnshape" in said("bash", "source ~/.bashrc; complete -p rnnshape")
    if shutil.which("zsh"):
        said("bash", "echo 'autoload -Uz compinit; compinit -u' > ~/.zshrc\n" + zsh)
        assert said("zsh", "source ~/.zshrc; echo $_comps[rnnshape]") == "_rnnshape_completion\n"
    if shutil.which("fish"):
        said("fish", fish)
        assert said("fish", "complete -C 'rnnshape schema re'") == "report\n"


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
def test_a_shell_that_cannot_be_told(option: str, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    import shellingham

    def unknown() -> tuple[str, str]:
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", unknown)
    ran = run(option)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines() == [
        "rnnshape: error: the shell cannot be detected, or it has no completion",
        "rnnshape: hint: _RNNSHAPE_COMPLETE=source_bash rnnshape writes the script of bash; so do source_zsh and "
        "source_fish",
    ]


def test_a_shell_that_is_told(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """The name in the script is rnnshape, also where ``python -m rnnshape`` wrote it."""
    import shellingham

    monkeypatch.setattr(shellingham, "detect_shell", lambda: ("bash", "/bin/bash"))
    ran = run("--show-completion")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("complete -o default -F _rnnshape_completion rnnshape\n")


def test_what_completes_is_right() -> None:
    """Every example that is offered can be asked, and no class is offered where it cannot stand."""
    for name in TABLE:
        assert predict(_example(name)).ok
    assert layers("LSTM(8, ") == layers("Bidirectional(LSTMC") == []
    assert layers("RNN([GRUC") == ["RNN([GRUCell(", "RNN([GRUCell(1)"]
