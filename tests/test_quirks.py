"""Every quirk of docs/keras-quirks.md, as it stands there: a failure says that Keras has changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnnshape.layers import quirks

TEXT = (Path(__file__).parent.parent / "docs" / "keras-quirks.md").read_text(encoding="utf-8")
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
    pointed = [value for name, value in vars(quirks).items() if name.isupper() and name != "PAGE"]
    assert len(pointed) > 5
    assert not [heading for heading in pointed if f"\n## {heading}\n" not in TEXT]
