"""The pages show what the commands print: each ``$ rnnshape …`` is run and its output compared.

``--rewrite-golden`` writes what is printed into the page.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "docs" / "cost.md"]
_BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_is_printed(page: Path, run: Callable[..., Ran], request: pytest.FixtureRequest) -> None:
    text = page.read_text(encoding="utf-8")
    printed = _BLOCK.sub(lambda found: found[1] + _run(found[2], run) + found[3], text)
    if request.config.getoption("--rewrite-golden"):
        page.write_text(printed, encoding="utf-8")
    assert _comparable(page.read_text(encoding="utf-8")) == _comparable(printed)


def _run(block: str, run: Callable[..., Ran]) -> str:
    answers = []
    for line in block.splitlines():
        if line.startswith("$ rnnshape "):
            ran = run(*shlex.split(line)[2:])
            answers.append(f"{line}\n{ran.out}{ran.err}")
    return "\n".join(answers)


def _comparable(text: str) -> str:
    """Without what differs from machine to machine: versions, and the last digits of a distance."""
    text = re.sub(r"TensorFlow \S+, Keras \S+", "TensorFlow X, Keras Y", text)
    text = re.sub(r"When Keras \S+ uses", "When Keras Y uses", text)
    text = re.sub(r"\b(CPU|GPU):0\b", "DEVICE", text)
    return re.sub(r"│ 0\.\d+ +│", "│ 0.1 │", text)
