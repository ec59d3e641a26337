"""Finds the call of a graph that fails, the reason, and the smallest fix, in the code's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.layers.base import Given, Leaf, flat
from rnnshape.layers.entries import begin
from rnnshape.layers.node import IMPORTED
from rnnshape.layers.sequential import loop_of
from rnnshape.layers.several import every_dims, shown
from rnnshape.layers.wires import in_order

if TYPE_CHECKING:
    from rnnshape.layers.base import Answer, Dims
    from rnnshape.layers.flowing import Flowing
    from rnnshape.layers.node import Node
    from rnnshape.layers.wires import Call, Graph, Wire


def check_input(node: Node, dims: Dims) -> str | None:
    """The call that fails, and what must change; None if all work."""
    graph: Graph = node["graph"]
    flowing = begin(graph, Given(dims, "float32"))
    if (broken := first_broken(flowing)) is not None:
        return f"{graph.statement(broken[0])}: {broken[1]}"
    if any(call.name not in flowing.tensors for call in graph.calls):
        return None
    return next((f"Model(…): {wrong}" for wire in graph.returned if (wrong := _not_single(flowing, wire))), None)


def first_broken(flowing: Flowing) -> tuple[Call, str] | None:
    """The first call that Keras rejects, and the reason; ``flowing`` then has the results of the calls before it."""
    for call in flowing.graph.calls:
        if wrong := _call_error(flowing, call):
            return call, wrong
        if call.name not in flowing.tensors:
            return None  # theory has no rule for it
    return None


def _call_error(flowing: Flowing, call: Call) -> str | None:
    """Why Keras rejects a call, and what must change; if it does not, the result is added to ``flowing``."""
    layer = flowing.graph.by_name[call.layer]
    handed = list(in_order(call.initial_state)) if call.initial_state is not None else []
    for wire in (*call.inputs, *handed):
        if wrong := _not_single(flowing, wire):
            return wrong
    own = flowing.reaching(call)
    if wrong := _input_error(flowing.graph, call, layer, own):
        return wrong
    if layer.without_rule:
        return None
    answer = flowing.answer(call, own)
    if wrong := _rebuilt(flowing, call, layer, own, answer):
        return wrong
    if handed and (wrong := _state_error(flowing, call, flat(answer.begins), handed)):
        return wrong
    begins = [answer.begins] if isinstance(answer.begins, Leaf) else answer.begins  # a GRUCell of Keras 2 takes both
    if handed and not _same_nesting(call.initial_state, begins):
        return f"{call.layer} takes its states as {_written(begins)}: pass them in these lists"
    flowing.add(call, answer)
    return None


def _rebuilt(flowing: Flowing, call: Call, layer: Node, own: Given, answer: Answer) -> str | None:
    """Why a shared layer cannot be called again: its weights fit only the input of its first call.

    Attention and PReLU broadcast a size of 1, others do not (tried in Keras 3.15.1 with each layer that has weights).
    """
    first, built = flowing.built.setdefault(call.layer, (call, answer.weights))
    for one, other in zip(built, answer.weights, strict=False):
        for has, needs in zip(one.shape, other.shape, strict=False):
            broadcast = 1 in (has, needs) and (layer.cls.kind == "merge" or layer.name == "PReLU")
            if has != needs and not broadcast:
                sizes, made = tuple(dim.size for dim in own.dims), flowing.graph.statement(first)
                return (
                    f"{call.layer} has a {one.name} of {one.shape} from its first call, {made}, and {sizes} needs "
                    f"{other.shape}: call it on tensors of one width, or make a second layer"
                )
    return None


def _not_single(flowing: Flowing, wire: Wire) -> str | None:
    """Why a wire does not carry a single tensor; None if it does."""
    returned, whole = flowing.tensors[wire.source], flowing.tensors[wire.source]
    word = flowing.graph.word(wire)
    for index in wire.path:
        if isinstance(returned, Leaf) or index >= len(returned):
            return f"{word} does not exist: {wire.source} returns {_counted(whole)}" + _without_states(flowing, wire)
        returned = returned[index]
    if isinstance(returned, Leaf):
        return None
    return f"{wire.source} returns {_counted(returned)}, but one is needed here: use one of them, {wire.source}(…)[0]"


def _counted(returned: Any) -> str:
    leaves = flat(returned)
    return f"{len(leaves)} value{'s' * (len(leaves) != 1)} ({', '.join(leaf.role for leaf in leaves)})"


def _without_states(flowing: Flowing, wire: Wire) -> str:
    """The advice to return the states, if the layer does not."""
    call = next((one for one in flowing.graph.calls if one.name == wire.source), None)
    loop = call and loop_of(flowing.graph.by_name[call.layer])
    return f": give {call.layer} `return_state=True`" if call and loop and not loop["return_state"] else ""


def _input_error(graph: Graph, call: Call, layer: Node, own: Given) -> str | None:
    inputs = every_dims(own)
    if len(inputs) > 1 or layer.cls.kind == "merge":
        if layer.cls.kind == IMPORTED:
            return None
        if layer.cls.kind != "merge":
            return f"{layer.name} takes one input, but it gets {len(inputs)}"
        return layer.cls.check_inputs(layer, inputs)
    wanted = layer.cls.letters(layer, len(own.dims))
    if len(wanted) != len(own.dims):
        has = ", ".join(dim.letter for dim in own.dims)
        text = f"{layer.name} needs ({', '.join(layer.cls.letters(layer, None))}) but its input is ({has})"
        before = next((one for one in graph.calls if one.name == call.inputs[0].source), None)
        loop = before and loop_of(graph.by_name[before.layer])
        if before and loop and not loop["return_sequences"] and len(wanted) > len(own.dims):
            return f"{text}: give {before.layer} `return_sequences=True`"
        return text
    return layer.cls.check_input(layer, own.dims)


def _state_error(flowing: Flowing, call: Call, wanted: list[Leaf], handed: list[Wire]) -> str | None:
    """Why the states do not fit: their number, their order or their width."""
    graph = flowing.graph
    if not wanted:
        return f"{call.layer} takes no initial_state: only a recurrent layer does"
    if len(handed) != len(wanted):
        names, are = ", ".join(leaf.role for leaf in wanted), "state is" if len(handed) == 1 else "states are"
        return f"{len(handed)} {are} passed, and {call.layer} takes {len(wanted)} ({names})"
    inputs = {entry.name for entry in graph.entries}
    for wire, want in zip(handed, wanted, strict=True):
        leaf, word = flowing.at(wire), graph.word(wire)
        # The name of an input does not tell which state it is.
        kinds = {leaf.role[-2:], want.role[-2:]} if wire.source not in inputs else set()
        if kinds == {"_h", "_c"}:
            return f"{word} is the {leaf.role} of {wire.source}, in the place of {want.role}: h, then c"
        if tuple(dim.size for dim in leaf.dims) != tuple(dim.size for dim in want.dims):
            needs = f"the {want.role} of {call.layer} must be {shown(want.dims)}"
            return f"{word} is {shown(leaf.dims)}, and {needs}" + _units(graph, call, leaf)
    return None


def _same_nesting(handed: Any, wanted: Any) -> bool:
    """Whether states are nested as the layer takes them; a single state may be in a list or not."""
    if isinstance(handed, tuple) and isinstance(wanted, list | tuple):
        return len(handed) == len(wanted) and all(map(_same_nesting, handed, wanted))
    return not isinstance(handed, tuple) if isinstance(wanted, Leaf) else len(wanted) == 1


def _written(wanted: Any) -> str:
    return wanted.role if isinstance(wanted, Leaf) else f"[{', '.join(map(_written, wanted))}]"


def _units(graph: Graph, call: Call, leaf: Leaf) -> str:
    """The smallest fix: the units of the layer that starts from the states."""
    layer = graph.by_name[call.layer]
    return f": give {call.layer} units={leaf.dims[-1].size}" if layer.has("units") and len(leaf.dims) == 2 else ""
