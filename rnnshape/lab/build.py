"""From a node to the real Keras layer: one function for every class of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.lab.tensorflow import load
from rnnshape.layers.node import Node

if TYPE_CHECKING:
    from collections.abc import Mapping


def build(node: Node) -> Any:
    """The real layer: ``tf.keras.layers.<name>`` with exactly the arguments that were given.

    Only dtype and data_format are always said, so that the user's Keras configuration (``floatx``,
    ``image_data_format``) cannot make the lab disagree with what the expression says.
    """
    if node.cls.kind == "stack":
        return Stack([build(layer) for layer in node["layers"]])
    layers = load().keras.layers
    arguments: Mapping[str, Any] = {"dtype": "float32", **dict(node.given)}
    if node.has("data_format"):
        arguments = {"data_format": "channels_last", **arguments}
    return getattr(layers, node.name)(**{name: _real(value) for name, value in arguments.items()})


class Stack:
    """Real layers called in turn; Keras hands the mask on with the tensor.

    Not ``keras.Sequential``: that builds by static inference, which is wrong for some of the layers
    that are to be looked at here.
    """

    def __init__(self, layers: list[Any]) -> None:
        self.layers = layers

    def __call__(self, x: Any, **first: Any) -> list[Any]:
        """What each layer returns; the last is what the stack returns.  The first gets a mask, if there is one."""
        flow = []
        for layer in self.layers:
            x = layer(x, **first)
            first.pop("mask", None)
            flow.append(x)
        return flow

    @property
    def weights(self) -> list[Any]:
        return [weight for layer in self.layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Any]:
        return [weight for layer in self.layers for weight in layer.trainable_weights]


def _real(value: Any) -> Any:
    if isinstance(value, Node):
        return build(value)
    if isinstance(value, tuple) and value and all(isinstance(item, Node) for item in value):
        return [build(item) for item in value]
    return value
