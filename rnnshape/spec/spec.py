"""Spec: what was asked.  Flags, YAML and expressions all end here, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnnshape.layers.base import Given, compute_dtype
from rnnshape.layers.dims import Dim
from rnnshape.layers.masking import Mask
from rnnshape.spec.masks import makes_its_own

if TYPE_CHECKING:
    from rnnshape.layers.node import Node
    from rnnshape.spec.expect import Expectations
    from rnnshape.spec.masks import Rows
    from rnnshape.spec.saved import Saved

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
    first layer makes one of it (``masked_data``).  ``initial_state`` is what the states that are passed hold,
    ``calls`` how often the layer is called, ``training`` whether with ``training=True``.  ``keras`` is the release of
    Keras that is asked about (None: the installed one).  ``let`` is the number of each name in the layer, and ``axes``
    the name of each axis of the input that the code names.  ``notes`` is what is to be said of how it was asked, and no
    part of what was asked.
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
    let: tuple[tuple[str, int | float], ...] = ()
    keras: str | None = None
    axes: tuple[str | None, ...] = field(default=(), compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    saved: Saved | None = field(default=None, compare=False)

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
    def symbolic(self) -> tuple[str, ...]:
        """The input's symbolic shape: the code's own names where it has some, else letters."""
        if not self.axes:
            return self.letters
        return tuple(name or letter for name, letter in zip(self.axes, self.letters, strict=True))

    @property
    def dims(self) -> tuple[Dim, ...]:
        return tuple(map(Dim, self.input, self.symbolic))

    @property
    def input_dtype(self) -> str:
        """The dtype of what is fed: the one in which the first layer computes, or that of tokens."""
        if self.tokens is not None:
            return "int32"
        first = self.layer.first
        return compute_dtype(first["dtype"]) if first.has("dtype") else "float32"
