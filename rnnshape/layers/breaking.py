"""Which call of a graph breaks, why, and the smallest change that mends it; in the code's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.layers.base import Given, Leaf, flat
from rnnshape.layers.flowing import Flowing, in_order
from rnnshape.layers.node import IMPORTED

if TYPE_CHECKING:
    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import Node
    from rnnshape.layers.wires import Call, Graph, Wire


def check_input(node: Node, dims: Dims) -> str | None:
    """Which call breaks, and what must change."""
    graph: Graph = node["graph"]
    flowing = Flowing(graph, Given(dims, "float32"))
    if (broken := first_broken(flowing)) is not None:
        return f"{graph.statement(broken[0])}: {broken[1]}"
    if any(call.name not in flowing.tensors for call in graph.calls):
        return None
    return next((f"Model(…): {wrong}" for wire in graph.outputs if (wrong := _alone(flowing, wire))), None)


def first_broken(flowing: Flowing) -> tuple[Call, str] | None:
    """The first call that Keras cannot make, and why; what is before it has flowed."""
    for call in flowing.graph.calls:
        if wrong := _breaks(flowing, call):
            return call, wrong
        if call.name not in flowing.tensors:
            return None  # theory has no rule for it
    return None


def _breaks(flowing: Flowing, call: Call) -> str | None:
    """Why Keras cannot make a call, and what must change; where it can, its result flows on."""
    layer = flowing.graph.by_name[call.layer]
    handed = list(in_order(call.initial_state)) if call.initial_state is not None else []
    for wire in (*call.inputs, *handed):
        if wrong := _alone(flowing, wire):
            return wrong
    own = flowing.reaching(call)
    if wrong := _takes(flowing.graph, call, layer, own):
        return wrong
    if layer.without_rule:
        return None
    answer = flowing.answer(call, own)
    if handed and (wrong := _states(flowing, call, flat(answer.begins), handed)):
        return wrong
    if handed and not _nest_alike(call.initial_state, answer.begins):
        return f"{call.layer} takes its states as {_written(answer.begins)}: pass them in these lists"
    flowing.add(call, answer)
    return None


def _alone(flowing: Flowing, wire: Wire) -> str | None:
    """Why there is no single tensor at the end of a wire."""
    returned, whole = flowing.tensors[wire.source], flowing.tensors[wire.source]
    word = flowing.graph.word(wire)
    for index in wire.path:
        if isinstance(returned, Leaf) or index >= len(returned):
            return f"{word} is not there: {wire.source} returns {_counted(whole)}" + _without_states(flowing, wire)
        returned = returned[index]
    if isinstance(returned, Leaf):
        return None
    return f"{wire.source} returns {_counted(returned)}, and only one can go in: take one of them, {wire.source}(…)[0]"


def _counted(returned: Any) -> str:
    leaves = flat(returned)
    return f"{len(leaves)} value{'s' * (len(leaves) != 1)} ({', '.join(leaf.role for leaf in leaves)})"


def _without_states(flowing: Flowing, wire: Wire) -> str:
    """The flag that a layer lacks to return its states."""
    call = next((one for one in flowing.graph.calls if one.name == wire.source), None)
    layer = None if call is None else flowing.graph.by_name[call.layer]
    loop = None if layer is None else next((part for part in layer.walk() if part.has("return_state")), None)
    if call is None or loop is None or loop["return_state"]:
        return ""
    return f": give {call.layer} `return_state=True`"


def _takes(graph: Graph, call: Call, layer: Node, own: Given) -> str | None:
    inputs = [own.dims, *(dims for dims, _ in own.others)]
    if len(inputs) > 1 or layer.cls.kind == "merge":
        if layer.cls.kind == IMPORTED:
            return None
        if layer.cls.kind != "merge":
            return f"{layer.name} takes one input, and {len(inputs)} go in"
        return layer.cls.check_inputs(layer, inputs)
    wanted = layer.cls.letters(layer, len(own.dims))
    if len(wanted) != len(own.dims):
        has = ", ".join(dim.letter for dim in own.dims)
        text = f"{layer.name} needs ({', '.join(layer.cls.letters(layer, None))}) but its input is ({has})"
        before = next((one for one in graph.calls if one.name == call.inputs[0].source), None)
        source = None if before is None else graph.by_name[before.layer]
        loop = None if source is None else next((part for part in source.walk() if part.has("return_sequences")), None)
        if before is not None and loop is not None and not loop["return_sequences"] and len(wanted) > len(own.dims):
            return f"{text}: give {before.layer} `return_sequences=True`"
        return text
    return layer.cls.check_input(layer, own.dims)


def _states(flowing: Flowing, call: Call, wanted: list[Leaf], handed: list[Wire]) -> str | None:
    """Why the states do not fit: their number, their order, their width."""
    graph = flowing.graph
    if not wanted:
        return f"{call.layer} takes no initial_state: only a recurrent layer does"
    if len(handed) != len(wanted):
        names, are = ", ".join(leaf.role for leaf in wanted), "state is" if len(handed) == 1 else "states are"
        return f"{len(handed)} {are} passed, and {call.layer} takes {len(wanted)} ({names})"
    inputs = {entry.name for entry in graph.entries}
    for wire, want in zip(handed, wanted, strict=True):
        leaf, word = flowing.at(wire), graph.word(wire)
        # What an input holds its name does not say for sure.
        kinds = {leaf.role[-2:], want.role[-2:]} if wire.source not in inputs else set()
        if kinds == {"_h", "_c"}:
            return f"{word} is the {leaf.role} of {wire.source}, in the place of {want.role}: h, then c"
        if tuple(dim.size for dim in leaf.dims) != tuple(dim.size for dim in want.dims):
            has, needs = (
                f"({', '.join(dim.letter for dim in one)}) = ({', '.join(str(dim.size) for dim in one)})"
                for one in (leaf.dims, want.dims)
            )
            return f"{word} is {has}, and the {want.role} of {call.layer} must be {needs}" + _units(graph, call, leaf)
    return None


def _nest_alike(handed: Any, wanted: Any) -> bool:
    """Whether states are in the lists that the layer takes them in; the brackets of a lone state do not count."""
    if isinstance(handed, tuple) and isinstance(wanted, list | tuple):
        return len(handed) == len(wanted) and all(map(_nest_alike, handed, wanted))
    return not isinstance(handed, tuple) if isinstance(wanted, Leaf) else len(wanted) == 1


def _written(wanted: Any) -> str:
    return wanted.role if isinstance(wanted, Leaf) else f"[{', '.join(map(_written, wanted))}]"


def _units(graph: Graph, call: Call, leaf: Leaf) -> str:
    """The smallest change: the units of the layer that begins with the states."""
    layer = graph.by_name[call.layer]
    return f": give {call.layer} units={leaf.dims[-1].size}" if layer.has("units") and len(leaf.dims) == 2 else ""
