"""A graph of layer calls: layers with several inputs and outputs, states handed from one to another, shared layers.

Theory walks the calls in order, as a stack's does, and every recurrent call has its laws under the code's own names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnshape.layers import arguments as arg
from rnnshape.layers.attention import unmasks
from rnnshape.layers.base import Answer, Given, Law, Leaf, compute_dtype, flat
from rnnshape.layers.dims import Dim
from rnnshape.layers.node import LayerClass
from rnnshape.layers.wires import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Dims
    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import Node
    from rnnshape.layers.wires import Call, Entry, Graph

_SPACE = 8


@dataclass(slots=True)
class _Step:
    """A call with what it gets and what theory answers."""

    call: Call
    node: Node
    given: Given
    answer: Answer


def entries(graph: Graph, first: Dims) -> dict[str, Leaf]:
    """Every input of the graph as a tensor: the first has these dimensions, the others what the code says of them.

    What it leaves open gets letters of its own, ``T2`` for the time of the second input.
    """
    found: dict[str, Leaf] = {}
    for number, entry in enumerate(graph.entries, 1):
        dims = first if number == 1 else _dims(graph, entry, number, first[0])
        tokens = any(node.cls.tokens(node) is not None for node in _fed_by(graph, entry))
        found[entry.name] = Leaf(entry.name, dims, "int32" if tokens else _dtype(graph, entry))
    return found


def _fed_by(graph: Graph, entry: Entry) -> Iterator[Node]:
    """The layers that an input goes into."""
    for call in graph.calls:
        if any(wire.source == entry.name for wire in call.inputs):
            yield graph.by_name[call.layer].in_turn[0]


def _dtype(graph: Graph, entry: Entry) -> str:
    first = next(_fed_by(graph, entry), None)
    return compute_dtype(first["dtype"]) if first is not None and first.has("dtype") else "float32"


def _dims(graph: Graph, entry: Entry, number: int, batch: Dim) -> Dims:
    fed = next(_fed_by(graph, entry), None)
    rank = None if entry.sizes is None else len(entry.sizes)
    letters = fed.cls.letters(fed, rank) if fed is not None else ("N", *("S",) * ((rank or 2) - 1))
    sizes = entry.sizes or (None,) * len(letters)
    if len(sizes) != len(letters):
        letters = tuple(f"A{index}" for index in range(len(sizes)))
    dims = [batch]
    for letter, size in list(zip(letters, sizes, strict=True))[1:]:
        if size is None:
            usual = {"T": 3 + number, "C": 4}.get(letter[:1], _SPACE)
            dims.append(Dim(usual, f"{letter}{number}"))
        else:
            dims.append(Dim.of(size, f"{letter}{number}" if fed is not None else str(size)))
    return tuple(dims)


def walk(node: Node, given: Given) -> Iterator[_Step]:
    """Each call with its answer, in order."""
    graph: Graph = node["graph"]
    flowing = _Flowing(graph, given)
    for call in graph.calls:
        layer = graph.by_name[call.layer]
        own = flowing.reaching(call)
        answer = layer.cls.theory(layer, own)
        flowing.add(call, own, answer)
        yield _Step(call, layer, own, answer)


class _Flowing:
    """The tensors of a graph as far as it has been walked, and the masks that are attached to them."""

    def __init__(self, graph: Graph, given: Given) -> None:
        self.graph = graph
        self.given = given
        self.tensors: dict[str, Any] = entries(graph, given.dims)
        self.masks: dict[Wire, Mask | None] = {Wire(graph.entries[0].name): given.mask}
        self.numbers = {name: number for number, (name, _) in enumerate(graph.layers, 1)}

    def at(self, wire: Wire) -> Leaf:
        """The tensor of a wire; the first one where a whole result is taken for one."""
        returned: Leaf = at(self.tensors[wire.source], wire.path)
        return returned

    def reaching(self, call: Call) -> Given:
        """What a call gets."""
        first, *others = map(self.at, call.inputs)
        mask, *masks = map(self.masks.get, call.inputs)
        return replace(
            self.given,
            dims=first.dims,
            dtype=first.dtype,
            letter=f"H{self.numbers[call.layer]}" if len(self.numbers) > 1 else "H",
            mask=mask,
            initial="random" if call.initial_state is not None else None,
            raw=call.inputs[0].source in {entry.name for entry in self.graph.entries},
            others=tuple((leaf.dims, leaf.dtype) for leaf in others),
            masks=tuple(masks),
        )

    def add(self, call: Call, own: Given, answer: Answer) -> None:
        """What a call returns: its outputs carry its mask, and no state does."""
        self.tensors[call.name] = answer.returned
        mask = answer.mask and answer.mask.passed_on()
        for index in range(len(answer.outputs)):
            self.masks[Wire(call.name, () if isinstance(answer.returned, Leaf) else (index,))] = mask
        for wire in call.inputs:
            if unmasks(self.graph.by_name[call.layer], self.at(wire).dtype):
                self.masks[wire] = None


def at(returned: Any, path: tuple[int, ...]) -> Any:
    """What stands at a path in what a call returns; the first tensor where the whole is taken for one."""
    for index in path:
        returned = returned[index]
    while not isinstance(returned, Leaf):
        returned = returned[0]
    return returned


def theory(node: Node, given: Given) -> Answer:
    """The last call's answer, with the weights, kernels and laws of all."""
    graph: Graph = node["graph"]
    steps = list(walk(node, given))
    last = steps[-1].answer
    once = {step.call.layer: step for step in reversed(steps)}
    first = [step for step in steps if once[step.call.layer] is step]
    return replace(
        last,
        returned=named(graph, steps[-1].call, last.returned),
        weights=[w.behind(f"{step.call.layer}_") for step in first for w in step.answer.weights],
        products=[product for step in steps for product in step.answer.products],
        cudnn=[
            kernel.inside(f"{step.call.layer} {kernel.layer or step.node.short}", f"{step.call.layer}: ")
            for step in first
            if _loops(step.node)
            for kernel in step.answer.cudnn
        ]
        or last.cudnn,
        laws=[law for step in steps if _loops(step.node) for law in (*_laws(graph, step), *_begun(graph, step))],
        refusals=[refusal for step in steps for refusal in step.answer.refusals],
        notes=tuple(f"{step.call.name}: {note}" for step in steps for note in step.answer.notes),
        flow=tuple((graph.statement(step.call), named(graph, step.call, step.answer.returned)) for step in steps),
        begins=(),
        strips=(),
        scan=None,
        quirks=tuple(dict.fromkeys(quirk for step in steps for quirk in step.answer.quirks)),
    )


