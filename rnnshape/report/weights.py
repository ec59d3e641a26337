"""The weights of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rnnshape.layers.base import Weight
from rnnshape.report.aspect import NOTHING, Aspect, Disagreement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Weights(Aspect, Struct):
    """The weights in Keras' order and the number of parameters; ``observed`` has the shapes of the real weights."""

    predicted: tuple[Weight, ...]
    params: int
    observed: tuple[tuple[int, ...], ...] = ()

    def disagreements(self) -> Iterator[Disagreement]:
        """One item if the shapes, in Keras' order, differ."""
        shapes = [weight.shape for weight in self.predicted]
        if shapes != list(self.observed):
            yield Disagreement("weights", _said(shapes), _said(self.observed))


def _said(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes)) or NOTHING
