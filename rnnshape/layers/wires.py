"""A graph of layer calls as data: the inputs of each call, and the names of its results.

>>> from rnnshape.layers import TABLE, Node
>>> encoder = Node.of(TABLE["LSTM"], {"units": 8, "return_state": True})
>>> decoder = Node.of(TABLE["LSTM"], {"units": 8})
>>> graph = Graph(
...     (Entry("x", (None, None, 4)), Entry("z", (None, None, 5))),
...     (("encoder", encoder), ("decoder", decoder)),
...     (
...         Call("encoder", "encoder", (Wire("x"),), results=("output", "state_h", "state_c")),
...         Call("decoder", "decoder", (Wire("z"),), (Wire("encoder", (1,)), Wire("encoder", (2,)))),
...     ),
...     (("h", Wire("encoder", (1,))), ("c", Wire("encoder", (2,)))),
... )
>>> print(graph.text)
x = Input((None, 4))
z = Input((None, 5))
encoder = LSTM(8, return_state=True)
decoder = LSTM(8)
_, h, c = encoder(x)
decoder_output = decoder(z, initial_state=[h, c])
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from rnnshape.layers.release import KERAS_3, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class Wire(Struct, frozen=True):
    """One tensor: an entry, or the result of a call at ``path``, which is ``()`` for a single result."""

    source: str
    path: tuple[int, ...] = ()


class Packed(Struct, frozen=True):
    """Several outputs of a model, in a tuple or a list."""

    kind: Literal["tuple", "list"]
    items: tuple[Wire | Packed, ...]


class Entry(Struct, frozen=True):
    """An input of the graph; its sizes are batch first, None if the code does not give one.

    Without any sizes, it has the shape of the tensor that it is merged with, and no line in the text.
    """

    name: str
    sizes: tuple[int | None, ...] | None = None


class Call(Struct, frozen=True):
    """One call of a layer; ``initial_state`` has tuples of wires, nested as in the code.

    ``results`` has the roles of the returned values, and is empty for a bare tensor.  A list of states is one value,
    ``states``; an attention has results if it is called with ``return_attention_scores=True``.
    """

    name: str
    layer: str
    inputs: tuple[Wire, ...]
    initial_state: Any = None
    results: tuple[str, ...] = ()


class Graph(Struct, frozen=True, dict=True):
    """The entries, the layers (each a ``Node``) by name, and the calls; a layer that is called twice is listed once.

    ``names`` are the code's own names for tensors, ``outputs`` the results of the whole, in their containers; if None,
    they are those of the last call.
    """

    entries: tuple[Entry, ...]
    layers: tuple[tuple[str, Any], ...]
    calls: tuple[Call, ...]
    names: tuple[tuple[str, Wire], ...] = ()
    outputs: Wire | Packed | None = None

    @cached_property
    def by_name(self) -> dict[str, Any]:
        return dict(self.layers)

    @cached_property
    def _said(self) -> dict[Wire, str]:
        return {wire: name for name, wire in self.names}

    @property
    def nodes(self) -> Iterator[Any]:
        """The layers, in the order in which they are first called."""
        return (node for _, node in self.layers)

    @property
    def text(self) -> str:
        """The graph as Python code, one statement in each line."""
        said = [entry for entry in self.entries if entry.sizes is not None or entry is self.entries[0]]
        entries = (f"{entry.name} = Input({_shape(entry)})" for entry in said)
        layers = (f"{name} = {node.text}" for name, node in self.layers if not node.cls.operation)
        model = (f"Model({_listed(entry.name for entry in self.entries)}, {self._packed(self.outputs)})",)
        return "\n".join((*entries, *layers, *self.statements, *(model if self.outputs is not None else ())))

    def _packed(self, outputs: Wire | Packed | None) -> str:
        if not isinstance(outputs, Packed):
            return "" if outputs is None else self.word(outputs)
        items = ", ".join(map(self._packed, outputs.items))
        return f"[{items}]" if outputs.kind == "list" else f"({items}{',' * (len(outputs.items) == 1)})"

    @property
    def returned(self) -> list[Wire]:
        """The outputs, without their containers."""
        return [] if self.outputs is None else [*in_order(filled(self.outputs, lambda wire: wire))]

    @property
    def statements(self) -> Iterator[str]:
        """The calls, one statement each."""
        return map(self.statement, self.calls)

    def statement(self, call: Call) -> str:
        """A call as Python: ``encoder_outputs, state_h, state_c = encoder(encoder_inputs)``."""
        node = self.by_name[call.layer]
        if node.cls.operation:
            return f"{self._left(call)} = {node.on(*map(self.word, call.inputs))}"
        inputs = ", ".join(map(self.word, call.inputs))
        apart = len(call.inputs) == 1 or node.name == "MultiHeadAttention"
        inside = inputs if apart else f"[{inputs}]"
        states = "" if call.initial_state is None else self._states(call.initial_state)
        cell = node.cls.kind == "cell"  # it takes the input of one step, and always states
        if cell and not states:
            # In Keras 2 a cell also needs the dtype, which it takes from the input.
            of = inputs if asked() < KERAS_3 else f"batch_size={inputs}.shape[0]"
            states = f"{call.layer}.get_initial_state({of})"
        states = states and (f", {states}" if cell else f", initial_state={states}")
        scores = ", return_attention_scores=True" if node.cls.kind == "merge" and call.results else ""
        return f"{self._left(call)} = {call.layer}({inside}{states}{scores})"

    def _left(self, call: Call) -> str:
        whole = Wire(call.name)
        if not call.results or whole in self._said:
            return self.word(whole)
        used = {wire for wire in self._wires() if wire.source == call.name}
        parts = [Wire(call.name, (index,)) for index in range(len(call.results))]
        return ", ".join(self.word(part) if any(wire.path[:1] == part.path for wire in used) else "_" for part in parts)

    def word(self, wire: Wire) -> str:
        """The name of a tensor: the code's, or one made from the name of the call."""
        if (said := self._said.get(wire)) is not None:
            return said
        if wire.source not in self._results:
            return wire.source
        if not wire.path:
            return f"{wire.source}_{'y' if self._results[wire.source] else 'output'}"
        if Wire(wire.source) in self._said or len(wire.path) > 1 or wire.path[0] >= len(self._results[wire.source]):
            return f"{self.word(Wire(wire.source, wire.path[:-1]))}[{wire.path[-1]}]"
        return f"{wire.source}_{result(self._results[wire.source], wire.path[0])}"

    def goes(self, call: Call) -> dict[str, tuple[str, ...]]:
        """The uses of each result of a call, by its name: ``{"h": ("decoder.initial_state[0]",)}``."""
        found: dict[str, list[str]] = {}
        for other in self.calls:
            for wire in other.inputs:
                if wire.source == call.name:
                    found.setdefault(self.word(wire), []).append(other.name)
            for index, wire in enumerate(in_order(other.initial_state)):
                if wire.source == call.name:
                    found.setdefault(self.word(wire), []).append(f"{other.name}.initial_state[{index}]")
        return {word: tuple(places) for word, places in found.items()}

    @cached_property
    def _results(self) -> dict[str, tuple[str, ...]]:
        return {call.name: call.results for call in self.calls}

    def _states(self, states: Any) -> str:
        if isinstance(states, Wire):
            return self.word(states)
        return f"[{', '.join(map(self._states, states))}]"

    def _wires(self) -> Iterator[Wire]:
        yield from (wire for _, wire in self.names)
        yield from self.returned
        for call in self.calls:
            yield from call.inputs
            yield from in_order(call.initial_state)


def result(roles: Sequence[str], place: int) -> str:
    """The name of one of the results of a call; several lists of states are numbered."""
    return roles[place] + (f"_{place}" if roles.count(roles[place]) > 1 else "")


def filled(outputs: Wire | Packed, value: Callable[[Wire], Any]) -> Any:
    """The value of each wire, in the containers of the outputs."""
    if isinstance(outputs, Wire):
        return value(outputs)
    items = [filled(item, value) for item in outputs.items]
    return items if outputs.kind == "list" else tuple(items)


def in_order(nested: Any) -> Iterator[Wire]:
    """The wires in nested tuples or lists, in order; none if there is no state."""
    if isinstance(nested, Wire):
        yield nested
    elif nested is not None:
        for one in nested:
            yield from in_order(one)


def _listed(words: Iterable[str]) -> str:
    """A single word, or several as a list."""
    several = list(words)
    return several[0] if len(several) == 1 else f"[{', '.join(several)}]"


def _shape(entry: Entry) -> str:
    sizes = (entry.sizes or (None, None, None))[1:]
    return f"({', '.join(map(repr, sizes))}{',' if len(sizes) == 1 else ''})"
