"""The calls after the first: again, after a reset, on two halves, on a rebuilt layer, step by step with the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.lab.build import build, like, made, reset
from rnnshape.lab.execution import run
from rnnshape.lab.feed import beside, handed
from rnnshape.lab.seeds import seeded
from rnnshape.lab.tensorflow import load
from rnnshape.lab.ways import last_of
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.spec.calls import AFTER_RESET, CARRIED, HALVES, REBUILT, STEPPED, further, stateful

if TYPE_CHECKING:
    from rnnshape.spec import Spec


def further_calls(spec: Spec, layer: Any, inputs: tuple[Any, ...], execution: str) -> dict[str, Any]:
    """The result of each further call of the Spec, by its name; the first call was made before."""
    tensorflow = load()
    results: dict[str, Any] = {}
    names = further(spec)
    kept = tensorflow.nest.map_structure(tensorflow.identity, kept_states(layer)) if CARRIED in names else None
    for name in names:
        if name.startswith("call") or name in (AFTER_RESET, CARRIED):
            if name == AFTER_RESET:
                reset(layer)
            more = {"initial_state": kept} if name == CARRIED else {}
            result = run(execution, _with(handed(spec, layer), more), *inputs)
        elif name == HALVES:
            result = _halves(spec, layer, inputs[0], execution)
        elif name == REBUILT:
            with seeded(spec.seed):
                result = run(execution, handed(spec, made(spec)[0]), *inputs)
        else:
            assert name == STEPPED
            result = _stepped(spec, inputs[0])
        results[name] = last_of(layer, result, inputs)
    return results


def other_batch(spec: Spec, layer: Any, inputs: tuple[Any, ...]) -> str | None:
    """The class of the error for one more sample, if a stateful layer rejects it; else None."""
    if spec.calls == 1 or not stateful(spec.layer):
        return None
    tensorflow = load()
    x = tensorflow.concat([inputs[0], inputs[0][:1]], axis=0)
    try:
        layer(x)
    except Exception as error:  # noqa: BLE001  any error is the answer
        return type(error).__name__
    return None


def _with(call: Any, more: dict[str, Any]) -> Any:
    return (lambda *inputs: call(*inputs, **more)) if more else call


def kept_states(layer: Any) -> Any:
    """The states that a stateful layer keeps, nested as in an ``initial_state``."""
    if hasattr(layer, "forward_layer"):
        return [*layer.forward_layer.states, *layer.backward_layer.states]
    return layer.states


def _halves(spec: Spec, layer: Any, x: Any, execution: str) -> Any:
    """Two calls on the halves, in the order of the scan: the outputs concatenated, the states of the second.

    A stateful layer keeps the states between them; for any other layer they are passed.
    """
    tensorflow = load()
    node = spec.layer
    backwards = node.has("go_backwards") and node["go_backwards"]
    keeps = stateful(node)
    again = like(node if keeps else _with_states(node), layer, x)
    at = x.shape[1] // 2
    given = beside(spec)
    masks = _cut(given.pop("mask"), at, backwards) if "mask" in given else (None, None)
    results = []
    for part, mask in zip(_cut(x, at, backwards), masks, strict=True):
        with_mask = given if mask is None else {**given, "mask": mask}
        result = run(execution, _with(again, with_mask), part)
        outputs, states = _parted(result, node, returned=not keeps)
        results.append(outputs)
        if keeps:
            given.pop("initial_state", None)
        else:
            given["initial_state"] = list(states)
    first, second = results
    together = [
        tensorflow.concat([one, other], axis=1) if inner(node)["return_sequences"] else other
        for one, other in zip(first, second, strict=True)
    ]
    return [*together, *(states if inner(node)["return_state"] else ())]


def _cut(tensor: Any, at: int, backwards: bool) -> tuple[Any, Any]:
    first, second = tensor[:, :at], tensor[:, at:]
    return (second, first) if backwards else (first, second)


def _parted(result: Any, node: Any, *, returned: bool) -> tuple[list[Any], tuple[Any, ...]]:
    """The outputs and the states of a result."""
    count = 2 if node.name == "Bidirectional" and node["merge_mode"] is None else 1
    if not (returned or inner(node)["return_state"]):
        return list(result) if count == 2 else [result], ()
    return list(result[:count]), tuple(result[count:])


def inner(node: Any) -> Any:
    """The layer itself; of a Bidirectional, the forward layer."""
    return node["layer"] if node.name == "Bidirectional" else node


def _with_states(node: Any) -> Any:
    if node.name != "Bidirectional":
        return node.but(return_state=True)
    back = node["backward_layer"]
    return node.but(layer=node["layer"].but(return_state=True), backward_layer=back and back.but(return_state=True))


def _stepped(spec: Spec, x: Any) -> Any:
    """The result of a rebuilt layer's cell, called step by step; it keeps the dropout masks of the first step."""
    tensorflow = load()
    node = spec.layer
    with seeded(spec.seed):
        layer = build(node)
        layer.build(x.shape)
    x = tensorflow.cast(x, layer.compute_dtype)
    states = layer.get_initial_state(x) if asked() < KERAS_3 else layer.get_initial_state(batch_size=x.shape[0])
    time = 0 if node.has("time_major") and node["time_major"] else 1
    steps = tensorflow.unstack(x, axis=time)
    outputs = []
    for step in steps[::-1] if node["go_backwards"] else steps:
        output, states = layer.cell(step, states, training=True)
        outputs.append(output)
        states = states if isinstance(states, list | tuple) else [states]
    last = tensorflow.stack(outputs, axis=time) if node["return_sequences"] else outputs[-1]
    return (last, *states) if node["return_state"] else last
