"""Checks that a call fits its layer: the states that it passes, and the names that its result is unpacked into.

It reports what Keras accepts silently with another meaning: a bare tensor instead of a list of states, a (1, H) state
that is broadcast, h and c in the wrong order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Problem
from rnnshape.layers.base import Leaf, flat
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code.calling import State
from rnnshape.reading.code.results import with_more
from rnnshape.spec.options import INITIAL_STATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers import Node
    from rnnshape.layers.base import Returned
    from rnnshape.reading.code.calling import Called
    from rnnshape.spec.spec import Spec

# The name of one state, and not of a list of them; "state" may be either.
_ONE = re.compile(r"(?:^|_)(?:h|c)\d*$")


def misfits(called: Called, spec: Spec) -> Iterator[Problem]:
    """The problems with the states in the code, compared with those that the layer takes."""
    if called.states is None:
        return
    span = called.spans[INITIAL_STATE.name]
    begins = spec.layer.cls.theory(spec.layer, spec.given()).begins
    wanted = [begins] if isinstance(begins, Leaf) else begins  # a cell of Keras 2
    if not wanted:
        return
    written = _written(wanted)
    if isinstance(called.states, State):
        one = called.states
        if len(wanted) == 1 and isinstance(wanted[0], Leaf):
            yield from _state_problems(one, wanted[0])  # Keras takes a single state without a list, too
        # The value of a name may be a list; a value that is created in the call is a tensor.
        elif one.shape is not None or (spec.layer.cls.kind == "cell" and _ONE.search(one.name or "")):
            yield Problem("", f"pass the states as a list, {written}, not as one tensor", one.span)
        return
    if _nesting(called.states) != _nesting(wanted):
        count = len(list(_each(called.states)))
        yield Problem("", f"pass the states as {written}: {_given(count)} here, in another number or nesting", span)
        return
    for state, leaf in zip(_each(called.states), flat(wanted), strict=True):
        yield from _state_problems(state, leaf)


def bare_state(called: Called, spec: Spec) -> str | None:
    """The note about the only state of a cell, if the code may pass it in another form than this run; else None.

    A run passes it in a list; in Keras 2 without one.
    """
    if spec.layer.cls.kind != "cell" or called.states is None:
        return None
    begins = spec.layer.cls.theory(spec.layer, spec.given()).begins
    if len(flat(begins)) > 1 or isinstance(begins, Leaf) is isinstance(called.states, State):
        return None
    form = "list, y[1] is a list" if isinstance(begins, Leaf) else "tensor, y[1] is the state itself"
    return f"Keras returns the state of a cell as it is passed: if the code passes a {form}"


def unpacking(node: Node, returned: Returned, targets: int | None) -> str | None:
    """Why ``a, b = layer(x)`` does not fit the values that the layer returns; None if it does."""
    count = len(returned) if isinstance(returned, tuple | list) else 1
    if targets is None or targets == count:
        return None
    names = f"{targets} name{'s are' if targets > 1 else ' is'} on the left"
    if count > 1:
        roles = ", ".join(leaf.role if isinstance(leaf, Leaf) else "[…]" for leaf in returned)
        return f"{names}, but the call returns {count} values: {roles}"
    one = "the call returns one tensor, which Python would split along the batch"
    return f"{names}, but {one}{with_more(node, targets)}"


def _state_problems(state: State, leaf: Leaf) -> Iterator[Problem]:
    if state.name and (other := _wrong_order(state.name, leaf.role)):
        yield Problem("", f"{state.name} is in the place of {leaf.role}: {other}", state.span)
    shape, wanted = state.shape, tuple(dim.size for dim in leaf.dims)
    if shape is None or (len(shape) == len(wanted) and all(a in (None, b) for a, b in zip(shape, wanted, strict=True))):
        return
    letters = ", ".join(dim.letter for dim in leaf.dims)
    why = (
        "; Keras would broadcast it to all samples without an error"
        if shape[1:] == wanted[1:] and shape[0] == 1
        else ""
    )
    yield Problem("", f"{leaf.role} must be ({letters}) = {wanted}, not {shape}{why}", state.span)


def _wrong_order(name: str, role: str) -> str | None:
    """Why the name of a state contradicts its role; None if it does not."""
    if role.endswith(("_h", "_c")) and (found := re.search(r"(?:^|_)([hc])\d*(?:_|$)", name)) and found[1] != role[-1]:
        return "the order is h, then c"
    back = re.search(r"backward|bwd|(?:^|_)b_", name)
    ahead = re.search(r"forward|fwd|(?:^|_)f_", name)
    if (role.startswith("forward_") and back) or (role.startswith("backward_") and ahead):
        return "the forward states come first"
    return None


def _given(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'} given"


def _each(states: Any) -> Iterator[State]:
    if isinstance(states, State):
        yield states
    else:
        for state in states:
            yield from _each(state)


def _nesting(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) == 1 and asked() < KERAS_3:
        return _nesting(value[0])  # Keras 2 takes a single state in a list or without one
    return [_nesting(item) for item in value] if isinstance(value, list | tuple) else None


def _written(wanted: Returned) -> str:
    return wanted.role if isinstance(wanted, Leaf) else f"[{', '.join(map(_written, wanted))}]"
