"""What a layer keeps between calls, and the passed states beside its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape.layers.base import flat
from rnnshape.spec.calls import stateful
from rnnshape.structure import brackets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.spec import Spec
    from rnnshape.structure import Structure


@dataclass(frozen=True, slots=True)
class Calls:
    """How often the layer was called, and whether it keeps its states.

    ``carried`` are the roles of what it keeps; ``other_batch`` the batch size that a stateful layer refuses, and
    ``other_batch_seen`` the error that it raised there (None when nothing ran).
    """

    count: int
    carried: tuple[str, ...]
    other_batch: int | None
    other_batch_seen: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "stateful": self.other_batch is not None,
            "carried": list(self.carried),
            "other_batch": self.other_batch and {"size": self.other_batch, "error": self.other_batch_seen},
        }


def called(spec: Spec) -> Calls | None:
    """What theory says of several calls; None where there is one."""
    if spec.calls == 1:
        return None
    keeps = stateful(spec.layer)
    answer = spec.layer.cls.theory(spec.layer, spec.given())
    roles = tuple(leaf.role for leaf in flat(answer.begins)) if keeps and answer.begins else ()
    return Calls(spec.calls, roles, spec.input[0] + 1 if keeps else None)


def keywords(spec: Spec, begins: Structure | None) -> Iterator[tuple[str, str]]:
    """What is handed in beside the input, as Python: ``("initial_state", "[state_h_0, state_c_0]")``."""
    if spec.mask is not None and not spec.masked_data:
        yield "mask", "mask"
    if begins and spec.layer.cls.kind != "cell":
        yield "initial_state", brackets(begins, lambda state: f"{state.role}_0")
    if spec.training:
        yield "training", "True"
