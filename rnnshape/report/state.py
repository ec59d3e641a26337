"""The states that a layer keeps between calls, and the arguments of the call besides the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from rnnshape.form import Key, formed
from rnnshape.layers.base import flat
from rnnshape.report.aspect import Aspect, Disagreement
from rnnshape.spec.calls import stateful
from rnnshape.structure import brackets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.spec import Spec
    from rnnshape.structure import Structure


@formed(size="A batch size that Keras rejects.", error="The error; null when nothing ran.")
class OtherBatch(NamedTuple):
    """A call with another batch size: its size, and the error that it raised."""

    size: int
    error: str | None


@formed(
    "calls",
    count="How often the layer was called.",
    stateful="Whether the states are kept between the calls.",
    carried="The states that are kept.",
    other_batch=Key("Null when no state is kept.", of="rejected"),
)
class Calls(Aspect, Struct, frozen=True):
    """How often the layer was called, and whether it keeps its states.

    ``carried`` are the roles of the states that it keeps.  ``other_batch`` is a batch size that a stateful layer
    rejects, ``other_batch_seen`` the error that it raised there (None when nothing ran).
    """

    count: int
    carried: tuple[str, ...]
    other_batch: int | None
    other_batch_seen: str | None = None

    @property
    def stateful(self) -> bool:
        return self.other_batch is not None

    @property
    def rejected(self) -> OtherBatch | None:
        return None if self.other_batch is None else OtherBatch(self.other_batch, self.other_batch_seen)

    def disagreements(self) -> Iterator[Disagreement]:
        """A stateful layer that accepts another batch size."""
        if self.other_batch is not None and self.other_batch_seen is None:
            yield Disagreement(f"a batch of {self.other_batch}", "an error", "accepted")


def called(spec: Spec) -> Calls | None:
    """The prediction for several calls; None for a single call."""
    if spec.calls == 1:
        return None
    keeps = stateful(spec.layer)
    answer = spec.layer.cls.theory(spec.layer, spec.given())
    roles = tuple(leaf.role for leaf in flat(answer.begins)) if keeps and answer.begins else ()
    return Calls(spec.calls, roles, spec.input[0] + 1 if keeps else None)


def keywords(spec: Spec, begins: Structure | None) -> Iterator[tuple[str, str]]:
    """The keyword arguments of the call, as Python: ``("initial_state", "[state_h_0, state_c_0]")``."""
    if spec.mask is not None and not spec.masked_data:
        yield "mask", "mask"
    if begins and spec.layer.cls.kind != "cell":
        yield "initial_state", brackets(begins, lambda state: f"{state.role}_0")
    if spec.training:
        yield "training", "True"
