"""Spec: what was asked.  Flags, YAML and expressions all end here, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers.base import Given, Mask, compute_dtype
from rnnshape.layers.casting import uncast
from rnnshape.layers.changes import under_policy
from rnnshape.layers.dims import Dim
from rnnshape.layers.wiring import wire
from rnnshape.spec.calling import unpacking
from rnnshape.spec.expression import parse
from rnnshape.spec.masks import MASK, MASKING, makes_its_own
from rnnshape.spec.options import DIMENSIONS, DTYPE, INITIAL_STATE, INPUT, INTO
from rnnshape.spec.shape import rank_message, whole_shape
from rnnshape.spec.states import behind_masking, mask_rows, stateless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import Node
    from rnnshape.spec.declared import Fed
    from rnnshape.spec.expect import Expectations
    from rnnshape.spec.expression import Parsed
    from rnnshape.spec.masks import Rows

# A trace costs about as much as this many eager steps: ``benchmarks`` measures where the two cross (``lengths``).
PAYS_FROM = 100


@dataclass(frozen=True, slots=True)
class Spec:
    """A layer and how it is to be looked at.

    ``input`` is the whole shape of what is fed to it, ``(N, T, C)`` for a layer and ``(N, C)`` for a
    cell; ``seed`` makes weights and input repeatable; ``device`` is ``"auto"``, ``"cpu"`` or ``"gpu"``;
    ``execution`` is ``"eager"``, ``"graph"``, ``"xla"`` or the faster one, ``"auto"``;
    ``into`` is a second layer, which gets this one's states as its ``initial_state``; ``expect`` is the
    contract that the answer is held against.

    ``mask`` says which steps of which sample are valid; it is handed to the call, or laid into the data where the
    first layer makes one of it (``masked_data``).  ``initial_state`` is what the states that are handed in hold,
    ``calls`` how often the layer is called, ``training`` whether with ``training=True``.  ``notes`` is what is to be
    said of how it was asked, and no part of what was asked.
    """

    layer: Node
    input: tuple[int, ...]
    seed: int = 0
    device: str = "auto"
    execution: str = "auto"
    name: str | None = None
    into: Node | None = None
    expect: Expectations | None = None
    mask: Rows | None = None
    initial_state: str | None = None
    calls: int = 1
    training: bool = False
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def masked_data(self) -> bool:
        """Whether the mask is laid into the data: Masking, or an Embedding with ``mask_zero``, finds it there."""
        return self.mask is not None and makes_its_own(self.layer)

    def given(self, *, gpu: bool = False) -> Given:
        """What reaches the layer, for theory; ``gpu`` says whether Keras sees one."""
        mask = None if self.mask is None else Mask.of(self.mask)
        return Given(
            self.dims,
            self.input_dtype,
            mask=mask,
            initial=self.initial_state,
            gpu=gpu,
            training=self.training,
            # Where a graph fails that was not asked for, the call is made eagerly.
            execution="eager" if self.execution == "auto" else self.execution,
            watched=self.mask is not None,
        )

    @property
    def faster(self) -> str:
        """The execution that was asked for; for ``"auto"`` the faster one, ``"eager"`` or ``"graph"``.

        An unrolled layer and a TimeDistributed repeat their graph for every step, which is slow to trace.
        """
        if self.execution != "auto":
            return self.execution
        steps = dict(zip(self.letters, self.input, strict=True)).get("T", 1)
        repeated = any(
            node.name == "TimeDistributed" or (node.has("unroll") and node["unroll"]) for node in self.layer.walk()
        )
        return "graph" if steps >= PAYS_FROM and not repeated else "eager"

    @property
    def tokens(self) -> range | None:
        """The whole numbers that the first layer eats, or None when it takes real ones."""
        return self.layer.cls.tokens(self.layer)

    @property
    def letters(self) -> tuple[str, ...]:
        """The input's dimensions in letters."""
        return self.layer.cls.letters(self.layer, len(self.input))

    @property
    def dims(self) -> tuple[Dim, ...]:
        return tuple(map(Dim, self.input, self.letters))

    @property
    def input_dtype(self) -> str:
        """The dtype of what is fed: the one in which the first layer computes, or that of tokens."""
        if self.tokens is not None:
            return "int32"
        first = self.layer.in_turn[0]
        return compute_dtype(first["dtype"])


def finish(node: Node, options: Mapping[str, Any], *, name: str | None = None, fed: Fed | None = None) -> Spec:
    """The Spec of a layer and checked run options; ``fed`` is what a line says of the input's shape.

    Raises:
        Invalid: arguments that cannot be combined, an input that the layer does not take.
    """
    problems = [*_combinations(node)]
    node = behind_masking(node, options, problems)
    policy = options.get(DTYPE.name)
    if policy is not None:
        node = under_policy(node, policy)
    problems += uncast(node)
    shape = whole_shape(node, options, problems, fed)
    into = _into(node, shape, options.get(INTO.name), policy, problems)
    problems += stateless(node, options)
    mask = mask_rows(node, shape, options, problems)
    if problems:
        raise Invalid(problems)
    rest = {key: value for key, value in options.items() if key not in _WORKED_IN}
    return Spec(node, shape, name=name, into=into, mask=mask, **rest)


def _into(
    node: Node, shape: tuple[int, ...], text: str | None, policy: str | None, problems: list[Problem]
) -> Node | None:
    """The second layer, when its states can come from the first."""
    if text is None or problems:
        return None
    try:
        parsed = parse(text)
    except Invalid as error:
        problems.extend(Problem(INTO.name, problem.message) for problem in error.problems)
        return None
    into = parsed.node if policy is None else under_policy(parsed.node, policy)
    dims = tuple(map(Dim, shape, node.cls.letters(node, len(shape))))
    if len(into.cls.letters(into, len(shape))) != len(shape):
        wrong: str | None = rank_message(into, shape)
    else:
        wrong = into.cls.check_input(into, dims) or _wired(node, into, parsed, dims)
    if wrong:
        problems.append(Problem(INTO.name, wrong))
    return into


def _wired(node: Node, into: Node, parsed: Parsed, dims: Dims) -> str | None:
    """Why the second layer cannot begin with the first one's states in the call that its line says."""
    beside = parsed.called
    if beside.spans.keys() - {INITIAL_STATE.name} or beside.options.get(INITIAL_STATE.name, "random") != "random":
        return f"is called with the states of the first layer only: write it without a call, {into.text}"
    shape = tuple(dim.size for dim in dims)
    if parsed.fed is not None and parsed.fed.otherwise(shape):
        return f"is called on the same input as the first layer, {shape}, not on {parsed.fed.text}"
    wiring = wire(node, into, dims)
    return wiring.problem if wiring.answer is None else unpacking(wiring.answer.returned, parsed.targets)


_WORKED_IN = {option.name for option in (*DIMENSIONS, INPUT, INTO, MASK, MASKING, DTYPE)}


def _combinations(node: Node) -> Iterator[Problem]:
    for part in node.walk():
        yield from part.cls.check(part)
