"""Findings about connected layers: ranks, the number of returned values, stateful and unrolled layers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnshape.layers.base import flat
from rnnshape.layers.sequential import several_by
from rnnshape.reading.code.results import with_more
from rnnshape.scan.hits import Hit, with_argument
from rnnshape.scan.states import state_hits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers import Node
    from rnnshape.scan.finding import Edit
    from rnnshape.scan.steps import Step, Steps
    from rnnshape.scan.walk import Walk

_LONG = 100
_SHUFFLE = 8  # the position of shuffle in the arguments of fit
_FIXED = 3  # the lowest rank with a time axis


class Wiring:
    """Checks the steps of one walk."""

    def __init__(self, walk: Walk, steps: Steps) -> None:
        self.walk = walk
        self.source = walk.source
        self.steps = steps

    def hits(self) -> Iterator[Hit]:
        for step in self.steps.all:
            yield from self._several(step)
            if step.broken:
                yield from self._broken(step)
            yield from self._unpacked(step)
            yield from state_hits(self.steps, step)
            yield from self._stateful(step)
            yield from self._unrolled(step)
            yield from (Hit("rejected", f"{one.message}: {one.hint}", step.tree) for one in step.refusals)
        yield from self._shuffled()
        yield from (Hit("rejected", message, tree) for tree, message in self.walk.values.failing.items())

    # -- ranks ----------------------------------------------------------------------------------

    def _broken(self, step: Step) -> Iterator[Hit]:
        node, shapes = step.node, step.shapes
        wanted = len(node.cls.letters(node, None))
        ranks = {len(sizes) for sizes in shapes}
        if all(len(node.cls.letters(node, rank)) == rank for rank in ranks):
            # An operation fails for its axes, any other layer for its sizes.
            code = "rank" if node.cls.operation else "widths"
            yield Hit(code, f"{node.name} does not take {shapes[0]}", step.tree)
            return
        got = str(shapes[0]) if len(shapes) == 1 else f"{' or '.join(map(str, sorted(ranks)))} axes"
        loop = self._without_time(step)
        if loop is not None and wanted == _FIXED:
            call, name = loop
            what = f"{node.name} needs every time step, but {name} returns its last output {got}"
            edits = with_argument(self.source, call, "return_sequences=True")
            yield Hit("return-sequences", f"{what}: give {name} return_sequences=True", step.tree, edits)
            return
        letters = ", ".join(node.cls.letters(node, None))
        what = "its input is" if step.inputs[0].step is None else f"{step.inputs[0].step.node.name} returns"
        yield Hit("rank", f"{node.name} takes ({letters}), but {what} {got}", step.tree)

    def _without_time(self, step: Step) -> tuple[ast.expr, str] | None:
        """The call and name of the recurrent layer before a step, if it returns only its last output."""
        before = step.before
        while before is not None and before.node.cls.keeps_mask and before.node.name != "TimeDistributed":
            before = before.before
        if before is None:
            return None
        loop = next((part for part in before.node.walk() if part.has("return_sequences")), None)
        if loop is None or loop["return_sequences"] or before.node.name not in (loop.name, "Bidirectional"):
            return None
        return _constructor(before.tree, before.node), loop.name

    # -- results --------------------------------------------------------------------------------

    def _several(self, step: Step) -> Iterator[Hit]:
        """A layer is called on the whole result of a call that returns several values."""
        if step.node.cls.kind == "merge":
            return
        for ref in step.inputs:
            before = ref.step
            if before is None or ref.path or before.count in (None, 1):
                continue
            word = before.node.name
            what = f"{step.node.name} takes one tensor, but {word} returns {before.count} values ({_roles(before)})"
            advice = f"take the first, {word}(…)(x)[0], or drop {several_by(before.node)}"
            yield Hit("unpacking", f"{what}: {advice}", step.tree)

    def _unpacked(self, step: Step) -> Iterator[Hit]:
        if step.targets is None or step.count is None or step.targets == step.count:
            return
        names = f"{step.targets} name{'s are' if step.targets != 1 else ' is'} on the left"
        if step.count > 1:
            returned = f"{step.count} values: {_roles(step)}"
            yield Hit("unpacking", f"{names}, but {step.node.name} returns {returned}", step.call)
            return
        loop = next((part for part in step.node.walk() if part.has("return_state")), None)
        edits: tuple[Edit, ...] = ()
        if loop is not None and 1 + len(flat(step.begins)) == step.targets:
            edits = with_argument(self.source, _constructor(step.tree, step.node), "return_state=True")
        what = f"{names}, but {step.node.name} returns one tensor{with_more(step.node, step.targets)}"
        yield Hit("unpacking", what, step.call, edits)

    # -- stateful, unroll -----------------------------------------------------------------------

    def _stateful(self, step: Step) -> Iterator[Hit]:
        """A stateful layer after an input without a batch size."""
        if not _flagged(step.node, "stateful") or step.broken or len(step.shapes) != 1:
            return
        first = step
        while first.before is not None:
            first = first.before
        root = first.inputs[0].root
        if root is None or first.inputs[0].path or len(first.shapes) != 1 or first.shapes[0][0] is not None:
            return
        if _open_batch(root):
            what = f"{step.node.name} is stateful, but the input has no batch size: give Input batch_size=…"
            yield Hit("stateful-batch", what, step.tree)

    def _unrolled(self, step: Step) -> Iterator[Hit]:
        if not _flagged(step.node, "unroll") or len(step.shapes) != 1:
            return
        time = step.shapes[0][1] if len(step.shapes[0]) >= _FIXED else None
        if time is not None and time >= _LONG:
            what = f"{step.node.name} is unrolled over {time} time steps: drop unroll=True"
            yield Hit("long-unroll", what, step.tree)

    def _shuffled(self) -> Iterator[Hit]:
        for fit in self.walk.fits:
            given = {keyword.arg for keyword in fit.tree.keywords}
            # ** may contain shuffle, and Keras does not shuffle a data set or a generator.
            with_targets = len(fit.tree.args) > 1 or "y" in given
            said = None in given or "shuffle" in given or len(fit.tree.args) > _SHUFFLE
            if said or not with_targets or any(isinstance(one, ast.Starred) for one in fit.tree.args):
                continue
            if any(_flagged(layer.node, "stateful") for layer in fit.model.layers):
                what = "fit shuffles the samples of a stateful model: add shuffle=False"
                edits = with_argument(self.source, fit.tree, "shuffle=False")
                yield Hit("stateful-shuffle", what, fit.tree, edits)


def _flagged(node: Node, name: str) -> bool:
    return any(part.has(name) and part[name] is True for part in node.walk())


def _open_batch(root: ast.expr) -> bool:
    """Whether this is an Input without a batch size."""
    if not isinstance(root, ast.Call):
        return False
    given = {keyword.arg for keyword in root.keywords}
    return not given & {"batch_size", "batch_shape", "batch_input_shape", "tensor", None} and len(root.args) < 2


def _roles(step: Step) -> str:
    return ", ".join(step.roles)


def _constructor(tree: ast.expr, node: Node) -> ast.expr:
    """The constructor call of the recurrent layer, which may be inside a Bidirectional."""
    if node.name == "Bidirectional" and isinstance(tree, ast.Call) and tree.args:
        return tree.args[0]
    return tree
