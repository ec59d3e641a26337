"""Observes a mask on the real layer: the mask attached to its output, and the kind of each step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.lab.build import Stack, build
from rnnshape.lab.execution import MASK, attach, run
from rnnshape.lab.feed import beside
from rnnshape.lab.further import inner
from rnnshape.lab.seeds import seeded
from rnnshape.lab.tensorflow import load
from rnnshape.layers.casting import loses_mask
from rnnshape.layers.changes import everywhere, told_apart
from rnnshape.layers.copying import directions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from rnnshape.layers.node import Node
    from rnnshape.spec import Spec


def mask_on(result: Any) -> tuple[tuple[bool, ...], ...] | None:
    """The mask attached to the first tensor of a result, as rows over time; None without one."""
    import numpy as np

    mask = getattr(load().nest.flatten(result)[0], MASK, None)
    if mask is None:
        return None
    values = np.asarray(mask)
    if values.ndim < 2:
        return None
    # An image has a mask value for each pixel; a step is valid if any of them is.
    over_time: Any = values.reshape(*values.shape[:2], -1).any(axis=-1)
    return tuple(tuple(map(bool, row)) for row in over_time)


def witness(spec: Spec, layer: Any, x: Any, execution: str) -> tuple[np.ndarray[Any, Any], ...] | None:
    """The result of a layer like the last one under the same mask, whose values differ from step to step.

    The layer's own values may not differ: an activation returns zeros, weights are zeros, or two steps are equal in 16
    bits.  So the layer is built again with random weights, usual activations and float32, and gets another random input
    of the shape of ``x``, the input of the last layer.  If the layer returns no sequence, each of its directions gives
    one, in the order of time, whose steps show which of them changed the state.  None without a mask, for a graph, and
    where theory has no rule.
    """
    if spec.mask is None or spec.layer.cls.kind == "graph" or spec.layer.without_rule:
        return None
    import numpy as np

    tensorflow = load()
    node, given = spec.layer, beside(spec)
    if isinstance(layer, Stack):
        place = len(layer.layers) - 1
        node, given = node["layers"][place], layer.beside(place, given)
    if node.cls.kind != "recurrent" and node.name != "Bidirectional":
        return None
    given.pop("training", None)  # dropout does not change which steps are valid
    mask = given.pop("mask", None)
    drawn = tensorflow.constant(np.random.default_rng([spec.seed, 2]).random(tuple(x.shape), np.float32))
    attached = None if loses_mask(x.dtype.name, node) else getattr(x, MASK, None)
    tensors = [drawn, attached if mask is None else mask]

    def asked(node: Node, states: Any) -> list[Any]:
        begun = {} if states is None else {"initial_state": states}
        with seeded(spec.seed):
            built = build(everywhere(node, told_apart))

        def call(x: Any, masking: Any) -> Any:
            return built(x, mask=masking, **begun) if mask is not None else built(attach(x, masking), **begun)

        call = partial(call, masking=None) if tensors[1] is None else call
        result = run(execution, call, *(tensor for tensor in tensors if tensor is not None))
        return [np.asarray(tensor) for tensor in tensorflow.nest.flatten(result)]

    states = given.pop("initial_state", None)
    if states is not None:  # Keras 2 does not cast them to the dtype of the layer
        states = tensorflow.nest.map_structure(lambda state: tensorflow.cast(state, "float32"), states)
    if inner(node)["return_sequences"]:
        return tuple(asked(node, states))
    return tuple(_in_time(one, asked(_sequence(one), begun)[0]) for one, begun in _directions(node, states))


def _directions(node: Node, states: Any) -> Iterator[tuple[Node, Any]]:
    """Each recurrent layer and its initial states."""
    if node.name != "Bidirectional":
        yield node, states
        return
    half = None if states is None else len(states) // 2
    ahead, back = directions(node)
    yield ahead, states and states[:half]
    yield back, states and states[half:]


def _sequence(node: Node) -> Node:
    return node.but(return_sequences=True, return_state=False, zero_output_for_mask=False)


def _in_time(node: Node, output: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return output[:, ::-1] if node["go_backwards"] else output
