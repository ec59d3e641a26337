"""Passes the states of one layer to another as its ``initial_state``.

Keras accepts swapped states and a (1, H) state without an error (``docs/keras-quirks.md``), so the number, order and
width of the states are checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rnnshape.layers.base import Answer, Given, Leaf, Returned, flat

if TYPE_CHECKING:
    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import Node


class Wiring(Struct, frozen=True):
    """The plan to pass the states.

    ``plan`` is nested like the states of the second layer.  Each item has the roles of the passed states: one, or a
    forward and a backward one that are concatenated.  ``problem`` says why the states do not fit, and the fix; then
    there is no plan.
    """

    plan: Any = None
    problem: str | None = None
    answer: Answer | None = None

    @property
    def code(self) -> str:
        """The argument as Python: ``[state_h, state_c]``."""
        return _code(self.plan)


def wire(source: Node, target: Node, dims: Dims) -> Wiring:
    """The states that ``source`` returns on an input of these dimensions, into ``target``."""
    given = Given(dims, "float32")
    first = source.cls.theory(source, given)
    if target.cls.kind in ("cell", "stack") or not (second := target.cls.theory(target, given)).states:
        return Wiring(problem=f"{target.text} takes no initial_state: only a recurrent layer does")
    if not first.states:
        return Wiring(problem=f"{source.text} has no states to pass on")
    if isinstance(first.returned, Leaf) or first.returned[len(first.outputs) :] == ():
        return Wiring(problem=f"{source.text} does not return its states: add return_state=True")
    offered, wanted = flat(first.states), flat(second.states)
    both = source.name == "Bidirectional" and target.name != "Bidirectional"
    groups: list[tuple[Leaf, ...]] = _pairs(offered) if both else [(leaf,) for leaf in offered]
    if problem := _misfit(source, target, groups, wanted):
        return Wiring(problem=problem)
    roles = iter([tuple(leaf.role for leaf in group) for group in groups])
    return Wiring(plan=_nested(second.states, roles), answer=second)


def _pairs(offered: list[Leaf]) -> list[tuple[Leaf, ...]]:
    """The forward states, each concatenated with the backward state of the same kind."""
    half = len(offered) // 2
    return list(zip(offered[:half], offered[half:], strict=True))


def _misfit(source: Node, target: Node, groups: list[tuple[Leaf, ...]], wanted: list[Leaf]) -> str | None:
    if len(groups) != len(wanted):
        names = ", ".join(leaf.role for leaf in wanted)
        return f"{source.text} passes on {_count(groups)}, and {target.text} needs {len(wanted)} ({names})"
    for group, want in zip(groups, wanted, strict=True):
        if any(_memory(leaf.role) != _memory(want.role) for leaf in group):
            return f"{group[0].role} is in the place of {want.role}: the order is h, then c"
        width, needed = sum(leaf.dims[-1].size for leaf in group), want.dims[-1].size
        if width != needed:
            what = " and ".join(leaf.role for leaf in group)
            verb = "are together" if len(group) > 1 else "is"
            return f"{what} {verb} {width} wide, and {target.text} needs {needed}: give it units={width}"
        if any(leaf.dims[:-1] != want.dims[:-1] for leaf in group):
            return f"{group[0].role} has another rank than the {want.role} of {target.text}"
    return None


def _count(groups: list[tuple[Leaf, ...]]) -> str:
    names = ", ".join("+".join(leaf.role for leaf in group) for group in groups)
    return f"{len(groups)} state{'s' if len(groups) > 1 else ''} ({names})"


def _memory(role: str) -> bool:
    return role.endswith("_c")


def _nested(value: Returned, roles: Any) -> Any:
    """The roles, nested like the states, in lists as ``initial_state`` needs them."""
    return next(roles) if isinstance(value, Leaf) else [_nested(item, roles) for item in value]


def _code(plan: Any) -> str:
    if isinstance(plan, tuple):
        return plan[0] if len(plan) == 1 else f"tf.concat([{', '.join(plan)}], axis=-1)"
    return f"[{', '.join(map(_code, plan))}]"
