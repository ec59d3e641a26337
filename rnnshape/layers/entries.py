"""The inputs of a graph of layer calls: their shapes and dtypes."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers.base import Given, Leaf, compute_dtype
from rnnshape.layers.dims import Dim
from rnnshape.layers.flowing import Flowing
from rnnshape.layers.release import asked
from rnnshape.layers.several import every_dims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Dims
    from rnnshape.layers.flowing import Step
    from rnnshape.layers.node import Node
    from rnnshape.layers.release import Release
    from rnnshape.layers.wires import Call, Entry, Graph

_SPACE = 8
_UNLIKE = 10_007


def begin(graph: Graph, given: Given) -> Flowing:
    """The graph before its first call: only its inputs are known."""
    return Flowing(graph, given, entries(graph, given.dims))


def walk(node: Node, given: Given) -> Iterator[Step]:
    """Each call with its answer, in order."""
    return begin(node["graph"], given).steps()


def entries(graph: Graph, first: Dims) -> dict[str, Leaf]:
    """The inputs of the graph as tensors: the first one has these dimensions, the others those in the code.

    A size that the code leaves open gets a letter of its own, such as ``T2`` for the time of the second input.  If the
    inputs then cannot be merged, all of them get the time of the first one.  If they still cannot be merged, or if the
    code gives no shape, an input gets the sizes of the tensor that it is merged with.
    """
    timed = len(first) > 1 and _letters(graph, graph.entries[0], len(first))[1:2] == ("T",)
    return _merging(graph, first, first[1] if timed else None, asked())


def _entries(graph: Graph, first: Dims, time: Dim | None) -> dict[str, Leaf]:
    """The inputs whose rank is known before any call is followed."""
    found: dict[str, Leaf] = {}
    for number, entry in enumerate(graph.entries, 1):
        if number > 1 and _rank_from_merge(graph, entry):
            continue
        dims = first if number == 1 else _dims(graph, entry, number, first[0], time)
        found[entry.name] = _leaf(graph, entry, dims)
    return found


def _rank_from_merge(graph: Graph, entry: Entry) -> bool:
    """Whether the rank of an input depends on the tensor that it is merged with."""
    fed = next(fed_by(graph, entry), None)
    return entry.sizes is None and fed is not None and fed.cls.kind == "merge"


def _leaf(graph: Graph, entry: Entry, dims: Dims) -> Leaf:
    tokens = any(node.cls.tokens(node) is not None for node in fed_by(graph, entry))
    return Leaf(entry.name, dims, "int32" if tokens else _dtype(graph, entry))


@lru_cache(maxsize=64)
def _merging(graph: Graph, first: Dims, time: Dim | None, release: Release) -> dict[str, Leaf]:
    """The inputs with sizes that the merging layers accept, as far as the calls can be followed."""
    own = _entries(graph, first, None)
    if not any(node.cls.kind == "merge" for node in graph.nodes):
        return own
    if _follow(graph, dict(own), alike=False) and len(own) == len(graph.entries):
        return own
    found = own if time is None else _entries(graph, first, time)
    _follow(graph, found, alike=True)
    for number, entry in enumerate(graph.entries, 1):
        if entry.name not in found:
            found[entry.name] = _leaf(graph, entry, _dims(graph, entry, number, first[0], time))
    return {entry.name: found[entry.name] for entry in graph.entries}


def _follow(graph: Graph, found: dict[str, Leaf], *, alike: bool) -> bool:
    """Whether all merging layers accept these inputs; with ``alike``, adapt inputs that they reject."""
    first = found[graph.entries[0].name].dims
    flowing = Flowing(graph, Given(first, "float32"), found)
    for call in graph.calls:
        layer = graph.by_name[call.layer]
        if layer.cls.kind == "merge" and alike:
            _adapt(flowing, call, found)
        if any(wire.source not in flowing.tensors for wire in call.inputs):
            return not alike
        try:
            own = flowing.reaching(call)
        except IndexError:  # a result that does not exist, which ``layers.breaking`` reports
            return True
        if own.others and layer.cls.check_inputs(layer, every_dims(own)):
            return False
        if not own.others and not _accepts(layer, own.dims):
            return True
        if layer.without_rule:
            return True
        flowing.add(call, flowing.answer(call, own))
    return True


def _adapt(flowing: Flowing, call: Call, found: dict[str, Leaf]) -> None:
    """Give the open axes of inputs the sizes of the tensor that they are merged with."""
    graph, layer = flowing.graph, flowing.graph.by_name[call.layer]
    places = {entry.name: (number, entry) for number, entry in enumerate(graph.entries[1:], 2) if _is_open(entry)}
    known = {index: wire for index, wire in enumerate(call.inputs) if wire.source in found or wire.source not in places}
    at, like = next(((i, flowing.at(wire).dims) for i, wire in known.items() if wire.source not in places), (0, ()))
    if not like:
        return
    if len(known) == len(call.inputs):
        inputs = [flowing.at(wire).dims for wire in call.inputs]
        if not layer.cls.check_inputs(layer, inputs):
            return
    for fit in (True, False):
        for index, wire in enumerate(call.inputs):
            if wire.source in places:
                number, entry = places[wire.source]
                entry = entry if entry.sizes is not None else replace(entry, sizes=(None,) * len(like))
                own = _dims(graph, entry, number, like[0], None)
                dims = _fitted(layer if fit else None, entry, own, like, before=index < at)
                found[entry.name] = _leaf(graph, entry, dims)
        flowing.tensors |= found
        inputs = [flowing.at(wire).dims for wire in call.inputs if wire.source in flowing.tensors]
        if not layer.cls.check_inputs(layer, inputs):
            return


def _is_open(entry: Entry) -> bool:
    return entry.sizes is None or None in entry.sizes[1:]


def _fitted(layer: Node | None, entry: Entry, own: Dims, like: Dims, *, before: bool) -> Dims:
    """The dimensions of an input, with as few sizes of the other tensor as the layer needs to merge the two.

    Without a layer, all open axes get the other tensor's sizes.
    """
    pairs = dict(zip(range(len(own) - 1, 0, -1), like[:0:-1], strict=False))
    free = [axis for axis in pairs if (entry.sizes or own)[axis] is None]
    for shared in (chosen for count in range(len(free) + 1) for chosen in combinations(free, count)):
        # The other open axes are tried with a size that no other axis has, so that none fits by coincidence.
        tried = tuple(
            pairs[axis] if axis in shared else Dim(_UNLIKE + axis, dim.letter) if axis in free else dim
            for axis, dim in enumerate(own)
        )
        if layer and not layer.cls.check_inputs(layer, [tried, like] if before else [like, tried]):
            return tuple(pairs[axis] if axis in shared else dim for axis, dim in enumerate(own))
    return tuple(pairs.get(axis, dim) if axis in free else dim for axis, dim in enumerate(own))


def _accepts(layer: Node, dims: Dims) -> bool:
    """Whether a layer takes a single input of these dimensions."""
    rank = len(layer.cls.letters(layer, len(dims)))
    return layer.cls.kind != "merge" and rank == len(dims) and layer.cls.check_input(layer, dims) is None


def fed_by(graph: Graph, entry: Entry) -> Iterator[Node]:
    """The layers that an input is passed to."""
    for call in graph.calls:
        if any(wire.source == entry.name for wire in call.inputs):
            yield graph.by_name[call.layer].in_turn[0]


def _dtype(graph: Graph, entry: Entry) -> str:
    first = next(fed_by(graph, entry), None)
    return compute_dtype(first["dtype"]) if first is not None and first.has("dtype") else "float32"


def _letters(graph: Graph, entry: Entry, rank: int | None) -> tuple[str, ...]:
    """The letters of an input: those of the first layer that it is passed to; without one, those of a state."""
    fed = next(fed_by(graph, entry), None)
    return fed.cls.letters(fed, rank) if fed is not None else ("N", *("S",) * ((rank or 2) - 1))


def _dims(graph: Graph, entry: Entry, number: int, batch: Dim, time: Dim | None) -> Dims:
    fed = next(fed_by(graph, entry), None)
    letters = _letters(graph, entry, None if entry.sizes is None else len(entry.sizes))
    sizes = entry.sizes or (None,) * len(letters)
    if len(sizes) != len(letters):
        letters = tuple(f"A{index}" for index in range(len(sizes)))
    dims = [batch]
    for letter, size in list(zip(letters, sizes, strict=True))[1:]:
        if size is None and letter == "T" and time is not None:
            dims.append(time)
        elif size is None:
            usual = {"T": 3 + number, "C": 4}.get(letter[:1], _SPACE)
            dims.append(Dim(usual, f"{letter}{number}"))
        else:
            dims.append(Dim.of(size, f"{letter}{number}" if fed is not None else str(size)))
    return tuple(dims)


def token_range(graph: Graph, name: str) -> range | None:
    """The valid indices, if the input is passed to an Embedding; else None."""
    entry = next(entry for entry in graph.entries if entry.name == name)
    first = next(fed_by(graph, entry), None)
    return None if first is None else first.cls.tokens(first)
