"""Spec: the checked request, from flags, YAML or an expression."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnnshape.layers.base import Given, compute_dtype
from rnnshape.layers.dims import Dim
from rnnshape.layers.input_mask import makes_its_own
from rnnshape.layers.masking import Mask

if TYPE_CHECKING:
    from rnnshape.layers.node import Node
    from rnnshape.layers.wires import Graph
    from rnnshape.spec.expect import Expectations
    from rnnshape.spec.masks import Rows
    from rnnshape.spec.saved import Saved

# Tracing costs about as much as this many eager steps; measured by ``benchmarks`` (``lengths``).
PAYS_FROM = 100


@dataclass(frozen=True, slots=True)
class Spec:
    """A layer and the options of its run.

    * ``input``: the whole shape of the input, ``(N, T, C)`` for a layer and ``(N, C)`` for a cell.
    * ``seed``: makes weights and input repeatable.
    * ``device``: ``"auto"``, ``"cpu"`` or ``"gpu"``.
    * ``execution``: ``"eager"``, ``"graph"``, ``"xla"``, or ``"auto"`` for the faster one.
    * ``into``: a second layer, which gets the states of this one as its ``initial_state``.
    * ``expect``: the contract, with which the answer is compared.
    * ``mask``: which steps of each sample are valid.  It is passed to the call, or written into the data if the first
      layer computes its mask from the data (``masked_data``).
    * ``initial_state``: the values of the passed states.
    * ``calls``: how often the layer is called; ``training``: whether with ``training=True``.
    * ``let``: the value of each name in the layer.
    * ``keras``: the release of Keras to answer for (None: the installed one).
    * ``axes``: the name of each axis of the input that the code names.
    * ``notes``: remarks about how the request was read; they do not count where two Specs are compared.
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
        """Whether the mask is written into the data, for Masking or an Embedding with ``mask_zero``."""
        return self.mask is not None and makes_its_own(self.layer)

    def given(self, *, gpu: bool = False) -> Given:
        """The input of the layer, for theory; ``gpu`` says whether Keras sees a GPU."""
        mask = None if self.mask is None else Mask.of(self.mask)
        return Given(
            self.dims,
            self.input_dtype,
            mask=mask,
            initial=self.initial_state,
            gpu=gpu,
            training=self.training,
            # With "auto", the lab repeats a failed graph call eagerly.
            execution="eager" if self.execution == "auto" else self.execution,
            watched=self.mask is not None,
        )

    @property
    def faster(self) -> str:
        """The execution mode; for ``"auto"`` the faster one, ``"eager"`` or ``"graph"``.

        An unrolled layer and a TimeDistributed repeat their graph for every step, so tracing is slow.
        """
        if self.execution != "auto":
            return self.execution
        repeated = any(
            node.name == "TimeDistributed" or (node.has("unroll") and node["unroll"]) for node in self.layer.walk()
        )
        return "graph" if self.sizes.get("T", 1) >= PAYS_FROM and not repeated else "eager"

    @property
    def graph(self) -> Graph | None:
        """The graph of wired calls; None for any other layer."""
        return self.layer["graph"] if self.layer.cls.kind == "graph" else None

    @property
    def tokens(self) -> range | None:
        """The whole numbers that the first layer takes; None when it takes floats."""
        return self.layer.cls.tokens(self.layer)

    @property
    def letters(self) -> tuple[str, ...]:
        """The letter of each input axis, such as ``("N", "T", "C")``."""
        return self.layer.cls.letters(self.layer, len(self.input))

    @property
    def sizes(self) -> dict[str, int]:
        """The size of each letter of the input."""
        return dict(zip(self.letters, self.input, strict=True))

    @property
    def symbolic(self) -> tuple[str, ...]:
        """The symbolic shape of the input: the names in the code where there are any, else letters."""
        if not self.axes:
            return self.letters
        return tuple(name or letter for name, letter in zip(self.axes, self.letters, strict=True))

    @property
    def dims(self) -> tuple[Dim, ...]:
        return tuple(map(Dim, self.input, self.symbolic))

    @property
    def input_dtype(self) -> str:
        """The dtype of the input: the one in which the first layer computes, or int32 for tokens."""
        if self.tokens is not None:
            return "int32"
        first = self.layer.first
        return compute_dtype(first["dtype"]) if first.has("dtype") else "float32"
