"""Makes a graph of the calls in pasted code: the layers, the calls, and the inputs with what the code says of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers.wires import Call, Entry, Graph
from rnnshape.reading.code.declared import Declared, where_open
from rnnshape.reading.code.made import Applied, Model, Tensor, tensors_in
from rnnshape.reading.code.words import Wires, own_names, short
from rnnshape.reading.identifiers import free

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.layers.stand_ins import Size
    from rnnshape.reading.code.values import Values


class Graphs:
    """Makes the graphs of one program."""

    def __init__(self, values: Values) -> None:
        self.values = values
        # The number of axes of inputs without a known shape, by their ids, if the usual number does not fit.
        self.ranks: dict[int, int] = {}
        # The sizes that the calls need and the code does not give: for the id of an input, its sizes by axis.
        self.needed: dict[int, dict[int, int]] = {}
        # The declarations of a Sequential, by the id of its input.
        self.said: dict[int, list[Declared]] = {}

    def fed(self, tensor: Tensor) -> list[Declared]:
        if tensor.root is None:
            return []
        return self.said.get(id(tensor)) or [Declared(self.sizes(tensor), tensor.root)]

    def says(self, call: Applied) -> Sequence[Declared]:
        """The shapes that the layer of a call declares for its input."""
        if isinstance(call.layer, Model):
            return call.layer.said
        return self.values.layers.declared.of(call.layer.tree)

    def declared(self, call: Applied, first: Tensor) -> list[Declared]:
        """The shapes that the code declares for the first input."""
        fed = self.fed(first)
        own = self.says(call) if call.inputs[0] is first else ()
        return [*fed, *(own if isinstance(call.layer, Model) else where_open(own, fed))]

    def of(self, calls: list[Applied], outputs: Any = None) -> tuple[Graph, list[Tensor]]:
        """The graph of the calls, and its inputs."""
        taken: set[str] = set()
        layers: dict[int, str] = {}
        for call in calls:
            if id(call.layer) not in layers:
                layers[id(call.layer)] = free(call.layer.name or short(call.node), taken)
        words: dict[int, str] = {}
        for call in calls:
            layer = layers[id(call.layer)]
            words[id(call)] = layer if layer not in words.values() else free(layer, taken)
        entries = self._entries(calls, taken)
        wired = Wires(words, {id(tensor): entry.name for tensor, entry in entries})
        graph = Graph(
            tuple(entry for _, entry in entries),
            tuple({layers[id(call.layer)]: call.node for call in calls}.items()),
            tuple(
                Call(
                    words[id(call)],
                    layers[id(call.layer)],
                    tuple(map(wired.wire, call.inputs)),
                    wired.states(call.states),
                    call.results,
                )
                for call in calls
            ),
            tuple(own_names(calls, words, taken)),
            wired.outputs(outputs),
        )
        return graph, [tensor for tensor, _ in entries]

    def _entries(self, calls: list[Applied], taken: set[str]) -> list[tuple[Tensor, Entry]]:
        """The inputs of the calls, in the order in which they are used."""
        found: dict[int, tuple[Tensor, Entry]] = {}
        for call in calls:
            for tensor in call.inputs:
                if tensor.call is None and id(tensor) not in found:
                    sizes = self.sizes(tensor) or next((one.sizes for one in self.says(call) if not one.built), None)
                    if sizes is None and (rank := self.ranks.get(id(tensor))) is not None:
                        sizes = (None,) * rank
                    elif sizes is None and call.node.cls.kind != "merge":
                        sizes = (None,) * len(call.node.cls.letters(call.node, None))
                    found[id(tensor)] = tensor, Entry(self._name(tensor, taken), sizes)
            width = call.node["units"] if call.node.has("units") else None
            for tensor in tensors_in(call.states):
                if tensor.call is None and id(tensor) not in found:
                    sizes = self.sizes(tensor) or (None, width)
                    found[id(tensor)] = tensor, Entry(self._name(tensor, taken), sizes)
        return list(found.values())

    def sizes(self, tensor: Tensor) -> tuple[int | Size | None, ...] | None:
        if tensor.root is None:
            return None
        with self.values.names.at(tensor.then):
            sizes = self.values.tensors.fed(tensor.root)
        if (needed := self.needed.get(id(tensor))) is not None:
            own = [*(sizes or (None,) * self.ranks.get(id(tensor), 3))]
            for axis, size in needed.items():
                own[axis] = size
            return tuple(own)
        return sizes

    def _name(self, tensor: Tensor, taken: set[str]) -> str:
        root = tensor.root
        said = tensor.name or (root.id if isinstance(root, ast.Name) else "x")
        return free(said, taken)
