"""The calls after the first, and the names of their results in a check.

>>> from rnnshape.reading import make
>>> further(make("lstm", {"stateful": True, "calls": 2}))
('call2', 'layer(x, initial_state=states)', 'after_reset', 'halves')
>>> further(make("lstm", {"dropout": 0.5, "training": True}))
('rebuilt', 'stepped')

Theory has the laws between them; the lab makes the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.release import change
from rnnshape.layers.sequential import takes_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.node import Node
    from rnnshape.spec.spec import Spec

FIRST = "layer(x)"
CARRIED = "layer(x, initial_state=states)"
AFTER_RESET, HALVES, REBUILT, STEPPED = "after_reset", "halves", "rebuilt", "stepped"
OVERRIDES = change(
    "3.0",
    "a passed initial_state overrides the states that a stateful layer keeps; before, only while they are zero",
    "layers/rnn/rnn.py: RNN.call",
)
_DROPPING = ("dropout", "recurrent_dropout", "rate", "stddev")


def further(spec: Spec) -> tuple[str, ...]:
    """The names of the further calls of a Spec, in the order in which they are made."""
    return (*_again(spec), *_trained(spec))


def asks_more(spec: Spec) -> bool:
    """Whether the Spec may have further calls."""
    return spec.calls > 1 or spec.training


def _again(spec: Spec) -> Iterator[str]:
    if spec.calls == 1:
        return
    yield from (f"call{number}" for number in range(2, spec.calls + 1))
    # Two different directions may have different states, which Keras cannot separate in an initial_state.
    alike = not spec.layer.has("backward_layer") or spec.layer["backward_layer"] is None
    if stateful(spec.layer):
        if takes_states(spec.layer) and alike and spec.initial_state is None and OVERRIDES.made:
            yield CARRIED
        if resettable(spec.layer):
            yield AFTER_RESET
    if takes_states(spec.layer) and alike and spec.sizes["T"] > 1:
        yield HALVES


def _trained(spec: Spec) -> Iterator[str]:
    if not spec.training:
        return
    yield REBUILT
    cell = spec.layer["cell"] if spec.layer.has("cell") else spec.layer
    one = spec.layer.cls.kind == "recurrent" and not isinstance(cell, tuple) and not cell.has("cells")
    if one and random(spec) and spec.mask is None and spec.initial_state is None:
        yield STEPPED


def stateful(node: Node) -> bool:
    """Whether a layer inside is stateful."""
    return any(part.has("stateful") and part["stateful"] for part in node.walk())


def resettable(node: Node) -> bool:
    """Whether every stateful layer inside can be reset; Keras cannot reset a layer with stacked cells."""
    return not any(
        part.has("stateful") and part["stateful"] and part.has("cell") and _stacked(part["cell"])
        for part in node.walk()
    )


def _stacked(cell: Node | tuple[Node, ...]) -> bool:
    return isinstance(cell, tuple) or cell.has("cells")


def random(spec: Spec) -> bool:
    """Whether a call draws random numbers, for dropout in training."""
    return spec.training and any(map(drops, spec.layer.walk()))


def drops(node: Node) -> bool:
    """Whether this layer or cell has dropout or noise in training."""
    return any(node.has(name) and node[name] for name in _DROPPING)
