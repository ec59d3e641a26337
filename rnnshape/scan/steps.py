"""The calls of a file as steps: the layer, its inputs and its states; a model has a step for each layer.

Each tensor has its possible shapes: one if it is known, else one for each possible rank.  An unknown size is None; no
finding depends on it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from rnnshape.errors import RnnshapeError
from rnnshape.layers.base import Given, Leaf
from rnnshape.layers.dims import Dim
from rnnshape.layers.stand_ins import Size
from rnnshape.reading.code.made import Applied, Model, Tensor
from rnnshape.reading.code.syntax import called
from rnnshape.reading.code.tensors import INPUTS

if TYPE_CHECKING:
    from rnnshape.layers import Node
    from rnnshape.layers.base import Refusal
    from rnnshape.scan.walk import Walk

Sizes: TypeAlias = tuple[int | None, ...]
_ANY_RANK: tuple[Sizes, ...] = tuple((None,) * rank for rank in range(1, 6))
# Two stand-ins for an unknown size: a result that differs between them depends on it.
_STANDS = (2520, 5040)


@dataclass(eq=False, slots=True)
class Ref:
    """A tensor: a result of a step (``path`` says which), or an input of the code."""

    step: Step | None = None
    path: tuple[int, ...] = ()
    root: ast.expr | None = None


@dataclass(eq=False, slots=True)
class Step:
    """One call of one layer.

    ``tree`` is the constructor call of the layer, ``call`` the call on its inputs.  ``states`` are nested as they are
    passed (None: unknown), ``made_states`` are states created in the call itself.  ``shapes`` are the possible shapes
    of the input; ``broken`` is true if the layer accepts none of them.  ``refusals`` are the errors that Keras raises
    for each possible shape.
    """

    node: Node
    tree: ast.expr
    call: ast.expr
    inputs: list[Ref]
    states: Any = None
    made_states: Any = None
    has_states: bool = False
    has_mask: bool = False
    targets: int | None = None
    shapes: tuple[Sizes, ...] = ()
    broken: bool = False
    returned: dict[tuple[int, ...], list[Sizes]] = field(default_factory=dict)
    begins: Any = ()
    roles: tuple[str, ...] = ()
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def count(self) -> int | None:
        """The number of returned values; None if no input shape fits."""
        return len(self.roles) or None

    @property
    def before(self) -> Step | None:
        """The step whose whole result is the only input."""
        return self.inputs[0].step if len(self.inputs) == 1 and not self.inputs[0].path else None


class Steps:
    """All steps of a walk, with the shapes that reach them."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.all: list[Step] = []
        self.of: dict[int, Step] = {}
        for made in walk.made:
            if isinstance(made, Applied):
                self._applied(made)
            elif isinstance(made, Model):
                self._model(made)

    def ref(self, tensor: Tensor) -> Ref:
        """The step and path of a tensor of the walk."""
        if tensor.call is None:
            return Ref(root=tensor.root)
        step = self.of.get(id(tensor.call))
        return Ref(root=tensor.root) if step is None else Ref(step, tensor.path)

    def _applied(self, made: Applied) -> None:
        call = self.walk.calls.get(id(made), made.tree)
        inputs = [self.ref(tensor) for tensor in made.inputs]
        if isinstance(made.layer, Model):
            if made.layer.missing:
                return
            *before, last = made.layer.layers
            for layer in before:
                inputs = [Ref(self._step(Step(layer.node, layer.tree, call, inputs)))]
            self.of[id(made)] = self._step(Step(last.node, last.tree, call, inputs, targets=made.targets))
            return
        step = Step(
            made.node,
            made.tree,
            call,
            inputs,
            self._states(made.states),
            made.called.states,
            has_states="initial_state" in made.called.spans,
            has_mask="mask" in made.called.spans,
            targets=made.targets,
        )
        self.of[id(made)] = self._step(step)

    def _states(self, states: Any) -> Any:
        if isinstance(states, Tensor):
            return self.ref(states)
        return None if states is None else [self._states(one) for one in states]

    def _model(self, made: Model) -> None:
        """Add the steps of a Sequential model, called on the input that its first layer or its Input declares."""
        inputs = [Ref(root=said.tree) if isinstance(said.tree, ast.expr) else Ref() for said in made.said[:1]] or [
            Ref()
        ]
        sizes = next((said.sizes for said in made.said if said.sizes is not None), None)
        for number, layer in enumerate(made.layers):
            given = (tuple(map(plain, sizes)),) if sizes is not None and number == 0 else None
            inputs = [Ref(self._step(Step(layer.node, layer.tree, layer.tree, inputs), given))]

    # -- shapes ---------------------------------------------------------------------------------

    def _step(self, step: Step, given: tuple[Sizes, ...] | None = None) -> Step:
        if self.walk.values.layers.knows_part(step.node):
            return step  # an unknown layer: no findings, and its result has any shape
        self.all.append(step)
        before = step.inputs[0].step
        step.shapes = self.shapes(step.inputs[0]) if given is None else given
        if step.node.cls.kind in ("merge", "cell", "graph"):
            return step
        taken = [sizes for sizes in step.shapes if not _breaks(step.node, sizes)]
        # An input of unknown rank is not broken: one of the ranks may fit.
        # No rule knows a scalar, such as the one that return_runtime=True of Keras 2 adds.
        step.broken = (
            () not in step.shapes and not taken and (given is not None or before is not None or len(step.shapes) == 1)
        )
        refusals = [self._goes_through(step, sizes) for sizes in taken]
        step.refusals = [one for one in refusals[0] if all(one in others for others in refusals)] if refusals else []
        return step

    def shapes(self, ref: Ref) -> tuple[Sizes, ...]:
        """The possible shapes of a tensor."""
        if ref.step is not None:
            return tuple(dict.fromkeys(ref.step.returned.get(ref.path, ()))) or _ANY_RANK
        if isinstance(ref.root, ast.Call) and called(ref.root) in INPUTS:
            sizes = self.walk.values.tensors.fed(ref.root)
            if sizes is not None:
                return (tuple(map(plain, sizes)),)
        return _ANY_RANK

    def _goes_through(self, step: Step, sizes: Sizes) -> list[Refusal]:
        dims = [_dims(step.node, sizes, stand) for stand in _STANDS]
        try:
            answers = [step.node.cls.theory(step.node, Given(one, "float32")) for one in dims]
        except (RnnshapeError, ValueError, LookupError):  # the stand-in of an unknown argument, such as an axis
            return []
        unsure = has_unknown(step.node)
        first, second = (answer.returned for answer in answers)
        step.begins = answers[0].begins
        several = first if isinstance(first, tuple | list) else (first,)
        step.roles = tuple(one.role if isinstance(one, Leaf) else "states" for one in several)
        _gather(first, second, (), step.returned, unsure=unsure)
        return [one for one in answers[0].refusals if one in answers[1].refusals]


