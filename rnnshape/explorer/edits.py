"""Edits of a layer: each gives a new tree, and what the tree holds stays as it is otherwise.

>>> from rnnshape.reading import make
>>> layer = make("LSTM(8) | Dense(3)").layer
>>> wrapped(layer, ("layers", 0)).text
'Bidirectional(LSTM(8)) | Dense(3)'
>>> changed(layer, ("layers", 1), "units", 5).text
'LSTM(8) | Dense(5)'
>>> made_into(layer, ("layers", 0), "GRU").text, made_into(layer, ("layers", 0), "RNN").text
('GRU(8) | Dense(3)', 'RNN(LSTMCell(8)) | Dense(3)')

A path says where a layer stands: the names of the arguments that lead to it, and its number in a list.
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
"""What can stand by itself or in a stack, the recurrent layers first; to wrap is an edit of its own."""


def places(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Each layer and cell with its path, outermost first; a stack itself is none."""
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
    """The layer to which the path leads.

    Raises:
        LookupError: there is none.
    """
    found: Any = node
    for step in path:
        found = found[step]
    if not isinstance(found, Node):
        raise LookupError(path)  # noqa: TRY004  the path leads to no layer
    return found


def put(node: Node, path: Path, new: Node) -> Node:
    """The tree with another layer at this place."""
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
    """The tree in which one argument of one layer has another value."""
    return put(node, path, at(node, path).but(**{argument: value}))


def loop_at(node: Node, path: Path) -> Path | None:
    """The path of the recurrent layer at this place, around it or within it; None where there is none."""
    for end in range(len(path), -1, -1):
        with suppress(LookupError):
            if at(node, path[:end]).cls.kind == "recurrent":
                return path[:end]
    within = (found for found, part in places(node) if found[: len(path)] == path and part.cls.kind == "recurrent")
    return next(within, None)


def is_wrapped(node: Node, loop: Path) -> bool:
    """Whether the recurrent layer at this place stands in a Bidirectional."""
    return loop[-1:] == ("layer",) and at(node, loop[:-1]).name == "Bidirectional"


def wrapped(node: Node, path: Path) -> Node:
    """The tree in which the recurrent layer at this place stands in a Bidirectional."""
    return put(node, path, Node.of(TABLE["Bidirectional"], {"layer": at(node, path)}))


def unwrapped(node: Node, path: Path) -> Node:
    """The tree in which the layer at this place stands for what was around it."""
    return put(node, path[:-1], at(node, path))


def classes_for(node: Node, path: Path) -> tuple[str, ...]:
    """The classes that can stand at this place."""
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
    """The tree in which the layer at this place is of another class; it keeps the arguments that both have.

    An LSTM that becomes an RNN gives what its cell takes to that, and takes it back from there.
    """
    before = at(node, path)
    values = dict(before.given)
    cell = values.get("cell")
    if isinstance(cell, Node):
        values = {**dict(cell.given), **values}
    wanted = _CELL_OF.get(before.name) if name == "RNN" else None
    return put(node, path, _made(TABLE[name], values, wanted))


def appended(node: Node, name: str) -> Node:
    """The stack with one layer more at its end; it has the size of the last one where both have one."""
    last = node.in_turn[-1]
    size = next(({"units": last[name]} for name in ("units", "filters") if last.has(name)), {})
    return Node.of(TABLE["Sequential"], {"layers": (*node.in_turn, _made(TABLE[name], size))})


def removed(node: Node, path: Path) -> Node:
    """The stack without the layer at this place; one that is left alone stands by itself."""
    number = path[1]
    left = [layer for place, layer in enumerate(node.in_turn) if place != number]
    return left[0] if len(left) == 1 else node.but(layers=tuple(left))


def _made(cls: LayerClass, values: Mapping[str, Any], cell: str | None = None) -> Node:
    """A layer of this class with those of the values that it takes; what Keras demands is as a command has it."""
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
    """What stands in a layer of a new class: what stood there before, else an LSTM or its cell."""
    inner = values.get(name)
    if inner is None:
        inner = _made(TABLE[cell or "LSTMCell"] if kind.role == "cell" else TABLE["LSTM"], values)
    return (inner,) if name == "cells" and isinstance(inner, Node) else inner
