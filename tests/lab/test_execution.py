"""Every execution mode gives the structure of the eager call, and its values within tolerance."""

from __future__ import annotations

import gc
import subprocess
import sys

import numpy as np
import pytest

import rnnshape
from rnnshape.reading import make
from rnnshape.report.checks import compare
from rnnshape.spec.spec import PAYS_FROM
from tests.shared.sampling import some

LAYERS = (
    "LSTM(3, return_sequences=True, return_state=True)",
    "GRU(3, return_state=True, go_backwards=True)",
    "SimpleRNN(3, return_state=True, stateful=True)",
    "RNN([LSTMCell(3), GRUCell(2)], return_state=True)",
    "RNN(GRUCell(3), return_sequences=True)",
    "Bidirectional(GRU(3, return_state=True), merge_mode=None)",
    "ConvLSTM1D(2, 3, return_state=True)",
    "LSTM(3, return_sequences=True) | Bidirectional(LSTM(2)) | Dense(1)",
)


@pytest.mark.parametrize("layer", some(LAYERS, 4))
@pytest.mark.parametrize("execution", some(("graph", "xla"), 2))
def test_the_structure_is_the_eager_one(layer: str, execution: str) -> None:
    eager = rnnshape.explore(layer, time=7, execution="eager")
    other = rnnshape.explore(layer, time=7, execution=execution)
    assert other.ok
    assert other.environment["execution"] == execution
    assert other.observed == eager.observed
    for one, two in zip(eager.values, other.values, strict=True):
        assert compare(one, two)[0]


@pytest.mark.slow
@pytest.mark.parametrize("time", [PAYS_FROM - 1, PAYS_FROM, PAYS_FROM + 1])
def test_around_the_threshold_the_numbers_are_the_same(time: int) -> None:
    auto = rnnshape.explore("lstm", units=4, return_sequences=True, time=time)
    eager = rnnshape.explore("lstm", units=4, return_sequences=True, time=time, execution="eager")
    assert auto.environment["execution"] == ("graph" if time >= PAYS_FROM else "eager")
    assert auto.ok
    np.testing.assert_allclose(auto.values[0], eager.values[0], atol=1e-5)


def test_what_repeats_its_graph_for_every_step_stays_eager() -> None:
    assert make("lstm", {"time": 5000}).faster == "graph"
    assert make("lstm", {"time": 5000, "unroll": True}).faster == "eager"
    assert make("TimeDistributed(Dense(2))", {"input": (1, 5000, 2)}).faster == "eager"
    assert make("lstm-cell").faster == "eager"


@pytest.mark.slow
def test_what_a_graph_refuses_and_python_does_not_is_run_eagerly() -> None:
    layer = "RNN(StackedRNNCells([LSTMCell(3, dtype='float16'), GRUCell(2)]))"
    report = rnnshape.explore(layer, time=PAYS_FROM)
    assert report.ok
    assert report.environment["execution"] == "eager"
    assert rnnshape.explore(layer, execution="graph").error is not None


@pytest.mark.slow
def test_many_layers_leave_no_objects_behind() -> None:
    from rnnshape.lab.tensorflow import load

    variable = load().Variable

    def living() -> int:
        gc.collect()
        return sum(isinstance(thing, variable) for thing in gc.get_objects())

    spec = make("bidirectional", {"return_state": True})
    for _ in range(5):
        rnnshape.explore(spec)
    before = living()
    for _ in range(30):
        rnnshape.explore(spec)
    assert living() <= before


LATER = """
import sys
import rnnshape
there = lambda: [name in sys.modules for name in ("tensorflow._api.v2.compat.v1", "tensorflow.lite.python.lite")]
assert rnnshape.explore("lstm", return_state=True).ok
print(*there())
import tensorflow as tf
print(tf.lite.Interpreter is not None, *there())
print(tf.compat.v1.get_default_graph() is not None, *there())
from tensorflow.compat import v1
print(v1.VERSION == tf.version.VERSION)
"""


@pytest.mark.slow
def test_tensorflow_1_and_lite_are_loaded_at_their_first_use() -> None:
    done = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split("\n")[:-1] == ["False False", "True False True", "True True True", "True"]
