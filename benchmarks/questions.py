"""The layers that both sides get: the same layer as a Spec and as a layer of Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rnnshape
from rnnshape.lab.tensorflow import load
from rnnshape.reading import make

if TYPE_CHECKING:
    from rnnshape.spec import Spec

KERAS = {"lstm": "LSTM", "gru": "GRU", "simple-rnn": "SimpleRNN"}


@dataclass(frozen=True, slots=True)
class Question:
    """A layer that returns its sequence and its states, and the size of its input."""

    layer: str = "lstm"
    bidirectional: bool = False
    units: int = 1
    batch: int = 2
    time: int = 3
    channels: int = 4

    @property
    def input(self) -> tuple[int, int, int]:
        """The input's shape, (N, T, C)."""
        return self.batch, self.time, self.channels

    def spec(self) -> Spec:
        """The layer as a Spec."""
        options = {"units": self.units, "input": self.input, "return_sequences": True, "return_state": True}
        if self.bidirectional:
            return make("bidirectional", {"layer": self.layer, **options})
        return make(self.layer, options)

    def keras(self) -> Any:
        """The layer of Keras, constructed and not built."""
        layers = load().keras.layers
        layer = getattr(layers, KERAS[self.layer])(self.units, return_sequences=True, return_state=True)
        return layers.Bidirectional(layer) if self.bidirectional else layer


def mix(start: int, count: int) -> list[Question]:
    """``count`` small questions, all different, also from those of another range of numbers.

    So no side gains from a cache of answers.
    """
    kinds = (("lstm", False), ("gru", False), ("simple-rnn", False), ("lstm", True))
    questions = []
    for number in range(start, start + count):
        size, kind = divmod(number, len(kinds))
        questions.append(Question(*kinds[kind], 1 + size % 8, batch=2 + size // 8 % 8, channels=4 + size // 64))
    return questions


def explore(question: Question) -> None:
    """Our side: the verified answer; an answer that is not ok raises an error."""
    report = rnnshape.explore(question.spec())
    if not report.ok:
        raise RuntimeError(f"{report.expression} is not ok: {report.error}")


def look_by_hand(question: Question) -> None:
    """Their side: build the layer, call it on random input, fetch the values.

    Nothing is checked; everything else that ``explore`` does is its overhead.
    """
    import numpy as np

    x = np.random.default_rng().random(question.input, np.float32)
    for tensor in question.keras()(x):
        tensor.numpy()
