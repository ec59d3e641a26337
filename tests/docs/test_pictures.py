"""The pictures on the pages are what the tool draws now, and the comparison is what was printed."""

from __future__ import annotations

import asyncio
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from rich.text import Text

from benchmarks.others import RESULT, TOOLS, asked, shown, table
from rnnshape.cli.output import destination
from rnnshape.explorer.app import Explorer
from rnnshape.explorer.status import Status
from rnnshape.explorer.steps import History, read
from rnnshape.render.marks import UNICODE
from tests import ROOT
from tests.shared.pages import DOCS, comparable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

# How each is made, behind ``rnnshape``.
PICTURES = {
    DOCS / "pictures" / "lstm.svg": "lstm --units 8 --return-state --return-sequences --diagram -f svg",
}
SESSION = DOCS / "pictures" / "explorer.svg"
"""The explorer after a few steps, as its page tells them; Textual draws it."""
README = (ROOT / "README.md").read_text(encoding="utf-8")


def drawing(svg: str) -> str:
    """A picture without what differs from machine to machine: versions, distances, and the number in its names."""
    svg = re.sub(r"rnnshape-[0-9a-f]{8}", "rnnshape-N", svg.replace("&#160;", " "))
    svg = re.sub(r"<clipPath.*?</clipPath>|textLength=\"[^\"]*\"", "", svg, flags=re.DOTALL)
    return re.sub(r">\d\.\d+(?:e-\d+)?\s*<", ">0.1<", comparable(svg))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_not_stale(picture: Path, run: Callable[..., Ran], request: pytest.FixtureRequest) -> None:
    """``--rewrite-golden`` draws it anew."""
    ran = run(*shlex.split(PICTURES[picture]))
    assert (ran.code, ran.err) == (0, "")
    if request.config.getoption("--rewrite-golden"):
        picture.write_text(ran.out, encoding="utf-8")
    assert drawing(picture.read_text(encoding="utf-8")) == drawing(ran.out)


def test_every_picture_is_shown_and_drawn_here() -> None:
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    shown_on = {
        (page.parent / link).resolve()
        for page in pages
        for link in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    assert shown_on == {*PICTURES, SESSION} == set((DOCS / "pictures").iterdir())


def test_the_picture_of_the_explorer_is_not_stale(request: pytest.FixtureRequest) -> None:
    """Wrapped in Bidirectional, with its states, two steps masked, and the strip looked at; ``--rewrite-golden`` draws it."""
    app = Explorer(
        History(read("LSTM(8, return_sequences=True)", {})), opened=destination, marks=UNICODE, verifier=None
    )

    async def session() -> str:
        async with app.run_test(size=(120, 34)) as pilot:
            for field in ("return_state", "go_backwards", "go_backwards"):
                app.query_one(f"#at-{field}").focus()
                await pilot.press("space")
            await pilot.press("f2")
            app.query_one("MaskGrid").focus()
            await pilot.press("right", "right", "space", "f8", "f8", "f8")
            await pilot.pause()
            # Under load a prediction takes more than 9.9 ms, and a longer number moves what follows it.
            status = app.query_one(Status)
            status.theory = Text("theory in 1.0 ms")
            status._draw()
            await pilot.pause()
            return app.export_screenshot(title="rnnshape explore")

    now = re.sub(r"terminal-\d+", "terminal", asyncio.run(session()))
    if request.config.getoption("--rewrite-golden"):
        SESSION.write_text(now, encoding="utf-8")
    assert drawing(SESSION.read_text(encoding="utf-8")) == drawing(now)


@pytest.mark.parametrize("command", PICTURES.values())
def test_the_page_says_how_its_picture_is_made(command: str) -> None:
    assert f"`rnnshape {command}`" in README.replace("\n", " ")


def test_a_stale_picture_is_seen() -> None:
    (picture, *_) = PICTURES
    now = picture.read_text(encoding="utf-8")
    assert drawing(now.replace("0.27", "0.31")) == drawing(now)
    for said, other in (("state_h", "state_g"), ("(N, T, H)", "(N, H, T)"), ("#1c2430", "#1c2431"), ("✓", "✗")):
        assert said in now.replace("&#160;", " ")
        assert drawing(now.replace("&#160;", " ").replace(said, other)) != drawing(now)


# Beside other tools


def test_the_comparison_is_what_was_printed() -> None:
    """The table of the README stands in the file that the script wrote, row for row."""
    printed = [line for line in RESULT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert len(printed) == len(TOOLS) + 2
    assert "\n".join(printed) in README


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnnshape", "rnnshape (--predict)", "keras summary"])
def test_a_row_of_the_comparison_is_so_today(name: str) -> None:
    """Those whose framework is here are asked again."""
    row = table({name: asked(name)}).splitlines()[-1]
    assert row in RESULT.read_text(encoding="utf-8").splitlines()


def test_a_tool_that_is_missing_or_shows_less_is_told() -> None:
    assert shown("Output Shape [2, 3, 16]", [(2, 3, 16), (2, 8), (2, 8)]) == "1 of 3"
    assert shown("nothing", [(2, 8)]) == "0 of 1"
    with pytest.raises(RuntimeError, match="KeyError: 'torchinfoo'"):
        asked("torchinfoo")
