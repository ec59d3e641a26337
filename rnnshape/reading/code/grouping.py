"""Groups the calls of a program that belong together, and leaves out those that no model uses."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnshape.layers.node import IMPORTED
from rnnshape.layers.sequential import takes_states
from rnnshape.reading.code.made import Applied, Functional, Layer, Model, Tensor, behind, tensors_in
from rnnshape.reading.code.tensors import makes
from rnnshape.spec.options import INITIAL_STATE

if TYPE_CHECKING:
    from rnnshape.layers import Node
    from rnnshape.reading.code.values import Values


class Wired(NamedTuple):
    """The calls of one answer, and its outputs in their containers; None if these are the result of the last call."""

    calls: list[Applied]
    outputs: Any
    name: str | None


def complete(made: list[Layer | Model | Applied]) -> list[Layer | Model | Applied]:
    """The layers, models and calls of the code, with removed calls of a model if another call uses their results."""
    there = {id(one) for one in made}
    found: list[Layer | Model | Applied] = []
    for one in made:
        left = [(call, False) for call in _needed(one)]
        while left:
            call, follows = left.pop()
            if follows:  # the calls that it uses are in the list now
                found.append(call)
            elif id(call) not in there:
                there.add(id(call))
                left += [(call, True), *((other, False) for other in _needed(call))]
        found.append(one)
    return found


def _needed(made: Layer | Model | Applied) -> list[Applied]:
    """The calls whose results a call uses."""
    tensors = (*made.inputs, *tensors_in(made.states)) if isinstance(made, Applied) else ()
    return [tensor.call for tensor in tensors if tensor.call is not None]


def groups(calls: list[Applied], models: list[Functional]) -> list[list[Applied]]:
    """The calls in groups that share a tensor, a model that returns them, or a layer.

    Two models that share only a layer are two groups.
    """
    in_a_model = behind([tensor for model in models for tensor in model.returned])
    groups: list[tuple[set[int], list[Applied]]] = []
    for call in calls:
        returned_by = (model for model in models if any(tensor.call is call for tensor in model.returned))
        keys = {id(call), *map(id, returned_by)}
        if id(call) not in in_a_model:
            keys.add(id(call.layer))
        for tensor in (*call.inputs, *tensors_in(call.states)):
            keys.add(id(tensor.call) if tensor.call is not None else id(tensor))
        joined = [group for group in groups if group[0] & keys]
        merged = set(keys).union(*(group[0] for group in joined))
        members = [one for group in joined for one in group[1]]
        groups = [group for group in groups if group not in joined]
        groups.append((merged, sorted([*members, call], key=calls.index)))
    return [members for _, members in groups]


def in_models(calls: list[Applied], values: Values) -> list[Applied]:
    """The calls without those that a later model does not use, as in Keras; those of recurrent layers are kept.

    The weights of such a recurrent layer are counted, unlike in the model of Keras.
    """
    returned = [tensor for model in values.models for tensor in model.returned if tensor.call in calls]
    if not returned:
        return calls
    used = behind(returned)
    unused = [call for call in calls if id(call) in values.modelled - used]
    # What is called after the model needs its inputs: a loss that takes a layer's output.
    kept = [call for call in calls if call not in unused or loops(call.node)]
    needed = behind([*returned, *(Tensor(call=call) for call in kept)])
    left_out = [call for call in unused if id(call) not in needed]
    for call in unused:
        # The terms of a loss are not layers; a kept layer before a recurrent one needs no note of its own.
        if call.node.cls.operation or not (call in left_out or loops(call.node)):
            continue
        counted = "" if call in left_out else "; it is answered here, and its weights are counted"
        values.note(f"{call.node.text} is not part of the model: no output of the model uses it{counted}", call.tree)
    return [call for call in calls if call not in left_out]


def by_model(calls: list[Applied], values: Values) -> list[Wired]:
    """Calls as one answer; with several models, one for each model, and one for the calls that no model needs.

    If all calls are those of a model that is called again, the answer has its outputs.
    """
    models = values.models
    if again := [model for model in values.called_models if [*map(id, model.calls)] == [*map(id, calls)]]:
        models = again
    returning: dict[tuple[Any, ...], Functional] = {}
    for model in models:
        if any(tensor.call in calls for tensor in model.returned):
            returning.setdefault(tuple((id(tensor.call), tensor.path) for tensor in model.returned), model)
    if len(returning) < 2:
        return [Wired(calls, _outputs(calls, *returning.values()), None)]
    parts = [(behind(model.returned), model) for model in returning.values()]
    found = []
    for needed, model in parts:
        own = [call for call in calls if id(call) in needed]
        found.append(Wired(own, _outputs(own, model), model.name))
    in_models = set().union(*(needed for needed, _ in parts))
    others = behind([Tensor(call=call) for call in calls if id(call) not in in_models and loops(call.node)])
    return [*found, Wired([call for call in calls if id(call) in others], None, None)] if others else found


def _outputs(calls: list[Applied], model: Functional | None = None) -> Any:
    """The outputs of the model of these calls; None without a model, or if they are the result of the last call."""
    fed = [tensor for call in calls for tensor in call.inputs if tensor.call is None]
    if model is None or not all(tensor.call in calls or tensor in fed for tensor in model.returned):
        return None
    return None if _is_result(model.outputs, calls[-1]) else model.outputs


def _is_result(outputs: Tensor | list[Any] | tuple[Any, ...], call: Applied) -> bool:
    """Whether outputs are the whole result of a call, in its container."""
    if isinstance(outputs, Tensor):
        return outputs.call is call and not outputs.path
    paths = [one.path for one in outputs if isinstance(one, Tensor) and one.call is call]
    whole = [(index,) for index in range(len(call.results))]
    return type(outputs) is call.container and not any(call.nested) and paths == whole and len(paths) == len(outputs)


def is_chain(calls: list[Applied]) -> bool:
    """Whether each call takes only the whole result of the call before, and no layer is called twice."""
    before: Applied | None = None
    if any(call.node.cls.operation for call in calls):
        return False
    several = sum(takes_states(layer) for call in calls for layer in call.node.in_turn) > 1
    if several and any(INITIAL_STATE.name in call.called.spans for call in calls):
        return False  # a stack does not say which of its layers gets the states
    for call in calls:
        (tensor, *others) = call.inputs
        follows = tensor.call is before and not tensor.path
        if others or not follows or any(state.call is not None or _made(state) for state in tensors_in(call.states)):
            return False
        before = call
    return len({id(call.layer) for call in calls}) == len(calls)


def _made(tensor: Tensor) -> bool:
    return isinstance(tensor.root, ast.Call) and makes(tensor.root)


def loops(node: Node) -> bool:
    return any(part.cls.kind in ("recurrent", "cell", IMPORTED) for part in node.walk())
