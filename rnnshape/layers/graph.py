"""The theory of a graph of layer calls: several inputs and outputs, states passed between layers, shared layers.

The calls are followed in order, as in a stack.  The laws of each recurrent call use the code's own names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers.base import Answer, Given, Law, Leaf, flat
from rnnshape.layers.breaking import check_input
from rnnshape.layers.entries import begin, fed_by, token_range
from rnnshape.layers.laws import MASKED
from rnnshape.layers.node import LayerClass
from rnnshape.layers.release import change
from rnnshape.layers.sequential import loop_of
from rnnshape.layers.wires import Wire, filled, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.flowing import Flowing, Step
    from rnnshape.layers.node import Node
    from rnnshape.layers.wires import Call, Graph

TAKES_NESTED = change(
    "3.4",
    "a Model takes outputs in nested containers",
    "models/functional.py: Functional.__init__",
    in_2=True,
)


def theory(node: Node, given: Given) -> Answer:
    """The answer of the graph's outputs, with the weights, kernels and laws of all calls."""
    graph: Graph = node["graph"]
    flowing = begin(graph, given)
    steps = list(flowing.steps())
    last = _outputs(flowing, steps[-1])
    once = {step.call.layer: step for step in reversed(steps)}
    first = [step for step in steps if once[step.call.layer] is step]
    return replace(
        last,
        weights=[w.behind(f"{step.call.layer}_") for step in first for w in step.answer.weights],
        products=[product for step in steps for product in step.answer.products],
        cudnn=[
            kernel.inside(f"{step.call.layer} {kernel.layer or step.node.short}", f"{step.call.layer}: ")
            for step in first
            if loop_of(step.node)
            for kernel in step.answer.cudnn
        ]
        or last.cudnn,
        laws=[law for step in steps if loop_of(step.node) for law in (*_laws(graph, step), *_start_law(graph, step))],
        refusals=[refusal for step in steps for refusal in step.answer.refusals],
        notes=tuple(f"{step.call.name}: {note}" for step in steps for note in step.answer.notes),
        flow=tuple((graph.statement(step.call), named(graph, step.call, step.answer.returned)) for step in steps),
        begins=(),
        strips=(),
        scan=None,
        quirks=tuple(dict.fromkeys(quirk for step in steps for quirk in step.answer.quirks)),
    )


def _outputs(flowing: Flowing, last: Step) -> Answer:
    """The last call's answer; if the graph has outputs, it returns these."""
    graph = flowing.graph
    if graph.outputs is None:
        return replace(last.answer, returned=named(graph, last.call, last.answer.returned))
    by_name = {call.name: call for call in graph.calls}

    def output(wire: Wire) -> Leaf:
        returned = flowing.tensors[wire.source]
        words = roles(graph, by_name[wire.source], returned) if wire.source in by_name else {}
        leaf = flowing.at(wire)
        return Leaf(words.get(leaf.role, leaf.role), leaf.dims, leaf.dtype)

    returned = filled(graph.outputs, output)
    mask = flowing.masks.get(graph.returned[0])
    return replace(last.answer, outputs=tuple(flat(returned)), returned=returned, mask=mask)


def roles(graph: Graph, call: Call, returned: Any) -> dict[str, str]:
    """The name of each result of a call in the graph, by its role."""
    said = {wire: name for name, wire in graph.names}
    return {leaf.role: said.get(Wire(call.name, path), f"{call.name}_{leaf.role}") for leaf, path in _places(returned)}


def _places(returned: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[Leaf, tuple[int, ...]]]:
    if isinstance(returned, Leaf):
        yield returned, path
        return
    for index, item in enumerate(returned):
        yield from _places(item, (*path, index))


def named(graph: Graph, call: Call, returned: Any) -> Any:
    """The result of a call, with the names of the graph as roles."""
    words = roles(graph, call, returned)

    def put(value: Any) -> Any:
        if isinstance(value, Leaf):
            return Leaf(words[value.role], value.dims, value.dtype)
        return type(value)(put(item) for item in value)

    return put(returned)


def _laws(graph: Graph, step: Step) -> Iterator[Law]:
    """The laws of one call, in the names of the graph."""
    words = roles(graph, step.call, step.answer.returned)
    if step.answer.scan is not None and step.answer.scan.mask is not None:
        words |= {name: f"{step.call.name}_{name}" for name in MASKED}
    pattern = re.compile(rf"\b({'|'.join(sorted(words, key=len, reverse=True))})\b")
    for law in step.answer.laws:
        yield law._replace(check=pattern.sub(lambda found: words[found[1]], law.check))


def by_hand(graph: Graph, call: Call) -> str | None:
    """The first step of a call with passed states, computed by its cell: ``decoder_cell(z[:, 0], h, c)``.

    None if the call passes no states, or if its first step is not the first one of its output.
    """
    layer = graph.by_name[call.layer]
    if call.initial_state is None or not layer.has("return_sequences") or not layer["return_sequences"]:
        return None
    if layer.has("cell") or not layer.has("units") or layer["go_backwards"]:
        return None
    states = ", ".join(map(graph.word, in_order(call.initial_state)))
    return f"{call.layer}_cell({graph.word(call.inputs[0])}[:, 0], {states})"


def _start_law(graph: Graph, step: Step) -> Iterator[Law]:
    """The law that a call starts from the passed states."""
    first = by_hand(graph, step.call)
    if first is None or step.given.mask is not None or step.given.training:
        return
    output = roles(graph, step.call, step.answer.returned)[step.answer.outputs[0].role]
    begun = "the first step starts from the passed states"
    yield Law(f"{output}[:, 0, :] == {first}", True, begun)


def letters(node: Node, rank: int | None) -> tuple[str, ...]:
    """The letters of the layer that gets the first input; the code may give their number."""
    graph: Graph = node["graph"]
    first = next(fed_by(graph, graph.entries[0]), None)
    sizes = graph.entries[0].sizes
    rank = len(sizes) if rank is None and sizes is not None else rank
    return ("N", "T", "C") if first is None else first.cls.letters(first, rank)


MODEL = LayerClass(
    "Model",
    "graph",
    (arg.Argument("graph", arg.Kind()),),
    theory,
    letters,
    check_input=check_input,
    tokens=lambda node: token_range(node["graph"], node["graph"].entries[0].name),
)
