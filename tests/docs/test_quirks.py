"""Every quirk of docs/keras-quirks.md, as it stands there: a failure says that Keras has changed.

The line before a block says in which releases it holds; in the others it must fail.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from rnnshape.layers import quirks
from rnnshape.layers.release import OLDEST, asked, dotted, numbers
from tests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Ran

TEXT = (ROOT / "docs" / "keras-quirks.md").read_text(encoding="utf-8")
PREAMBLE, *BLOCKS = [
    (heading, line, block)
    for heading, section in re.findall(r"^#+ (.+?)$(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    for line, block in re.findall(r"^(.*)\n\n```python\n((?:.|\n)*?)```", section, re.MULTILINE)
]
SPANS = (
    r"In every release()()",
    r"From Keras (3\.\d+) on()",
    r"From Keras (3\.\d+) to (3\.\d+)",
    r"Up to Keras ()(3\.\d+)",
)


def holds(line: str) -> bool:
    """Whether the release that is installed is one of those that the line before a block names."""
    for span in SPANS:
        if said := re.fullmatch(rf"\*{span}:\*", line):
            first, last = (numbers(part) if part else bound for part, bound in zip(said.groups(), BOUNDS, strict=True))
            return first <= asked()[:2] <= last
    raise AssertionError(f"docs/keras-quirks.md: {line!r} does not say which releases have it")


BOUNDS = (OLDEST, asked()[:2])


@pytest.fixture
def scopes() -> Iterator[None]:
    """Close the scopes of names after a block.

    If TensorFlow rejects the name of a layer, Keras leaves its scope open; variables of later tests would be in it.
    """
    yield
    import_module("keras.src.backend.common.global_state").set_global_attribute("name_scope_stack", None)


@pytest.mark.parametrize(
    ("quirk", "line", "code"), BLOCKS, ids=[f"{i} {heading}" for i, (heading, *_) in enumerate(BLOCKS)]
)
@pytest.mark.usefixtures("scopes")
@pytest.mark.filterwarnings("ignore:Layer '.*' .of type EinsumDense:UserWarning")  # of MultiHeadAttention, before 3.7
def test_quirk(quirk: str, line: str, code: str) -> None:
    names: dict[str, object] = {}
    exec(PREAMBLE[2], names)  # noqa: S102  the page's own code
    block = compile(code, f"docs/keras-quirks.md: {quirk}", "exec")
    if holds(line):
        exec(block, names)  # noqa: S102
        return
    with pytest.raises(Exception):  # noqa: B017, PT011  whatever it is that is otherwise there
        exec(block, names)  # noqa: S102


def test_a_release_is_within_the_span_of_a_line_or_not() -> None:
    newest = asked()[:2]
    before, after = (dotted((3, newest[1] + step)) for step in (-1, 1))
    assert holds("*In every release:*")
    assert holds(f"*From Keras {dotted(newest)} on:*")
    assert not holds(f"*From Keras {after} on:*")
    assert not holds(f"*Up to Keras {before}:*")
    assert holds(f"*From Keras {before} to {after}:*")
    with pytest.raises(AssertionError, match="which releases"):
        holds("Often.")


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
