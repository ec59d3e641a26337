"""``rnnshape explore``: run the explorer in this terminal, or serve it to a browser on this machine."""

from __future__ import annotations

import os
import shlex
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rnnshape.cli.answer import specs_of
from rnnshape.cli.options import EXPLORE, accept
from rnnshape.cli.output import destination, note
from rnnshape.errors import Unavailable
from rnnshape.reading.files import is_code, is_saved
from rnnshape.render.marks import marks_for
from rnnshape.spec.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.explorer.steps import History
    from rnnshape.explorer.verifier import Verifier

START = "LSTM(8)"
"""The layer that is shown if the command line names none."""
_HOST = "localhost"


def explore(expression: str | None, values: Mapping[str, Any]) -> int:
    """Open the explorer on an expression, a command's name or a file; return the exit code.

    Raises:
        Unavailable: Textual is not installed, or there is no terminal.
        Invalid: an option has a wrong value.
    """
    accept(values, EXPLORE)
    serves = "serve" in values
    if missing := next((name for name in ("textual", *(["textual_serve"] if serves else [])) if not _has(name)), None):
        raise Unavailable(f"explore needs {missing.replace('_', '-')}", 'pip install "rnnshape[tui]"')
    history = _first_steps(expression, values)
    if serves:
        return _serve(int(values["serve"]))
    if not _can_draw():
        raise Unavailable("explore needs a terminal", 'in a pipe, use rnnshape show "LSTM(8)"')
    from rnnshape.explorer.app import Explorer
    from rnnshape.explorer.app import explore as run

    marks = marks_for(sys.stdout)
    return run(Explorer(history, opened=destination, marks=marks, verifier=_verifier(values)))


def _first_steps(expression: str | None, values: Mapping[str, Any]) -> History:
    """The first steps: the expression, or each layer of a file of code or a saved model.

    Raises:
        Invalid: the file cannot be read, or contains no layer.
    """
    from rnnshape.explorer.steps import History, read, read_spec

    options = {name: value for name, value in values.items() if name not in ("predict", "serve")}
    text = START if expression is None else expression
    if is_code(text) or is_saved(text):
        return History.of(map(read_spec, specs_of(text, options)))
    return History(read(COMMANDS[text].node({}).text if text in COMMANDS else text, options))


def _verifier(values: Mapping[str, Any]) -> type[Verifier] | None:
    """The class that runs the real layer in a process; None with ``--predict``."""
    if values.get("predict"):
        return None
    from rnnshape.explorer.verifier import Verifier

    return Verifier


def _can_draw() -> bool:
    """Whether Textual can draw: on a terminal, or in the server's child process, which sets its own driver."""
    return "TEXTUAL_DRIVER" in os.environ or bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())


def _has(module: str) -> bool:
    return find_spec(module) is not None


def _serve(port: int) -> int:
    """Serve the same command to browsers on this machine only."""
    from textual_serve.server import Server

    words = sys.argv[1:]
    place = next(number for number, word in enumerate(words) if word.split("=")[0] == "--serve")
    left = words[:place] + words[place + (1 if "=" in words[place] else 2) :]
    command = shlex.join([sys.executable, "-m", "rnnshape", *left])
    note(f"open http://{_HOST}:{port} in a browser on this machine; Ctrl-C ends it")
    Server(command, host=_HOST, port=port, title="rnnshape explore").serve()
    return 0
