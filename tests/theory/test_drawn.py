"""A thousand random layers of the whole table: theory compared with the real layer.

``python -m tests.shared.drawing 5000 --seed 1`` draws more random layers.
"""

from __future__ import annotations

import pytest

from rnnshape.reading.code.expression import parse
from tests.shared.drawing import Drawer, wrong
from tests.shared.sampling import some

CHUNKS, EACH = 20, 50


@pytest.mark.parametrize("chunk", some(range(CHUNKS), CHUNKS, pytest.mark.draws))
def test_theory_says_what_the_real_layer_says(chunk: int) -> None:
    drawer = Drawer(1_000 + chunk)
    specs = [drawer.spec() for _ in range(EACH)]
    disagreements = {spec.layer.text: message for spec in specs if (message := wrong(spec))}
    assert not disagreements


def test_the_canonical_expression_parses_back_to_the_same_layer() -> None:
    drawer = Drawer(7)
    for _ in range(2_000):
        node = drawer.spec().layer
        assert parse(node.text).node == node, node.text


def test_the_draw_reaches_every_class() -> None:
    from rnnshape.layers import TABLE

    drawer = Drawer(8)
    drawn = {part.name for _ in range(1_000) for part in drawer.spec().layer.walk()}
    assert drawn == set(TABLE)