def _loops(layer: Node) -> bool:
    return any(part.cls.kind == "recurrent" for part in layer.walk())


def roles(graph: Graph, call: Call, returned: Any) -> dict[str, str]:
    """What each result of a call is called in the graph, under its role."""
    said = {wire: name for name, wire in graph.names}
    return {leaf.role: said.get(Wire(call.name, path), f"{call.name}_{leaf.role}") for leaf, path in _places(returned)}


def _places(returned: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[Leaf, tuple[int, ...]]]:
    if isinstance(returned, Leaf):
        yield returned, path
        return
    for index, item in enumerate(returned):
        yield from _places(item, (*path, index))


def named(graph: Graph, call: Call, returned: Any) -> Any:
    """What a call returns, each tensor under its name in the graph."""
    words = roles(graph, call, returned)

    def put(value: Any) -> Any:
        if isinstance(value, Leaf):
            return Leaf(words[value.role], value.dims, value.dtype)
        return type(value)(put(item) for item in value)

    return put(returned)


def _laws(graph: Graph, step: _Step) -> Iterator[Law]:
    """The laws of one call, in the names of the graph."""
    words = roles(graph, step.call, step.answer.returned)
    if not words:
        return
    pattern = re.compile(rf"\b({'|'.join(sorted(words, key=len, reverse=True))})\b")
    for law in step.answer.laws:
        yield law._replace(check=pattern.sub(lambda found: words[found[1]], law.check))


