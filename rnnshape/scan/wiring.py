"""What goes wrong where layers meet: ranks, the number of values, states and their sizes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnshape.layers.base import Leaf
from rnnshape.scan.hits import Hit, with_argument
from rnnshape.scan.steps import Ref, Step, flat, has_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers import Node
    from rnnshape.scan.steps import Sizes, Steps
    from rnnshape.scan.walk import Walk

_LONG = 100
_FIXED = 3  # the ranks from which a time axis is there


class Wiring:
    """Looks at the steps of one walk."""

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
            if step.states is not None:
                yield from self._states(step)
            yield from self._stateful(step)
            yield from self._unrolled(step)
        yield from self._shuffled()

    # -- ranks ----------------------------------------------------------------------------------

    def _broken(self, step: Step) -> Iterator[Hit]:
        node, shapes = step.node, step.shapes
        wanted = len(node.cls.letters(node, None))
        ranks = {len(sizes) for sizes in shapes}
        if all(len(node.cls.letters(node, rank)) == rank for rank in ranks):
            yield Hit("RNN108", f"{node.name} does not take {_said(shapes[0])}", step.tree)
            return
        got = _said(shapes[0]) if len(shapes) == 1 else f"{' or '.join(map(str, sorted(ranks)))} axes"
        loop = self._without_time(step)
        if loop is not None and wanted == _FIXED:
            call, name = loop
            message = f"{node.name} needs every time step, and {name} returns its last output {got}: give {name} return_sequences=True"
            yield Hit("RNN101", message, step.tree, with_argument(self.source, call, "return_sequences=True"))
            return
        letters = ", ".join(node.cls.letters(node, None))
        what = "its input is" if step.inputs[0].step is None else f"{step.inputs[0].step.node.name} returns"
        yield Hit("RNN102", f"{node.name} takes ({letters}), and {what} {got}", step.tree)

    def _without_time(self, step: Step) -> tuple[ast.expr, str] | None:
        """The recurrent layer before a step that returns its last output only, where its sequence would fit."""
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
        """A call that returns several values goes into a layer as a whole."""
        if step.node.cls.kind == "merge":
            return
        for ref in step.inputs:
            before = ref.step
            if before is None or ref.path or before.count in (None, 1):
                continue
            word = before.node.name
            yield Hit(
                "RNN103",
                f"{step.node.name} takes one tensor, and {word} returns {before.count} values ({_roles(before)}): "
                f"take the first, {word}(…)(x)[0], or drop return_state=True",
                step.tree,
            )

    def _unpacked(self, step: Step) -> Iterator[Hit]:
        if step.targets is None or step.count is None or step.targets == step.count:
            return
        names = f"{step.targets} name{'s are' if step.targets != 1 else ' is'} on the left"
        if step.count > 1:
            yield Hit("RNN103", f"{names}, and {step.node.name} returns {step.count} values: {_roles(step)}", step.call)
            return
        loop = next((part for part in step.node.walk() if part.has("return_state")), None)
        edits = ()
        if loop is not None and self._count_with_states(step) == step.targets:
            edits = with_argument(self.source, _constructor(step.tree, step.node), "return_state=True")
        hint = ": add return_state=True" if loop is not None else ""
        yield Hit("RNN103", f"{names}, and {step.node.name} returns one tensor{hint}", step.call, edits)

    def _count_with_states(self, step: Step) -> int:
        return 1 + sum(1 for _ in flat(step.begins))

    # -- states ---------------------------------------------------------------------------------

    def _states(self, step: Step) -> Iterator[Hit]:
        """The states that are passed against those that the layer takes; what is not known is passed over."""
        wanted = list(step.begins) if isinstance(step.begins, tuple | list) else []
        if not wanted or not all(isinstance(leaf, Leaf) for leaf in wanted):
            return
        whole = step.states
        place = _states_tree(step.call) or step.tree
        if isinstance(whole, Ref):
            one = whole.step is not None and (whole.path or whole.step.count == 1)
            if one and len(wanted) > 1:
                yield Hit("RNN106", f"{step.node.name} takes {_written(wanted)}, and one state is passed", place)
            return
        if any(not isinstance(one, Ref) for one in whole):
            return
        if any(one.step is not None and not one.path and one.step.count != 1 for one in whole):
            return
        if len(whole) != len(wanted):
            yield Hit("RNN106", f"{step.node.name} takes {_written(wanted)}, and {len(whole)} are passed", place)
            return
        for ref, leaf in zip(whole, wanted, strict=True):
            yield from self._state(step, ref, leaf, place)

    def _state(self, step: Step, ref: Ref, leaf: Leaf, place: ast.expr) -> Iterator[Hit]:
        role = self._role(ref)
        if {role[-2:], leaf.role[-2:]} == {"_h", "_c"}:
            assert ref.step is not None
            yield Hit("RNN201", f"{role} of {ref.step.node.name} is in the place of {leaf.role}: pass [state_h, state_c]", place)
            return
        shapes = self.steps.shapes(ref) if ref.step is not None else self._made(ref)
        if len(shapes) != 1 or len(shapes[0]) != len(leaf.dims):
            return
        sizes = shapes[0]
        width = leaf.dims[-1]
        if sizes[-1] is not None and sizes[-1] != width.size and not has_unknown(step.node):
            yield Hit("RNN108", f"a state of width {sizes[-1]} is passed as {leaf.role}, whose width is {width.size}", place)
        elif sizes[0] == 1 and ref.step is None and all(one[0] not in (None, 1) for one in step.shapes) and step.shapes:
            batch = step.shapes[0][0]
            yield Hit("RNN202", f"{leaf.role} has batch size 1 and the input {batch}: Keras uses it for every sample", place)

    def _made(self, ref: Ref) -> tuple[Sizes, ...]:
        """The shape of a tensor that is made in the line."""
        if ref.root is None:
            return ()
        sizes = self.walk.values.tensors.made(self.walk.names.resolved(ref.root))
        return () if sizes is None else (tuple(size if type(size) is int else None for size in sizes),)

    def _role(self, ref: Ref) -> str:
        if ref.step is None or len(ref.path) != 1 or ref.path[0] >= len(ref.step.roles):
            return ""
        return ref.step.roles[ref.path[0]]

    # -- stateful, unroll -----------------------------------------------------------------------

    def _stateful(self, step: Step) -> Iterator[Hit]:
        """A stateful layer behind an input whose batch size the code leaves open."""
        if not _flagged(step.node, "stateful") or step.broken or len(step.shapes) != 1:
            return
        first = step
        while first.before is not None:
            first = first.before
        root = first.inputs[0].root
        if root is None or first.inputs[0].path or len(first.shapes) != 1 or first.shapes[0][0] is not None:
            return
        if not _open_batch(root):
            return
        yield Hit("RNN107", f"{step.node.name} is stateful, and the input has no batch size: give Input batch_size=…", step.tree)

    def _unrolled(self, step: Step) -> Iterator[Hit]:
        if not _flagged(step.node, "unroll") or len(step.shapes) != 1:
            return
        time = step.shapes[0][1] if len(step.shapes[0]) >= _FIXED else None
        if time is not None and time >= _LONG:
            yield Hit("RNN302", f"{step.node.name} is unrolled over {time} time steps: drop unroll=True", step.tree)

    def _shuffled(self) -> Iterator[Hit]:
        for fit in self.walk.fits:
            given = {keyword.arg for keyword in fit.tree.keywords}
            # Behind ** anything may stand, and of a data set or a generator Keras does not shuffle.
            with_targets = len(fit.tree.args) > 1 or "y" in given
            if None in given or "shuffle" in given or not with_targets or any(isinstance(a, ast.Starred) for a in fit.tree.args):
                continue
            if any(_flagged(layer.node, "stateful") for layer in fit.model.layers):
                yield Hit("RNN207", "fit shuffles the samples of a stateful model: add shuffle=False", fit.tree, with_argument(self.source, fit.tree, "shuffle=False"))


def _flagged(node: Node, name: str) -> bool:
    return any(part.has(name) and part[name] is True for part in node.walk())


def _open_batch(root: ast.expr) -> bool:
    """Whether what stands there is an Input without a batch size."""
    if not isinstance(root, ast.Call):
        return False
    given = {keyword.arg for keyword in root.keywords}
    return not given & {"batch_size", "batch_shape", "batch_input_shape", "tensor", None} and len(root.args) < 2


def _states_tree(call: ast.expr) -> ast.expr | None:
    if not isinstance(call, ast.Call):
        return None
    named = (keyword.value for keyword in call.keywords if keyword.arg == "initial_state")
    return next(named, call.args[1] if len(call.args) > 1 else None)


def _roles(step: Step) -> str:
    return ", ".join(step.roles)


def _written(wanted: list[Leaf]) -> str:
    return f"{len(wanted)} states, [{', '.join(leaf.role for leaf in wanted)}]" if len(wanted) > 1 else "one state"


def _constructor(tree: ast.expr, node: Node) -> ast.expr:
    """The constructor call of the recurrent layer: the one inside of a Bidirectional."""
    if node.name == "Bidirectional" and isinstance(tree, ast.Call) and tree.args:
        return tree.args[0]
    return tree


def _said(sizes: Sizes) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in sizes)})"
