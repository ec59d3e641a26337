"""What the tests share: a way to run the command line in this process, and golden views."""

from __future__ import annotations

import compileall
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

# Before Typer is imported: with GITHUB_ACTIONS set it would colour what it writes into a pipe.
os.environ["TERM"] = "dumb"
os.environ.pop("GITHUB_ACTIONS", None)
os.environ.pop("FORCE_COLOR", None)


# The hundreds of processes that the tests start need not compile the package each.
compileall.compile_dir(Path(__file__).parent.parent / "rnnshape", quiet=1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write what is seen as what is expected")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run ``rnnshape`` with these arguments in this process, where TensorFlow is loaded once."""
    from rnnshape.cli import main

    def run_(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["rnnshape", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 1
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run_


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of this name in ``golden`` beside the test; ``--rewrite-golden`` writes it there."""

    def compare(name: str, text: str) -> None:
        path = request.path.parent / "golden" / name
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; --rewrite-golden if it should"

    return compare
