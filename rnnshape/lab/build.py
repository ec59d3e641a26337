"""From a node to the real Keras layer: one function for every class of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.lab.tensorflow import load
from rnnshape.layers.node import Node

if TYPE_CHECKING:
    from collections.abc import Mapping


def build(node: Node) -> Any:
    """The real layer: ``tf.keras.layers.<name>`` with exactly the arguments that were given.

    Only the dtype is always said, so that a ``floatx`` set in the user's Keras configuration cannot
    make the lab disagree with what the expression says.
    """
    layers = load().keras.layers
    arguments: Mapping[str, Any] = {"dtype": "float32", **dict(node.given)}
    return getattr(layers, node.name)(**{name: _real(value) for name, value in arguments.items()})


def _real(value: Any) -> Any:
    if isinstance(value, Node):
        return build(value)
    if isinstance(value, tuple) and value and all(isinstance(item, Node) for item in value):
        return [build(item) for item in value]
    return value
