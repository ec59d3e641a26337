"""Findings about the states that a call passes: their number, order and size."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnshape.layers.base import Leaf
from rnnshape.reading.code.calling import State
from rnnshape.scan.hits import Hit
from rnnshape.scan.steps import Ref, has_unknown, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.scan.steps import Sizes, Step, Steps


def state_hits(steps: Steps, step: Step) -> Iterator[Hit]:
    """The findings in the states of a call; unknown states are skipped.

    So are the nested states of stacked cells.
    """
    wanted = list(step.begins) if isinstance(step.begins, tuple | list) else []
    if not step.has_states or not wanted or not all(isinstance(leaf, Leaf) for leaf in wanted):
        return
    place = _place(step)
    yield from _made(step, wanted, place)
    passed = _counted(step.states, len(wanted))
    if passed is None:
        return
    if len(passed) != len(wanted):
        are = "one state is" if len(passed) == 1 else f"{len(passed)} are"
        yield Hit("states", f"{step.node.name} takes {_written(wanted)}, but {are} passed", place)
        return
    for ref, leaf in zip(passed, wanted, strict=True):
        yield from _state(steps, step, ref, leaf, place)


def _counted(states: object, wanted: int) -> list[Ref] | None:
    """The passed states, from a list of tensors or a single tensor; None if they are unknown."""
    if isinstance(states, Ref):
        one = states.step is not None and (states.path or states.step.count == 1)
        # If the layer has one state, Keras accepts it without a list.
        return [states] if one and wanted > 1 else None
    if not isinstance(states, list):
        return None
    single = [ref for ref in states if isinstance(ref, Ref) and not _whole(ref)]
    return single if len(single) == len(states) else None


def _whole(ref: Ref) -> bool:
    """Whether it is the whole result of a call that returns several tensors."""
    return ref.step is not None and not ref.path and ref.step.count != 1


def _made(step: Step, wanted: list[Leaf], place: ast.expr) -> Iterator[Hit]:
    """Findings in states that the call itself creates, such as ``tf.zeros((1, 8))``."""
    made = [step.made_states] if isinstance(step.made_states, State) else list(step.made_states or ())
    if len(made) != len(wanted):
        return
    for one, leaf in zip(made, wanted, strict=True):
        if isinstance(one, State) and one.shape is not None:
            yield from _size(step, tuple(map(plain, one.shape)), leaf, place)


def _state(steps: Steps, step: Step, ref: Ref, leaf: Leaf, place: ast.expr) -> Iterator[Hit]:
    role = _role(ref)
    if ref.step is not None and {role[-2:], leaf.role[-2:]} == {"_h", "_c"}:
        what = f"{role} of {ref.step.node.name} is passed as {leaf.role}"
        yield Hit("swapped-states", f"{what}: pass [state_h, state_c]", place)
    elif ref.step is not None and len(shapes := steps.shapes(ref)) == 1:
        yield from _size(step, shapes[0], leaf, place)


def _role(ref: Ref) -> str:
    if ref.step is None or len(ref.path) != 1 or ref.path[0] >= len(ref.step.roles):
        return ""
    return ref.step.roles[ref.path[0]]


def _size(step: Step, sizes: Sizes, leaf: Leaf, place: ast.expr) -> Iterator[Hit]:
    """A state with a wrong width, or with one sample where the input has more."""
    if len(sizes) != len(leaf.dims):
        return
    width = leaf.dims[-1].size
    batches = {shape[0] for shape in step.shapes}
    if sizes[-1] is not None and sizes[-1] != width and not has_unknown(step.node):
        yield Hit("widths", f"a state of width {sizes[-1]} is passed as {leaf.role}, whose width is {width}", place)
    elif sizes[0] == 1 and len(batches) == 1 and not batches & {None, 1}:
        what = f"{leaf.role} has batch size 1, but the input has {batches.pop()}"
        yield Hit("broadcast-state", f"{what}: Keras uses it for every sample", place)


def _place(step: Step) -> ast.expr:
    """The argument of the call that contains the states."""
    if not isinstance(step.call, ast.Call):
        return step.tree
    named = (keyword.value for keyword in step.call.keywords if keyword.arg == "initial_state")
    return next(named, step.call.args[1] if len(step.call.args) > 1 else step.call)


def _written(wanted: list[Leaf]) -> str:
    return f"{len(wanted)} states, [{', '.join(leaf.role for leaf in wanted)}]" if len(wanted) > 1 else "one state"
