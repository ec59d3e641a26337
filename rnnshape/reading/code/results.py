"""The results of a call in pasted code: their roles, and how many tensors each of them holds."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from rnnshape.layers.base import Given, Leaf
from rnnshape.layers.changes import everywhere
from rnnshape.layers.dims import Dim
from rnnshape.layers.release import KERAS_3, asked

if TYPE_CHECKING:
    from rnnshape.layers import Node
    from rnnshape.reading.code.made import Applied

# An input size, to count the results of a layer; any would do.
_ANY = 16


def results_of(node: Node, targets: int | None) -> tuple[tuple[str, ...], tuple[int, ...], type]:
    """The roles of the returned values, the number of tensors in each (0: a tensor), and their container.

    Both are empty for a bare tensor.

    Without a rule for the layer, the number of names on the left is the number of values.
    """
    if node.without_rule:
        return tuple(f"state_{number - 1}" if number else "output" for number in range(targets or 0)), (), tuple
    last = node.in_turn[-1]
    if not any(part.cls.kind in ("recurrent", "cell") for part in last.walk()):
        return (), (), tuple  # one tensor, whatever the rank of the input is
    letters = last.cls.letters(last, None)
    answer = last.cls.theory(last, Given(tuple(Dim(_ANY, letter) for letter in letters), "float32"))
    if isinstance(answer.returned, Leaf):
        return (), (), tuple
    roles = tuple(item.role if isinstance(item, Leaf) else "states" for item in answer.returned)
    counts = tuple(0 if isinstance(item, Leaf) else len(item) for item in answer.returned)
    return roles, counts, type(answer.returned)


def with_more(node: Node, count: int) -> str:
    """What lets a layer that returns one tensor return several, if possible ``count``; empty if nothing does.

    ``": with return_state=True it returns 3 values: output, state_h, state_c"``
    """
    found = []
    for name, value in (("return_state", True), ("merge_mode", None)):
        roles, *_ = results_of(_with(node.in_turn[-1], name, value), None)
        if roles:
            said = f": with {name}={value} it returns {len(roles)} values: {', '.join(roles)}"
            found.append((len(roles) != count, said))
    return min(found, key=itemgetter(0), default=(False, ""))[1]


def _with(node: Node, name: str, value: Any) -> Node:
    """The layer with another value of an argument, wherever it has it: the forward layer of a Bidirectional, too."""
    return everywhere(node, lambda part: part.but(**{name: value}) if part.has(name) else part)


def as_passed(call: Applied) -> tuple[int, ...]:
    """How many tensors each result holds; a state of a stack of cells is returned alone if it is passed alone."""
    states, before = call.states, len(call.nested) - len(call.states if isinstance(call.states, list) else ())
    if call.node.cls.kind == "cell" and call.nested[-1] < 2:  # the state of a GRUCell, or the list with it
        return (*call.nested[:-1], int(isinstance(states, list)))
    if asked() < KERAS_3 or not isinstance(states, list) or before < 1:
        return call.nested
    formed = (
        0 if count == 1 and not isinstance(state, list) else count
        for state, count in zip(states, call.nested[before:], strict=True)
    )
    return (*call.nested[:before], *formed)
