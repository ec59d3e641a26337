"""The layer unrolled over time, as data: its cells, their direction, and what each of them returns.

>>> from rnnshape.reading import make
>>> from rnnshape.theory.predict import predict
>>> spec = make("Bidirectional(LSTM(4, return_state=True))")
>>> picture = unroll(spec, predict(spec).returned)
>>> [(lane.name, lane.leftward) for lane in picture.layers[0].lanes], picture.layers[0].merge
([('forward', False), ('backward', True)], 'concat')
>>> [[tensor.role for tensor in cell.leaving] for lane in picture.layers[0].lanes for cell in lane.cells]
[['forward_state_h', 'forward_state_c'], ['backward_state_h', 'backward_state_c']]

Left and right refer to a picture whose columns are the time steps, in the order in which the first loop reads them: so
the first loop always goes to the right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rnnshape.layers.base import Given, flat
from rnnshape.layers.copying import directions
from rnnshape.layers.dims import Dim
from rnnshape.layers.recurrent import cell_of
from rnnshape.layers.sequential import takes_states
from rnnshape.structure import Tensor, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rnnshape.layers import Node
    from rnnshape.layers.base import Dims
    from rnnshape.spec import Spec
    from rnnshape.structure import Structure


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, which computes one step: its class, the roles of its states, and the states that are returned."""

    name: str
    roles: tuple[str, ...] = ()
    leaving: tuple[Tensor, ...] = ()

    @property
    def states(self) -> tuple[str, ...]:
        """The symbols of its states in equations: ``h``, and ``c`` for the memory."""
        return tuple("c" if role.endswith("_c") else "h" for role in self.roles)


@dataclass(frozen=True, slots=True)
class Lane:
    """One pass over the sequence: stacked cells, the first at the bottom."""

    name: str
    cells: tuple[Cell, ...]
    leftward: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: a lane, or two lanes, of which the forward one is the first.

    * ``over_time``: whether it is drawn at every step.
    * ``sequences``: whether every step has an output, in the order of the columns unless ``turned``.
    * ``merge``: how the outputs of two lanes are merged.
    * ``masked``: whether it skips masked steps.
    * ``begins``: its initial states: zeros, those ``kept`` from the last call, those ``handed`` in as
      ``initial_state``, or those ``given`` to a cell.
    * ``letters``: the symbolic shape of its output.
    * ``mixes``: whether it is drawn once over all steps, because it uses several of them, such as a convolution.
    """

    lanes: tuple[Lane, ...]
    over_time: bool
    sequences: bool
    turned: bool = False
    merge: str | None = None
    masked: bool = False
    begins: Literal["zeros", "kept", "handed", "given"] = "zeros"
    letters: tuple[str, ...] = ()
    mixes: bool = False


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The whole picture: the input, the layers from the bottom up, the outputs of the last one.

    ``steps`` is T; None without a time axis.  ``backwards`` says that the columns start with the last step.  ``mask``
    has one row for each sample, in the order of time.
    """

    letters: tuple[str, ...]
    steps: int | None
    layers: tuple[Layer, ...]
    outputs: tuple[Tensor, ...]
    backwards: bool = False
    mask: tuple[tuple[bool, ...], ...] | None = None
    notes: tuple[str, ...] = ()


def unroll(spec: Spec, returned: Structure, flow: Sequence[Structure] = ()) -> Unrolled:
    """The picture of a layer; ``returned`` is its result, ``flow`` the results of the layers of a stack."""
    nodes = spec.layer.in_turn
    passed = flow or (returned,)
    inputs = [spec.dims, *(_dims(next(leaves(structure))) for structure in passed)]
    first = next((node for node in nodes if _loops(node)), None)
    backwards = first is not None and _backwards(first)
    layers: list[Layer] = []
    # Whether the time index of the current tensor grows to the left.
    turned, masked = backwards, spec.mask is not None
    for node, dims, structure in zip(nodes, inputs, passed, strict=False):
        handed = spec.initial_state not in (None, "zeros") and takes_states(node)
        # With an initial_state, a mask attached to the tensor is dropped.
        dropped = spec.initial_state is not None and takes_states(node) and node is not nodes[0]
        layer = _layer(node, dims, turned=turned, masked=masked and not dropped)
        if handed:
            layer = replace(layer, begins="handed")
        output = next(leaves(structure))
        if not _loops(node):
            layer = replace(layer, sequences=_timed(_dims(output)) and node.cls.kind != "cell")
        layers.append(replace(layer, letters=output.symbolic))
        turned, masked = layer.turned, masked and layer.sequences
    tensors = {tensor.role: tensor for tensor in leaves(returned)}
    layers[-1] = _leaving(layers[-1], tensors)
    held = {tensor.role for lane in layers[-1].lanes for cell in lane.cells for tensor in cell.leaving}
    return Unrolled(
        letters=spec.symbolic,
        steps=spec.dims[1].size if _timed(spec.dims) and nodes[0].cls.kind != "cell" else None,
        layers=tuple(layers),
        outputs=tuple(tensor for tensor in tensors.values() if tensor.role not in held),
        backwards=backwards,
        mask=spec.mask,
        notes=(*_notes(spec, nodes), *_other_time(nodes, inputs)),
    )


