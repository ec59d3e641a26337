"""Classes of the code: the first call of an object gives the input of its ``call``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnshape
from rnnshape.lab.tensorflow import load
from rnnshape.reading import make
from rnnshape.structure import leaves

CLASS = """
class Encoder(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.lstm = keras.layers.LSTM(units, return_sequences=True, return_state=True)
        self.dense = keras.layers.Dense(3)
    def call(self, x, last=False):
        y, h, c = self.lstm(x)
        if last:
            return self.dense(y), [h, c]
        return self.dense(h), y, h
"""
CALLS = [
    "encoder = Encoder(4)\nresult = encoder(tf.zeros((2, 7, 5)))",
    "encoder = Encoder(units=4)\nresult = encoder(x=np.ones((6, 7, 5), 'float32'))",
    "encoder = Encoder(4)\ndata = np.zeros((2, 7, 5), 'float32')\nresult = encoder(data)",
    "encoder = Encoder(4)\nresult = encoder(tf.zeros((2, 7, 5)), last=True)",
    "encoder = Encoder(4)\nresult = encoder(keras.Input((7, 5), batch_size=2))",
]


@pytest.mark.parametrize("calls", CALLS)
def test_the_first_call_of_an_object_gives_its_input(calls: str) -> None:
    tf = load()
    there: dict[str, Any] = {"keras": tf.keras, "tf": tf, "np": np}
    exec(CLASS + calls, there)  # noqa: S102  our own code
    report = rnnshape.explore(make(CLASS + calls))
    assert report.ok
    assert [leaf.shape for leaf in leaves(report.predicted)] == [
        tuple(tensor.shape) for tensor in tf.nest.flatten(there["result"])
    ]


@pytest.mark.parametrize(
    ("calls", "shape"),
    [
        ("encoder.build((None, 7, 5))", (2, 7, 5)),
        ("encoder.build(input_shape=(3, 7, 5))", (3, 7, 5)),
        ("encoder.build([(None, 7, 5), (None, 4)])", (2, 3, 4)),  # several inputs: none is followed
        ("encoder.build()", (2, 3, 4)),
        ("data = 1\ndata = np.zeros((2, 7, 5))\nencoder(data)", (2, 3, 4)),  # assigned twice
        ("encoder = make()\nencoder(tf.zeros((2, 7, 5)))", (2, 3, 4)),
        ("encoder(unknown)", (2, 3, 4)),
    ],
)
def test_only_a_shape_that_is_certain_is_the_input(calls: str, shape: tuple[int, ...]) -> None:
    assert make(f"{CLASS}encoder = Encoder(4)\n{calls}").input == shape


def test_of_several_calls_only_the_shape_counts() -> None:
    spec = make(CLASS + "encoder = Encoder(4)\nencoder(tf.zeros((2, 7, 5)), last=True)\nencoder(x)")
    report = rnnshape.explore(spec)
    assert report.ok
    assert [leaf.shape for leaf in leaves(report.predicted)] == [(2, 3), (2, 7, 4), (2, 4)]
