"""A narrow terminal: no text is cut."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

import rnnshape
from rnnshape.audit import audited, lattice
from rnnshape.batch import rows
from rnnshape.render import View
from rnnshape.render.audit import parts
from rnnshape.render.marks import UNICODE
from rnnshape.render.table import draw
from rnnshape.render.terminal import THEME
from rnnshape.report.rows import Tally
from rnnshape.structure import leaves

LAYERS = (
    ("bidirectional", {"return_sequences": True, "return_state": True}),
    ("RNN([LSTMCell(4), GRUCell(6)], return_state=True)", {}),
    ("lstm", {"return_sequences": True, "masking": -1}),
    ("Embedding(100, 4, mask_zero=True) | LSTM(8)", {}),
)


def seen(layer: str, options: dict[str, object], width: int) -> str:
    report = rnnshape.predict(layer, mask="right:3,2", **options)
    with io.StringIO() as stream:
        Console(file=stream, width=width, theme=THEME, highlight=False, markup=False).print(draw(report, View()))
        return stream.getvalue()


@pytest.mark.parametrize(("layer", "options"), LAYERS)
@pytest.mark.parametrize("width", [140, 80, 60, 40])
def test_a_role_is_not_broken(layer: str, options: dict[str, object], width: int) -> None:
    text = seen(layer, options, width)
    for tensor in leaves(rnnshape.predict(layer, **options).structure):
        assert re.search(rf"│ {tensor.role} +│|^  role {tensor.role},", text, re.MULTILINE)


@pytest.mark.parametrize(("layer", "options"), LAYERS)
@pytest.mark.parametrize("width", [140, 80, 60, 40, 24])
def test_the_title_of_a_strip_is_not_cut(layer: str, options: dict[str, object], width: int) -> None:
    """The title is longer than the table is wide."""
    text = " ".join(seen(layer, options, width).split())
    assert re.search(r"Mask by time step, (passed as mask=|from \S.*?) [╭│]", text)


def test_a_strip_without_signs_has_no_legend() -> None:
    """Keras rejects this layer, so its steps are unknown."""
    lines = seen("TimeDistributed(LSTM(4))", {}, 80).splitlines()
    (end,) = [at for at, line in enumerate(lines) if line.startswith("cuDNN")]
    assert [line.strip() for line in lines[end - 2 : end]] == ["╰────────┴─────────────┴───────╯", ""]


@pytest.mark.parametrize("width", [120, 80, 60, 40])
def test_an_audit_breaks_no_name(width: int) -> None:
    asked = lattice([cls for cls in audited() if cls.name == "LSTMCell"])
    tally = Tally(rows(asked, predict=True))
    with io.StringIO() as stream:
        Console(file=stream, width=width, theme=THEME, highlight=False, markup=False).print(
            *parts(tally, UNICODE), sep="\n"
        )
        text = stream.getvalue()
    for name in (
        "recurrent_activation=relu",
        "unit_forget_bias=False",
        "dtype=mixed_bfloat16",
        "initial_state=random",
        "both reject",
    ):
        assert name in text
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize(("layer", "options"), LAYERS)
@pytest.mark.parametrize("width", [80, 60, 40])
def test_no_word_is_broken(layer: str, options: dict[str, object], width: int) -> None:
    """Also in the tables of weights, costs and rules."""
    report = rnnshape.predict(layer, **options)
    shown = []
    for columns in (300, width):
        with io.StringIO() as stream:
            console = Console(file=stream, width=columns, theme=THEME, highlight=False, markup=False)
            console.print(draw(report, View(weights=True, cost=True, cudnn=True)))
            shown.append(stream.getvalue())
    wide, narrow = shown
    # A list has no header for the first column.
    heads = {"access", "name", "check", "rule", "formula"}
    assert {word for word in wide.split() if re.fullmatch(r"[\w=.'\[\]]{4,}", word) and word not in narrow} <= heads
