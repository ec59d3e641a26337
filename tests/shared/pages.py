"""Helpers for the tests of the pages: code blocks, links, and a shell that runs commands with one TensorFlow process.

A page is Markdown.  In a ``console`` block, each line that starts with ``$ `` is a command, with its output below it.
A block whose first line is ``# name.ext`` is that file, for the commands after it.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from tests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from tests.conftest import Ran

DOCS = ROOT / "docs"
# Generated from the schemas and from --help: tests/shared/reference.py.
REFERENCE = DOCS / "reference"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(page for page in DOCS.rglob("*.md") if REFERENCE not in page.parents),
]
# Programs that a page uses and a machine may lack; any other program is required.
OPTIONAL = {"jq", "column", "pandas"}

_FENCE = re.compile(r"^```(?P<language>[\w{}-]*)(?: \S+)?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"# (?P<name>[\w-]+\.\w+)\n")
_PROMPT = "$ "
# Seconds; without a limit, a command that waits for a terminal never ends.
_LONGEST = 120
# Characters that only a shell understands.
_SHELL = re.compile(r"[|&;<>()$`*?~\\\n]")


def name(page: Path) -> str:
    """The name of the page in the name of a test."""
    return page.relative_to(ROOT).as_posix()


class Block(NamedTuple):
    """A fenced block of a page: its language, its text, and the place of the text."""

    language: str
    text: str
    start: int

    @property
    def file(self) -> str | None:
        """The name of the file that this block is, if it is one."""
        found = _NAMED.match(self.text)
        return found["name"] if found else None

    @property
    def commands(self) -> list[str]:
        """The commands of a ``console`` block, without their prompt; a line that ends in a backslash continues."""
        return [
            line.removeprefix(_PROMPT)
            for line in re.findall(r"^\$ (?:.*\\\n)*.*$", self.text, re.MULTILINE)
            if self.language == "console"
        ]


def blocks(text: str, *languages: str) -> list[Block]:
    """The blocks of a page, in all languages or in these."""
    found = [Block(match["language"], match["text"], match.start("text")) for match in _FENCE.finditer(text)]
    return [block for block in found if not languages or block.language in languages]


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def replaced(text: str, block: Block, by: str) -> str:
    """The page with this text in the block."""
    return text[: block.start] + by + text[block.start + len(block.text) :]


class Shell:
    """Runs commands as a reader types them, in a temporary folder, with the ``rnnshape`` of this process.

    A plain ``rnnshape …`` runs in this process.  A command that needs a shell (a pipe, a loop, ``<(…)``) runs in bash,
    with a small program ``rnnshape`` that gets the output from this process, so that TensorFlow is loaded only once.
    """

    def __init__(self, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
        self._run = run
        self._monkeypatch = monkeypatch
        self._place = Path(tempfile.mkdtemp(prefix="pages"))  # short, because the path of a socket has a length limit
        self.folder = self._place / "work"
        self.folder.mkdir()
        (self.folder / "configs").symlink_to(ROOT / "configs")
        self.missing: set[str] = set()

    def close(self) -> None:
        """Remove the files that the commands have written."""
        shutil.rmtree(self._place)

    def write(self, block: Block) -> None:
        """Write the file of a block into the folder."""
        if block.file:
            (self.folder / block.file).write_text(block.text, encoding="utf-8")

    def __call__(self, command: str) -> str | None:
        """The output of a command, standard error last; None if this machine lacks a program that it needs."""
        # Quoted brackets do not need a shell; double quotes only must not contain an expansion.
        bare = re.sub(r"'[^']*'|\"[^\"$`]*\"", "", command)
        if command.startswith("rnnshape ") and not _SHELL.search(bare):
            ran = self._asked(shlex.split(command)[1:], "", self.folder)
            return ran.out + ran.err
        with socket.socket(socket.AF_UNIX) as listener:
            self._install(listener)
            return self._in_bash(command, listener)

    def _asked(self, words: list[str], fed: str, folder: Path) -> Ran:
        with self._monkeypatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(fed.encode())))
            return self._run(*words)

    def _install(self, listener: socket.socket) -> None:
        address = self._place / "socket"
        address.unlink(missing_ok=True)
        listener.bind(str(address))
        listener.listen()
        listener.settimeout(0.02)
        client = self._place / "client.py"
        client.write_text(_CLIENT.format(address=str(address)), encoding="utf-8")
        program = self._place / "bin" / "rnnshape"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{client}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        # This Python has the packages of the tests.
        (program.parent / "python").unlink(missing_ok=True)
        (program.parent / "python").symlink_to(sys.executable)

    def _in_bash(self, command: str, listener: socket.socket) -> str | None:
        lacking = self._place / "missing"
        lacking.write_text("")
        heard = f'command_not_found_handle() {{ echo "$1" >> "{lacking}"; echo "$1: not found" >&2; return 127; }}\n'
        environment = {
            **os.environ,
            "PATH": f"{self._place / 'bin'}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
        }
        with (
            (self._place / "out").open("w+", encoding="utf-8") as out,
            (self._place / "err").open("w+", encoding="utf-8") as err,
            subprocess.Popen(
                ["bash", "-c", heard + command],
                cwd=self.folder,
                env=environment,
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            ) as bash,
        ):
            end = monotonic() + _LONGEST
            while bash.poll() is None:
                if monotonic() > end:
                    os.killpg(bash.pid, signal.SIGKILL)
                    raise AssertionError(f"{command}: not done in {_LONGEST} seconds")
                with suppress(TimeoutError):
                    self._answer(listener.accept()[0])
            out.seek(0)
            err.seek(0)
            printed = out.read() + err.read()
        self.missing |= set(lacking.read_text().split())
        unknown = self.missing - OPTIONAL
        assert not unknown, f"{command}: no program {', '.join(unknown)}"
        return None if lacking.read_text() else printed

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        with connection, connection.makefile("rwb") as stream:
            asked = json.loads(stream.readline())
            ran = self._asked(asked["words"], asked["fed"], Path(asked["folder"]))
            stream.write(json.dumps([ran.out, ran.err, ran.code]).encode() + b"\n")


_CLIENT = """\
import json, os, signal, socket, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
words = sys.argv[1:]
fed = sys.stdin.buffer.read().decode() if "-" in words else ""
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    stream = connection.makefile("rwb")
    stream.write(json.dumps(dict(words=words, fed=fed, folder=os.getcwd())).encode() + b"\\n")
    stream.flush()
    out, err, code = json.loads(stream.readline())
