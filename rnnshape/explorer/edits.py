"""Edits of a layer tree: each returns a new tree; the rest of the tree is unchanged.

>>> from rnnshape.reading import make
>>> layer = make("LSTM(8) | Dense(3)").layer
>>> wrapped(layer, ("layers", 0)).text
'Bidirectional(LSTM(8)) | Dense(3)'
>>> changed(layer, ("layers", 1), "units", 5).text
'LSTM(8) | Dense(5)'
>>> made_into(layer, ("layers", 0), "GRU").text, made_into(layer, ("layers", 0), "RNN").text
('GRU(8) | Dense(3)', 'RNN(LSTMCell(8)) | Dense(3)')

A path locates a layer: the names of the arguments that lead to it, and its index in a list.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from rnnshape.layers import TABLE, Node
from rnnshape.layers.arguments import REQUIRED, Nested
from rnnshape.layers.recurrent import FUSED_BY_CELL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.layers.node import LayerClass

Path: TypeAlias = tuple[str | int, ...]

_CELL_OF = {fused: cell for cell, fused in FUSED_BY_CELL.items()}
_RECURRENT = tuple(cls.name for cls in TABLE.values() if cls.kind == "recurrent")
_CELLS = tuple(cls.name for cls in TABLE.values() if cls.kind == "cell")
LAYERS = tuple(cls.name for cls in TABLE.values() if cls.kind in ("recurrent", "layer") and cls.name != "Bidirectional")
"""Layers that work alone or in a stack, recurrent ones first.  ``wrapped`` adds Bidirectional."""


def places(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Each layer and cell with its path, outermost first; a stack itself is not included."""
    if node.cls.kind == "graph":
        return
    if node.cls.kind != "stack":
        yield path, node
    for name, value in node.given:
        if isinstance(value, Node):
            yield from places(value, (*path, name))
        elif isinstance(value, tuple):
            for number, item in enumerate(value):
                if isinstance(item, Node):
                    yield from places(item, (*path, name, number))


def at(node: Node, path: Path) -> Node:
    """The layer at this path.

    Raises:
        LookupError: there is no layer at this path.
    """
    found: Any = node
    for step in path:
        found = found[step]
    if not isinstance(found, Node):
        raise LookupError(path)  # noqa: TRY004  the path is wrong, not the type
    return found


def put(node: Node, path: Path, new: Node) -> Node:
    """The tree with ``new`` at this path."""
    if not path:
        return new
    name, *rest = path
    assert isinstance(name, str)
    held = node[name]
    if isinstance(held, tuple):
        number, *inner = rest
        assert isinstance(number, int)
        held = (*held[:number], put(held[number], tuple(inner), new), *held[number + 1 :])
        return node.but(**{name: held})
    return node.but(**{name: put(held, tuple(rest), new)})


def changed(node: Node, path: Path, argument: str, value: Any) -> Node:
    """The tree with another value for one argument of one layer."""
    return put(node, path, at(node, path).but(**{argument: value}))


def loop_at(node: Node, path: Path) -> Path | None:
    """The path of the nearest recurrent layer: at this path, around it or inside it; None if there is none."""
    for end in range(len(path), -1, -1):
        with suppress(LookupError):
            if at(node, path[:end]).cls.kind == "recurrent":
                return path[:end]
    within = (found for found, part in places(node) if found[: len(path)] == path and part.cls.kind == "recurrent")
    return next(within, None)


def is_wrapped(node: Node, loop: Path) -> bool:
    """Whether the recurrent layer at this path is inside a Bidirectional."""
    return loop[-1:] == ("layer",) and at(node, loop[:-1]).name == "Bidirectional"


def wrapped(node: Node, path: Path) -> Node:
    """The tree with the recurrent layer at this path wrapped in a Bidirectional."""
    return put(node, path, Node.of(TABLE["Bidirectional"], {"layer": at(node, path)}))


def unwrapped(node: Node, path: Path) -> Node:
    """The tree with the wrapper of the layer at this path removed."""
    return put(node, path[:-1], at(node, path))


def classes_for(node: Node, path: Path) -> tuple[str, ...]:
    """The classes that are allowed at this path."""
    names = [step for step in path if isinstance(step, str)]
    role = "layer"
    if names:
        around = at(node, path[: -1 if path[-1] == names[-1] else -2])
        kind = around.cls.by_name[names[-1]].kind
        assert isinstance(kind, Nested)
        role = kind.role
    if role == "layer":
        return LAYERS if path else (*LAYERS, *_CELLS)
    return _CELLS if role == "cell" else _RECURRENT


def made_into(node: Node, path: Path, name: str) -> Node:
    """The tree with another class for the layer at this path; arguments that both classes have are kept.

    From LSTM to RNN, the arguments of the cell move to an LSTMCell; from RNN to LSTM, they move back.
    """
    before = at(node, path)
    values = dict(before.given)
    cell = values.get("cell")
    if isinstance(cell, Node):
        values = {**dict(cell.given), **values}
    wanted = _CELL_OF.get(before.name) if name == "RNN" else None
    return put(node, path, _made(TABLE[name], values, wanted))


def appended(node: Node, name: str) -> Node:
    """The stack with one more layer at the end, of the same size as the last one if both have a size."""
    last = node.in_turn[-1]
    size = next(({"units": last[name]} for name in ("units", "filters") if last.has(name)), {})
    return Node.of(TABLE["Sequential"], {"layers": (*node.in_turn, _made(TABLE[name], size))})


def removed(node: Node, path: Path) -> Node:
    """The stack without the layer at this path; if one layer is left, that layer."""
    number = path[1]
    left = [layer for place, layer in enumerate(node.in_turn) if place != number]
    return left[0] if len(left) == 1 else node.but(layers=tuple(left))


def _made(cls: LayerClass, values: Mapping[str, Any], cell: str | None = None) -> Node:
    """A layer of this class with the values that it accepts; missing required arguments get the command's default."""
    given: dict[str, Any] = {}
    for argument in cls.arguments:
        if isinstance(argument.kind, Nested):
            if argument.default is REQUIRED:
                given[argument.name] = _inner(argument.name, argument.kind, values, cell)
        elif argument.name in values and argument.kind.accepts(values[argument.name]):
            given[argument.name] = values[argument.name]
        elif argument.default is REQUIRED:
            given[argument.name] = argument.usual
    return Node.of(cls, given)


def _inner(name: str, kind: Nested, values: Mapping[str, Any], cell: str | None) -> Any:
    """The nested layer of a new class: the one from before, else an LSTM or a cell."""
    inner = values.get(name)
    if inner is None:
        inner = _made(TABLE[cell or "LSTMCell"] if kind.role == "cell" else TABLE["LSTM"], values)
    return (inner,) if name == "cells" and isinstance(inner, Node) else inner
