"""Reads nested calls of layers as a stack: ``Dense(1)(LSTM(8)(x))`` is ``LSTM(8) | Dense(1)``.

The other arguments of the calls become options of one run; an argument that a run cannot have is an error.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeGuard

from rnnshape.layers import TABLE, Node
from rnnshape.reading.code.mistakes import is_a_cell
from rnnshape.reading.code.syntax import called as name_called
from rnnshape.reading.code.syntax import joined
from rnnshape.reading.code.tensors import INPUTS
from rnnshape.spec.calls import drops
from rnnshape.spec.options import INITIAL_STATE, TRAINING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.reading.code.calling import Called
    from rnnshape.reading.code.syntax import Source, Span


@dataclass(frozen=True, slots=True)
class Step:
    """One layer that is called: its node, its expression, and the other arguments of the call."""

    node: Node
    tree: ast.expr
    called: Called


def is_called(tree: ast.expr) -> TypeGuard[ast.Call]:
    """Whether a layer is called here: ``LSTM(8)(x)``, ``(LSTM(8) | Dense(1))(x)``."""
    return isinstance(tree, ast.Call) and isinstance(tree.func, ast.Call | ast.BinOp)


def in_turn(tree: ast.expr) -> Iterator[ast.expr]:
    """The expressions of the layers that an input passes through, in order."""
    parts = joined(tree)
    if name_called(tree) == "Sequential" and isinstance(tree, ast.Call):
        inside = [*tree.args, *(keyword.value for keyword in tree.keywords if keyword.arg == "layers")]
        if inside and isinstance(inside[0], ast.List | ast.Tuple):
            parts = inside[0].elts
    yield from (part for part in parts if name_called(part) not in INPUTS)


def stacked(steps: Sequence[Step]) -> Node:
    """The layers of the calls as one stack; a single layer is not wrapped."""
    if len(steps) == 1:
        return steps[0].node
    return Node.of(TABLE["Sequential"], {"layers": tuple(part for step in steps for part in step.node.in_turn)})


def beside(steps: Sequence[Step], source: Source) -> Called:
    """The arguments of all calls except the inputs, as options of one run; report those that a run cannot have."""
    if len(steps) == 1:
        return steps[0].called
    first = steps[0]
    for step in steps:
        if step.node.cls.kind == "cell":
            source.wrong(is_a_cell(step.node), step.tree)
    begun = [step for step in steps if INITIAL_STATE.name in step.called.spans and step.node.cls.kind != "cell"]
    options, spans = dict(first.called.options), dict(first.called.spans)
    states = first.called.states
    for step in begun:
        options[INITIAL_STATE.name] = step.called.options[INITIAL_STATE.name]
        spans[INITIAL_STATE.name] = step.called.spans[INITIAL_STATE.name]
        states = step.called.states
    options.pop(TRAINING.name, None)
    if (training := _training(steps, source)) is not None:
        options[TRAINING.name], spans[TRAINING.name] = training
    return replace(first.called, options=options, spans=spans, states=states)


def _training(steps: Sequence[Step], source: Source) -> tuple[bool, Span] | None:
    """The value of ``training`` for the run, with its place; it must be the same for each layer with dropout."""
    said = [step for step in steps if TRAINING.name in step.called.options]
    if not said:
        return None
    dropping = [step for step in steps if any(map(drops, step.node.walk()))]
    values = {step.called.options.get(TRAINING.name, False) for step in dropping or said}
    if len(values) > 1 or (dropping and values == {False} and any(step.called.options[TRAINING.name] for step in said)):
        last = said[-1]
        what = "training must be the same for all layers: set it in the call of each layer with dropout, or in none"
        source.wrong_at(what, last.called.spans[TRAINING.name])
        return None
    return any(step.called.options[TRAINING.name] for step in said), said[-1].called.spans[TRAINING.name]