def by_hand(graph: Graph, call: Call) -> str | None:
    """The first step of a call with passed states, computed by its cell: ``decoder_cell(z[:, 0], h, c)``.

    None where the call passes no states, or where its first step is not the first of its output.
    """
    layer = graph.by_name[call.layer]
    if call.initial_state is None or not layer.has("return_sequences") or not layer["return_sequences"]:
        return None
    if layer.has("cell") or not layer.has("units") or layer["go_backwards"]:
        return None
    states = ", ".join(map(graph.word, _wires(call.initial_state)))
    return f"{call.layer}_cell({graph.word(call.inputs[0])}[:, 0], {states})"


def _begun(graph: Graph, step: _Step) -> Iterator[Law]:
    """What shows that a call begins with the states that are passed to it."""
    first = by_hand(graph, step.call)
    if first is None or step.given.mask is not None or step.given.training:
        return
    output = roles(graph, step.call, step.answer.returned)[step.answer.outputs[0].role]
    begun = "the first step starts from the passed states"
    yield Law(f"{output}[:, 0, :] == {first}", True, begun)


# -- what goes in -------------------------------------------------------------------------------


def letters(node: Node, rank: int | None) -> tuple[str, ...]:
    """Those of the layer that the first input goes into."""
    graph: Graph = node["graph"]
    first = next(_fed_by(graph, graph.entries[0]), None)
    return ("N", "T", "C") if first is None else first.cls.letters(first, rank)


def check_input(node: Node, dims: Dims) -> str | None:
    """Which call breaks, and what must change."""
    graph: Graph = node["graph"]
    flowing = _Flowing(graph, Given(dims, "float32"))
    for call in graph.calls:
        if wrong := _breaks(flowing, call):
            return f"{graph.statement(call)}: {wrong}"
    return None


def _breaks(flowing: _Flowing, call: Call) -> str | None:
    """Why Keras cannot make a call, and what must change; where it can, its result flows on."""
    layer = flowing.graph.by_name[call.layer]
    handed = list(_wires(call.initial_state)) if call.initial_state is not None else []
    for wire in (*call.inputs, *handed):
        if wrong := _alone(flowing, wire):
            return wrong
    own = flowing.reaching(call)
    if wrong := _takes(flowing.graph, call, layer, own):
        return wrong
    answer = layer.cls.theory(layer, own)
    if handed and (wrong := _states(flowing, call, flat(answer.begins), handed)):
        return wrong
    flowing.add(call, own, answer)
    return None


def _alone(flowing: _Flowing, wire: Wire) -> str | None:
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


def _without_states(flowing: _Flowing, wire: Wire) -> str:
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


def _states(flowing: _Flowing, call: Call, wanted: list[Leaf], handed: list[Wire]) -> str | None:
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


def _units(graph: Graph, call: Call, leaf: Leaf) -> str:
    """The smallest change: the units of the layer that begins with the states."""
    layer = graph.by_name[call.layer]
    return f": give {call.layer} units={leaf.dims[-1].size}" if layer.has("units") and len(leaf.dims) == 2 else ""


def _wires(states: Any) -> Iterator[Wire]:
    if isinstance(states, tuple):
        for state in states:
            yield from _wires(state)
    else:
        yield states


def eats(graph: Graph, name: str) -> range | None:
    """The whole numbers that the layer takes which this input goes into, if it does."""
    entry = next(entry for entry in graph.entries if entry.name == name)
    first = next(_fed_by(graph, entry), None)
    return None if first is None else first.cls.tokens(first)


MODEL = LayerClass(
    "Model",
    "graph",
    (arg.Argument("graph", arg.Kind()),),
    theory,
    letters,
    check_input=check_input,
    tokens=lambda node: eats(node["graph"], node["graph"].entries[0].name),
)
