"""The calls of a program that belong together, and those that are part of a model."""

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
    """What the text makes, with the calls of a model that was called again where something else needs them."""
    there = {id(one) for one in made}
    found: list[Layer | Model | Applied] = []
    for one in made:
        left = [(call, False) for call in _needed(one)]
        while left:
            call, follows = left.pop()
            if follows:  # what it needs stands before it
                found.append(call)
            elif id(call) not in there:
                there.add(id(call))
                left += [(call, True), *((other, False) for other in _needed(call))]
        found.append(one)
    return found


def _needed(made: Layer | Model | Applied) -> list[Applied]:
    """The calls that a call takes the results of."""
    tensors = (*made.inputs, *tensors_in(made.states)) if isinstance(made, Applied) else ()
    return [tensor.call for tensor in tensors if tensor.call is not None]


def groups(calls: list[Applied], outputs: list[list[Tensor]]) -> list[list[Applied]]:
    """The calls that belong together: by a tensor, by the model that returns them, or by a layer that they share.

    Two models that share only a layer are two answers.
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
    """The calls without those that a model made after them leaves out, as Keras does; a recurrent layer stays.

    The weights of such a layer are counted, which Keras' model does not do.
    """
    returned = [tensor for tensors in values.outputs for tensor in tensors if tensor.call in calls]
    if not returned:
        return calls
    used = behind(returned)
    needed = behind([*returned, *(Tensor(call=call) for call in calls if loops(call.node))])
    unused = [call for call in calls if id(call) in values.modelled - used]
    left_out = [call for call in unused if id(call) not in needed]
    for call in (call for call in unused if call in left_out or loops(call.node)):
        counted = "" if call in left_out else "; it is answered here, and its weights are counted"
        values.note(
            f"{call.node.text} is not part of the model: what the model returns does not use it{counted}", call.tree
        )
    return [call for call in calls if call not in left_out]


def loops(node: Node) -> bool:
    return any(part.cls.kind in ("recurrent", "cell", IMPORTED) for part in node.walk())


def is_chain(calls: list[Applied]) -> bool:
    """Whether each call takes the whole of the one before and nothing else, each layer once."""
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