sys.stderr.buffer.write(err.encode())
sys.stdout.buffer.write(out.encode())
sys.stdout.flush()
sys.exit(code)
"""


def answered(block: Block, shell: Shell) -> str | None:
    """The block with the current output of its commands; None if this machine lacks a program that it needs."""
    answers = []
    for command in block.commands:
        printed = shell(command)
        if printed is None:
            return None
        answers.append(f"{_PROMPT}{command}\n{printed}")
    return "\n".join(answers)


def comparable(text: str) -> str:
    """The text without differences between machines: versions, the digits of a difference, and the width of both."""
    text = re.sub(r"TensorFlow \S+, Keras \S+", "TensorFlow X, Keras Y", text)
    text = re.sub(r"tensorflow \S+, keras \S+, python \S+", "tensorflow X, keras Y, python Z", text)
    text = re.sub(r"When Keras \S+ uses", "When Keras Y uses", text)
    text = re.sub(r"\b(CPU|GPU):0\b", "DEVICE", text)
    text = re.sub(r"─+", "─", re.sub(r" +(?=│)", " ", text))
    # 0 is kept, because it means bitwise equal.
    return re.sub(r"│ ([✓✗≠] )?\d(\.\d+)?e?-?\d* (?=│)", _distance, text)


def _distance(cell: re.Match[str]) -> str:
    number = cell[0].strip("│ ✓✗≠")
    return cell[0] if number.isdigit() else f"│ {cell[1] or ''}0.1 "


def links(text: str) -> Iterator[str]:
    """The targets of a page's links and images."""
    yield from re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(text)))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as on GitHub; a repeated heading gets a number."""
    found: dict[str, int] = {}
    named = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    for heading in re.findall(r"^#{1,6} (.+?)\s*$", prose(text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
        named.add(f"{slug}-{found[slug]}" if found[slug] else slug)
    return named
