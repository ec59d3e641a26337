"""Every quirk of docs/keras-quirks.md, as it stands there: a failure says that Keras has changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from rnnshape.layers import quirks
from tests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

TEXT = (ROOT / "docs" / "keras-quirks.md").read_text(encoding="utf-8")
PREAMBLE, *BLOCKS = [
    (heading, block)
    for heading, section in re.findall(r"^#+ (.+?)$(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL)
]


@pytest.mark.parametrize(("quirk", "code"), BLOCKS, ids=[f"{i} {heading}" for i, (heading, _) in enumerate(BLOCKS)])
def test_quirk(quirk: str, code: str) -> None:
    names: dict[str, object] = {}
    exec(PREAMBLE[1], names)  # noqa: S102  the page's own code
    exec(compile(code, f"docs/keras-quirks.md: {quirk}", "exec"), names)  # noqa: S102


def test_theory_points_to_headings_that_are_there() -> None:
    pointed = [value for name, value in vars(quirks).items() if name.isupper() and name not in ("PAGE", "HELP")]
    assert len(pointed) > 5
    assert not [heading for heading in pointed if f"\n## {heading}\n" not in TEXT]


def test_the_package_has_the_page_too(request: pytest.FixtureRequest, run: Callable[..., Ran]) -> None:
    """What a footer names must be there where only the package is; --rewrite-golden copies the page."""
    copy = ROOT / "rnnshape" / "cli" / "topics" / "quirks.txt"
    if request.config.getoption("--rewrite-golden"):
        copy.write_text(TEXT, encoding="utf-8")
    assert run(*quirks.HELP.split()[1:]).out == copy.read_text(encoding="utf-8") == TEXT


def test_a_footer_names_what_an_installed_user_has(run: Callable[..., Ran]) -> None:
    ran = run("lstm", "--masking", "0", "--mask", "right:3,2", "--initial-state", "random", "--predict")
    assert f"Keras bug    {quirks.DROPPED} (rnnshape help quirks)" in ran.out
    assert f"## {quirks.DROPPED}" in run("help", "quirks").out
