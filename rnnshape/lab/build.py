"""From a node to the real Keras layer: one function for every class of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.lab.tensorflow import load
from rnnshape.layers.node import Node
from rnnshape.layers.sequential import takes_states

if TYPE_CHECKING:
    from collections.abc import Mapping


def build(node: Node) -> Any:
    """The real layer: ``tf.keras.layers.<name>`` with exactly the arguments that were given.

    Only dtype and data_format are always said, so that the user's Keras configuration (``floatx``,
    ``image_data_format``) cannot make the lab disagree with what the expression says.
    """
    if node.cls.kind == "stack":
        begun = [takes_states(layer) for layer in node["layers"]]
        return Stack([build(layer) for layer in node["layers"]], begun.index(True) if any(begun) else None)
    layers = load().keras.layers
    arguments: Mapping[str, Any] = {"dtype": "float32", **dict(node.given)}
    if node.has("data_format"):
        arguments = {"data_format": "channels_last", **arguments}
    return getattr(layers, node.name)(**{name: _real(value) for name, value in arguments.items()})


class Stack:
    """Real layers called in turn; Keras hands the mask on with the tensor.

    Not ``keras.Sequential``: that builds by static inference, which is wrong for some of the layers
    that are to be looked at here.  ``begun`` is the place of the layer that an ``initial_state`` goes to.
    """

    def __init__(self, layers: list[Any], begun: int | None = None) -> None:
        self.layers = layers
        self.begun = begun

    def __call__(self, x: Any, **beside: Any) -> list[Any]:
        """What each layer returns; the last is what the stack returns."""
        flow = []
        for place, layer in enumerate(self.layers):
            x = layer(x, **self.beside(place, beside))
            flow.append(x)
        return flow

    def beside(self, place: int, given: Mapping[str, Any]) -> dict[str, Any]:
        """What of all that is handed in goes to this layer: the mask to the first, ``training`` to all."""
        takes = {"mask": place == 0, "initial_state": place == self.begun, "training": True}
        return {name: value for name, value in given.items() if takes[name]}

    def reset_state(self) -> None:
        """Let every stateful layer begin anew."""
        for layer in self.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()

    @property
    def weights(self) -> list[Any]:
        return [weight for layer in self.layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Any]:
        return [weight for layer in self.layers for weight in layer.trainable_weights]


def _real(value: Any) -> Any:
    if isinstance(value, Node):
        return load().keras.Sequential(_real(value["layers"])) if value.cls.kind == "stack" else build(value)
    if isinstance(value, tuple) and value and all(isinstance(item, Node) for item in value):
        return [_real(item) for item in value]
    return value
