"""Handles calls that do not fit each other because of sizes that the code does not give.

An input without a known shape gets the number of axes that fits its calls.  If a call rejects stand-in sizes, it is
left out with a note, and the calls after it get an input of their own.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from rnnshape.layers.base import Leaf, flat
from rnnshape.layers.several import every_dims
from rnnshape.layers.stand_ins import Size
from rnnshape.layers.wires import in_order
from rnnshape.reading.code.made import Tensor
from rnnshape.reading.code.syntax import made_input

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rnnshape.layers import Node
    from rnnshape.layers.base import Dims
    from rnnshape.layers.dims import Dim
    from rnnshape.layers.flowing import Flowing
    from rnnshape.layers.wires import Call, Wire
    from rnnshape.reading.code.made import Applied

RANKS = (2, 4, 3)
"""The numbers of axes, with the batch, that are tried if the usual one does not fit."""

# Their number of output axes does not depend on their input.
_OF_OWN_RANK = ("Reshape", "Flatten")
_BY_LAST_AXIS = ("Attention", "AdditiveAttention", "MultiHeadAttention")
_WORD = re.compile(r"[A-Za-z_]\w*")


class Fit:
    """The unknown parts of a graph: letters of sizes that the code does not give, and names with stand-ins."""

    def __init__(
        self, flowing: Flowing, first: Sequence[int | None] | None, unknown: set[str], names: Iterable[str]
    ) -> None:
        self.flowing = flowing
        self.graph = flowing.graph
        self.open = set(names)
        self.unknown = unknown
        for entry in self.graph.entries:
            sizes = first if entry is self.graph.entries[0] and first is not None else entry.sizes
            dims = flowing.tensors[entry.name].dims
            known: Sequence[Any] = sizes if sizes is not None and len(sizes) == len(dims) else (None,) * len(dims)
            for dim, size in list(zip(dims, known, strict=True))[1:]:
                if size is None or (isinstance(size, Size) and self.open.intersection(_WORD.findall(size.text))):
                    self.open |= set(_WORD.findall(dim.letter))

    def fails_by_rank(self, call: Call) -> bool:
        """Whether a call fails because of the number of axes of an input without a known shape."""
        if not all(map(self._is_one, call.inputs)):
            return False
        layer, inputs = self.graph.by_name[call.layer], every_dims(self.flowing.reaching(call))
        if layer.cls.kind == "merge":
            breaks = len(set(map(len, inputs))) > 1
        else:
            # A stack may break behind its first layer, as Embedding does not: then its usual number of axes counts.
            usual = None if layer.cls.kind == "stack" else len(inputs[0])
            breaks = layer.cls.operation or len(layer.cls.letters(layer, usual)) != len(inputs[0])
        return breaks and any(map(self._unknown_rank, call.inputs))

    def _unknown_rank(self, wire: Wire) -> bool:
        if wire.source in self.unknown:
            return True
        call = next((one for one in self.graph.calls if one.name == wire.source), None)
        if call is None or not takes_any_rank(self.graph.by_name[call.layer]):
            return False
        return any(map(self._unknown_rank, call.inputs))

    def fails_by_stand_in(self, call: Call) -> bool:
        """Whether a call fails only because of stand-in sizes."""
        if not all(map(self._is_one, (*call.inputs, *in_order(call.initial_state)))):
            return False
        layer = self.graph.by_name[call.layer]
        own = self.flowing.reaching(call)
        inputs = every_dims(own)
        if layer.cls.kind == "merge":
            pairs = list(_unlike(layer, inputs))
            return all(map(self._is_open, pairs)) and (bool(pairs) or self._is_open(inputs[0]))
        if len(layer.cls.letters(layer, len(own.dims))) != len(own.dims):
            return False
        if layer.cls.check_input(layer, own.dims) is not None:
            return self._is_open(own.dims[1:]) or self._named(layer)
        return self._states_are_open(call, layer)

    def _is_one(self, wire: Wire) -> bool:
        """Whether a wire carries a single tensor."""
        returned = self.flowing.tensors[wire.source]
        for index in wire.path:
            if isinstance(returned, Leaf) or index >= len(returned):
                return False
            returned = returned[index]
        return isinstance(returned, Leaf)

    def one_length(self, call: Call) -> tuple[str, int, int] | None:
        """The input whose size must change so that a merge fits: its name, its axis, and the new size."""
        layer, inputs = self.graph.by_name[call.layer], every_dims(self.flowing.reaching(call))
        if layer.cls.kind != "merge" or len(set(map(len, inputs))) > 1:
            return None
        axes = {
            dim.letter: (entry.name, axis)
            for entry in self.graph.entries
            for axis, dim in enumerate(self.flowing.tensors[entry.name].dims)
            if axis and self._is_open((dim,))
        }
        for one, other in _unlike(layer, inputs):
            for own, wanted in ((one, other), (other, one)):
                if own.letter in axes and not self._is_open((wanted,)):
                    return (*axes[own.letter], wanted.size)
        return None

    def one_width(self, call: Call) -> tuple[str, int, int] | None:
        """The input whose width must change so that a shared layer can be called again: its name, -1, the new width.

        It may be the input of this call or of the layer's first call.  A merge between the input and the layer may add
        other widths.  None if the code gives both widths.
        """
        first = self.flowing.built.get(call.layer, (call,))[0]
        widths = [(entry.name, self.flowing.tensors[entry.name].dims[-1]) for entry in self.graph.entries]
        for one, other in ((first, call), (call, first)):
            own, wanted = (self.flowing.reaching(each).dims[-1] for each in (one, other))
            for source, width in widths:
                fits = width.size + wanted.size - own.size
                if self._is_open((width,)) and width.letter in _WORD.findall(own.letter) and 0 < fits != width.size:
                    return source, -1, fits
        return None

    def fails_by_states(self, call: Call) -> bool:
        """Whether a call fails because of its states."""
        layer = self.graph.by_name[call.layer]
        return call.initial_state is not None and layer.cls.check_input(layer, self.flowing.reaching(call).dims) is None

    def _states_are_open(self, call: Call, layer: Node) -> bool:
        wanted = flat(layer.cls.theory(layer, self.flowing.reaching(call)).begins)
        handed = [self.flowing.at(wire) for wire in in_order(call.initial_state)]
        if len(wanted) != len(handed):
            return False
        pairs = [
            pair
            for one, other in zip(handed, wanted, strict=True)
            for pair in zip(one.dims, other.dims, strict=False)
            if pair[0].size != pair[1].size
        ]
        return bool(pairs) and all(map(self._is_open, pairs))

    def _named(self, layer: Node) -> bool:
        texts = [one.text for _, value in layer.given for one in _each(value) if isinstance(one, Size)]
        return any(self.open.intersection(_WORD.findall(text)) for text in texts)

    def _is_open(self, dims: Sequence[Dim]) -> bool:
        return any(self.open.intersection(_WORD.findall(dim.letter)) for dim in dims)


def takes_any_rank(node: Node) -> bool:
    """Whether the number of axes that a layer returns depends on its input."""
    both = all(len(node.cls.letters(node, rank)) == rank for rank in (2, 4))
    return both and node.name not in _OF_OWN_RANK and node.cls.kind != "stack"


def left_out(call: Applied, later: Sequence[Applied]) -> None:
    """Replace the results of a call that is left out by new inputs, in the later calls."""
    instead: dict[tuple[int, ...], Tensor] = {}

    def put(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [put(item) for item in value]
        if not isinstance(value, Tensor) or value.call is not call:
            return value
        if value.path not in instead:
            name = next((name for name, path in call.names.items() if path == value.path), "x")
            root = ast.copy_location(ast.Name(name, ast.Load()), call.tree)
            instead[value.path] = Tensor(root=_known_shape(call) or root, name=name)
        return instead[value.path]

    for one in later:
        one.inputs, one.states = put(one.inputs), put(one.states)


def own_input(call: Applied) -> Tensor:
    """An input of any size, of the number of axes that the layer takes."""
    axes = ast.Tuple([ast.Constant(None)] * len(call.node.cls.letters(call.node, None)), ast.Load())
    return Tensor(root=made_input([ast.keyword("batch_shape", axes)], call.tree), name="x")


def _known_shape(call: Applied) -> ast.expr | None:
    """An Input with the output shape of a Reshape, which does not depend on its input; None for other layers."""
    if call.node.name != "Reshape":
        return None
    sizes = [None if size == -1 else int(size) for size in call.node["target_shape"]]
    shape = ast.Tuple([ast.Constant(size) for size in (None, *sizes)], ast.Load())
    return made_input([ast.keyword("batch_shape", shape)], call.tree)


def _unlike(layer: Node, inputs: Sequence[Dims]) -> Iterator[tuple[Dim, Dim]]:
    """The pairs of sizes that should be equal and differ."""
    first = inputs[0]
    for other in inputs[1:]:
        pairs = list(zip(reversed(first), reversed(other), strict=False))
        if layer.name in _BY_LAST_AXIS:
            pairs = pairs[:1]
        elif layer.has("axis") and len(first) == len(other):
            axis = layer["axis"] % len(first)
            pairs = [pair for place, pair in enumerate(pairs) if place != len(first) - 1 - axis]
        for one, two in pairs:
            if one.size != two.size and (layer.has("axis") or 1 not in (one.size, two.size)):
                yield one, two


def _each(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _each(item)
    else:
        yield value
