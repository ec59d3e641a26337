"""Groups the calls of a program that belong together, and leaves out those that no model uses."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnshape.layers.node import IMPORTED
from rnnshape.reading.code.made import Applied, Layer, Model, Tensor, behind, tensors_in
from rnnshape.reading.code.tensors import makes

if TYPE_CHECKING:
    from rnnshape.layers import Node
    from rnnshape.reading.code.values import Values


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


def groups(calls: list[Applied], outputs: list[list[Tensor]]) -> list[list[Applied]]:
    """The calls in groups that share a tensor, a model that returns them, or a layer.

    Two models that share only a layer are two groups.
    """
    in_a_model = behind([tensor for tensors in outputs for tensor in tensors])
    groups: list[tuple[set[int], list[Applied]]] = []
    for call in calls:
        returned = (tensors for tensors in outputs if any(tensor.call is call for tensor in tensors))
        keys = {id(call), *map(id, returned)}
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
    returned = [tensor for tensors in values.outputs for tensor in tensors if tensor.call in calls]
    if not returned:
        return calls
    used = behind(returned)
    needed = behind([*returned, *(Tensor(call=call) for call in calls if loops(call.node))])
    unused = [call for call in calls if id(call) in values.modelled - used]
    left_out = [call for call in unused if id(call) not in needed]
    for call in unused:
        counted = "" if call in left_out else "; it is answered here, and its weights are counted"
        values.note(f"{call.node.text} is not part of the model: no output of the model uses it{counted}", call.tree)
    return [call for call in calls if call not in left_out]


def loops(node: Node) -> bool:
    return any(part.cls.kind in ("recurrent", "cell", IMPORTED) for part in node.walk())


def is_chain(calls: list[Applied]) -> bool:
    """Whether each call takes only the whole result of the call before, and no layer is called twice."""
    before: Applied | None = None
    if any(call.node.cls.operation for call in calls):
        return False
    for call in calls:
        (tensor, *others) = call.inputs
        follows = tensor.call is before and not tensor.path
        if others or not follows or any(state.call is not None or _made(state) for state in tensors_in(call.states)):
            return False
        before = call
    return len({id(call.layer) for call in calls}) == len(calls)


def _made(tensor: Tensor) -> bool:
    return isinstance(tensor.root, ast.Call) and makes(tensor.root)
