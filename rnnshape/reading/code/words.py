"""Names the tensors and calls of a graph: the names in the code, else names made from the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.layers.names import snake
from rnnshape.layers.wires import Packed, Wire, result
from rnnshape.reading.code.made import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers import Node
    from rnnshape.reading.code.made import Applied


class Wires:
    """Turns tensors of the program into wires of the graph."""

    def __init__(self, calls: dict[int, str], entries: dict[int, str]) -> None:
        self.calls = calls
        self.entries = entries

    def wire(self, tensor: Tensor) -> Wire:
        if tensor.call is None:
            return Wire(self.entries[id(tensor)])
        return Wire(self.calls[id(tensor.call)], tensor.path)

    def outputs(self, outputs: Any) -> Wire | Packed | None:
        """The wires of a model's outputs, in their containers; None without a model."""
        if outputs is None or isinstance(outputs, Tensor):
            return None if outputs is None else self.wire(outputs)
        items = [item for one in outputs if (item := self.outputs(one)) is not None]
        return Packed("list" if isinstance(outputs, list) else "tuple", tuple(items))

    def states(self, states: Any) -> Any:
        """The wires of states, nested as in the code; None if one of them is unknown."""
        if states is None or isinstance(states, Tensor):
            return None if states is None else self.wire(states)
        nested = tuple(map(self.states, states))
        return None if None in nested else nested


def own_names(calls: list[Applied], words: dict[int, str], taken: set[str]) -> Iterator[tuple[str, Wire]]:
    """The code's names for tensors; a name that is bound again belongs to its first tensor."""
    said: set[Wire] = set()
    for call in calls:
        word = words[id(call)]
        for name, path in call.names.items():
            if len(path) > 1:
                continue  # states in a list, which the call itself does not unpack
            wire = Wire(word, path)
            role = result(call.results, path[0]) if path else "y" if call.results else "output"
            if name not in taken and name not in ("_", f"{word}_{role}") and wire not in said:
                said.add(wire)
                taken.add(name)
                yield name, wire


def short(node: Node) -> str:
    if node.cls.operation:
        return _WORDS.get(node.name, node.name.rpartition(".")[2])
    return "model" if node.cls.kind == "stack" else snake(node.name)


_WORDS = {"+": "sum", "-": "difference", "*": "product", "/": "quotient", "**": "power", "[]": "part"}