def _dims(tensor: Tensor) -> Dims:
    return tuple(map(Dim, tensor.shape, tensor.symbolic))


def _timed(dims: Dims) -> bool:
    return len(dims) > 1 and dims[1].letter == "T"


def _both(node: Node) -> bool:
    return node.has("merge_mode")


def _loops(node: Node) -> bool:
    return node.cls.kind == "recurrent" or _both(node)


def _ahead(node: Node) -> Node:
    """The layer itself; of a Bidirectional, the forward layer."""
    return directions(node)[0] if _both(node) else node


def _backwards(node: Node) -> bool:
    return bool(_ahead(node)["go_backwards"])


def _layer(node: Node, dims: Dims, *, turned: bool, masked: bool) -> Layer:
    """One layer on this input; ``turned`` says that the time index of the input grows to the left."""
    over_time = _timed(dims) and node.cls.kind != "cell"
    if not _loops(node):
        begins: Literal["zeros", "given"] = "given" if node.cls.kind == "cell" else "zeros"
        mixes = not (node.cls.keeps_mask or node.cls.makes_mask) and node.cls.kind != "cell"
        lane = Lane("", _around(node, dims))
        return Layer((lane,), over_time and not mixes, over_time, turned, mixes=mixes, begins=begins)
    leftward = turned != _backwards(node)
    ways = zip(("forward", "backward"), directions(node), strict=True) if _both(node) else [("", node)]
    roles = _states(node, dims)
    lanes = []
    for number, (name, loop) in enumerate(ways):
        cells = tuple(_cells(_core(loop), f"{name}_" if name else "", roles))
        lanes.append(Lane(name, cells, leftward != bool(number)))
    loop = _ahead(node)
    return Layer(
        tuple(lanes),
        over_time,
        over_time and loop["return_sequences"],
        leftward,
        node["merge_mode"] if _both(node) else None,
        masked,
        "kept" if loop["stateful"] else "zeros",
    )


def _core(loop: Node) -> Node:
    """The cell of an RNN; a fused layer itself."""
    return cell_of(loop) if loop.has("cell") else loop


def _states(node: Node, dims: Dims) -> list[str]:
    """The roles of all states, returned or not."""
    return [leaf.role for leaf in flat(node.cls.theory(node, Given(dims, "float32")).states)]


def _around(node: Node, dims: Dims) -> tuple[Cell, ...]:
    """A cell, or a layer that works on each step alone."""
    if node.cls.kind != "cell":
        inner = node["layer"] if node.has("layer") else node
        return (Cell(inner.name),)
    return tuple(_cells(node, "", _states(node, dims)))


def _cells(node: Node, prefix: str, roles: Sequence[str]) -> Iterator[Cell]:
    """The cells of a stack of cells, or the single cell."""
    if node.has("cells"):
        for number, inner in enumerate(node["cells"]):
            yield from _cells(inner, f"{prefix}cell{number}_", roles)
        return
    own = (f"{prefix}state", f"{prefix}state_h", f"{prefix}state_c")
    yield Cell(node.name, tuple(role for role in roles if role in own))


def _leaving(layer: Layer, tensors: Mapping[str, Tensor]) -> Layer:
    """The last layer with the returned states of each cell."""

    def returning(cell: Cell) -> Cell:
        return replace(cell, leaving=tuple(tensors[role] for role in cell.roles if role in tensors))

    return replace(layer, lanes=tuple(replace(lane, cells=tuple(map(returning, lane.cells))) for lane in layer.lanes))


def _notes(spec: Spec, nodes: Sequence[Node]) -> Iterator[str]:
    """The notes about what the picture does not show."""
    loops = [node for node in nodes if _loops(node)]
    if any(not _both(node) and node["go_backwards"] for node in loops):
        yield "go_backwards: the last step is read first, and the output stays in that order."
    if any(_ahead(node)["stateful"] for node in loops) and not spec.initial_state:
        yield "stateful: the next call starts from the final states of this one."
    if spec.initial_state not in (None, "zeros") and loops:
        yield f"h0: the initial states, {spec.initial_state}."
    if spec.mask is not None and loops:
        yield "mask: a dashed step is skipped in the samples that have 0 there; their states are kept."
    for node in nodes:
        if node.has("layer") and not _both(node) and any(map(_loops, node["layer"].walk())):
            yield f"TimeDistributed: each step is a whole sequence for {node['layer'].short}, which starts again."


def _other_time(nodes: Sequence[Node], inputs: Sequence[Dims]) -> Iterator[str]:
    """The notes about loops over another axis than the columns, after a layer that removed the time axis."""
    for number, (node, dims) in enumerate(zip(nodes, inputs, strict=False), 1):
        if _loops(node) and not _timed(dims):
            yield f"layer {number}, {node.short}, reads {dims[1].letter} as its time and is not unrolled."
