"""What the real layer shows of a mask: the one that hangs on its output, and its steps where it returns no sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.lab.build import Stack, build
from rnnshape.lab.feed import beside
from rnnshape.lab.tensorflow import load
from rnnshape.layers.bidirectional import directions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from rnnshape.layers.node import Node
    from rnnshape.spec import Spec


def mask_on(result: Any) -> tuple[tuple[bool, ...], ...] | None:
    """The mask that hangs on the first tensor of what a layer returned, row by row over time."""
    import numpy as np

    mask = getattr(load().nest.flatten(result)[0], "_keras_mask", None)
    if mask is None:
        return None
    values = np.asarray(mask)
    if values.ndim < 2:
        return None
    # Of a picture each place has its own; a step counts where any of them does.
    over_time: Any = values.reshape(*values.shape[:2], -1).any(axis=-1)
    return tuple(tuple(map(bool, row)) for row in over_time)


def sequence(spec: Spec, layer: Any, x: Any) -> tuple[np.ndarray[Any, Any], ...] | None:
    """What the last layer would return as a sequence in the order of time: one output, or that of each direction.

    From its steps can be told which of them changed the state, where the layer itself returns only the end.
    """
    if spec.mask is None:
        return None
    node, given = spec.layer, beside(spec)
    if isinstance(layer, Stack):
        place = len(layer.layers) - 1
        node, given, layer = node["layers"][place], layer.beside(place, given), layer.layers[place]
    return tuple(_in_time(*one, x, given) for one in _directions(node, layer, given)) or None


def _directions(node: Node, layer: Any, given: dict[str, Any]) -> Iterator[tuple[Node, Any, Any]]:
    """Each recurrent layer that has no sequence, its real one, and the states that it begins with."""
    states = given.pop("initial_state", None)
    given.pop("training", None)  # what is dropped makes no difference to which steps count
    if node.name == "Bidirectional" and not node["layer"]["return_sequences"]:
        half = None if states is None else len(states) // 2
        ahead, back = directions(node)
        yield ahead, layer.forward_layer, states and states[:half]
        yield back, layer.backward_layer, states and states[half:]
    elif node.cls.kind == "recurrent" and not node["return_sequences"]:
        yield node, layer, states


def _in_time(node: Node, layer: Any, states: Any, x: Any, given: dict[str, Any]) -> np.ndarray[Any, Any]:
    twin = build(node.but(return_sequences=True, return_state=False, stateful=False, zero_output_for_mask=False))
    twin.build(x.shape)
    twin.set_weights(layer.get_weights())
    begun = {} if states is None else {"initial_state": states}
    output: np.ndarray[Any, Any] = twin(x, **given, **begun).numpy()
    return output[:, ::-1] if node["go_backwards"] else output