def has_unknown(node: Node) -> bool:
    """Whether an argument of the layer has a size that the code does not give."""
    values = (value for part in node.walk() for _, value in part.given)
    return any(isinstance(one, Size) for value in values for one in (value if isinstance(value, tuple) else (value,)))


def plain(size: int | None) -> int | None:
    return size if type(size) is int else None


def _dims(node: Node, sizes: Sizes, stand: int) -> tuple[Dim, ...]:
    letters = node.cls.letters(node, len(sizes))
    return tuple(Dim(size or stand, letter) for size, letter in zip(sizes, letters, strict=True))


def _breaks(node: Node, sizes: Sizes) -> bool:
    """Whether Keras rejects an input of this shape; if a size is unknown, only the rank counts."""
    if len(node.cls.letters(node, len(sizes))) != len(sizes):
        return True
    # Operations check their axes; an unknown size may be the 1 that one of them needs.
    stands = (1, *_STANDS) if node.cls.operation else _STANDS[:1]
    if any(node.cls.check_input(node, _dims(node, sizes, stand)) is None for stand in stands):
        return False
    if node.cls.operation:
        return True
    return None not in sizes[1:] and not has_unknown(node)


def _gather(
    first: Any, second: Any, path: tuple[int, ...], into: dict[tuple[int, ...], list[Sizes]], *, unsure: bool
) -> None:
    """Collect the shapes of nested results in ``into``; a size that depends on an unknown one is None."""
    if isinstance(first, Leaf):
        pairs = list(zip(first.dims, second.dims, strict=True))
        known = (
            None if one.size != two.size or one.size in _STANDS or (unsure and at) else one.size
            for at, (one, two) in enumerate(pairs)
        )
        into.setdefault(path, []).append(tuple(known))
        return
    for index, (one, two) in enumerate(zip(first, second, strict=True)):
        _gather(one, two, (*path, index), into, unsure=unsure)
