"""Theory compared with the real layer, for every combination of the core layers and their flags."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

import rnnshape
from rnnshape.lab.tensorflow import load
from rnnshape.structure import leaves
from tests.shared.sampling import some

BOTH = (False, True)
LAYERS: dict[str, dict[str, Any]] = {
    "LSTM": {"command": "lstm"},
    "GRU": {"command": "gru"},
    "GRU before": {"command": "gru", "reset_after": False},
    "SimpleRNN": {"command": "simple-rnn"},
    "RNN(LSTMCell)": {"command": "rnn", "cell": "lstm"},
    "RNN(GRUCell)": {"command": "rnn", "cell": "gru"},
    "RNN(SimpleRNNCell)": {"command": "rnn", "cell": "simple-rnn"},
}
INNER = {
    "LSTM": {"layer": "lstm"},
    "GRU": {"layer": "gru"},
    "SimpleRNN": {"layer": "simple-rnn"},
    "RNN(LSTMCell)": {"layer": "rnn", "cell": "lstm"},
    "RNN(GRUCell)": {"layer": "rnn", "cell": "gru"},
}
DTYPES = ("float16", "float64", "mixed_float16", "mixed_bfloat16")


def agrees(command: str, **options: Any) -> None:
    report = rnnshape.explore(command, **options)
    assert report.error is None, report.expression
    assert report.agrees is True, report.expression
    for check in report.checks:
        assert check.holds or not check.guaranteed, (report.expression, report.spec.input, check)
    assert report.ok


@pytest.mark.parametrize("layer", some(LAYERS, 7))
@pytest.mark.parametrize("return_state", BOTH)
@pytest.mark.parametrize("return_sequences", BOTH)
def test_recurrent_layer(layer: str, return_state: bool, return_sequences: bool) -> None:
    asked = {**LAYERS[layer], "return_state": return_state, "return_sequences": return_sequences}
    command = asked.pop("command")
    for go_backwards, unroll, (units, time) in product(BOTH, BOTH, [(1, 1), (1, 3), (5, 2)]):
        agrees(command, **asked, go_backwards=go_backwards, unroll=unroll, units=units, time=time)
    agrees(command, **asked, stateful=True, use_bias=False, batch=1, channels=1)


@pytest.mark.parametrize("inner", some(INNER, 4))
@pytest.mark.parametrize("merge_mode", some(("concat", "sum", "mul", "ave", None), 4))
@pytest.mark.parametrize("return_state", BOTH)
@pytest.mark.parametrize("return_sequences", BOTH)
def test_bidirectional(inner: str, merge_mode: str | None, return_state: bool, return_sequences: bool) -> None:
    for units, time in [(1, 1), (1, 3), (4, 3)]:
        agrees(
            "bidirectional",
            **INNER[inner],
            merge_mode=merge_mode,
            return_state=return_state,
            return_sequences=return_sequences,
            units=units,
            time=time,
        )


@pytest.mark.parametrize("command", ["lstm-cell", "gru-cell", "simple-rnn-cell"])
def test_cell(command: str) -> None:
    for units, batch, channels, use_bias in product((1, 3), (1, 2), (1, 4), BOTH):
        agrees(command, units=units, batch=batch, channels=channels, use_bias=use_bias)
    agrees("gru-cell", reset_after=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("command", ["lstm", "gru", "simple-rnn", "rnn", "bidirectional", "lstm-cell", "gru-cell"])
def test_dtype(command: str, dtype: str) -> None:
    flags = {} if command.endswith("-cell") else {"return_state": True, "return_sequences": True}
    agrees(command, dtype=dtype, units=3, **flags)


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({"dtype": "bfloat16"}, "InvalidArgumentError"),
        ({"use_cudnn": True, "unroll": True}, "use_cudnn=True"),
    ],
)
def test_what_theory_says_that_keras_refuses_it_refuses(options: dict[str, Any], first: str) -> None:
    foretold, met = rnnshape.predict("lstm", **options).error, rnnshape.explore("lstm", **options).error
    assert foretold is not None
    assert met is not None
    assert first in foretold.message
    assert foretold.hint == met.hint


def test_a_stateful_bidirectional_with_states_is_a_bug_of_keras() -> None:
    options = {"stateful": True, "return_state": True}
    report = rnnshape.explore("bidirectional", **options)
    assert report.error is not None, "Keras has fixed it: remove the refusal from layers/bidirectional.py"
    assert "TypeError" in report.error.message
    assert rnnshape.predict("bidirectional", **options).error is not None


# ── the dtype option is Keras' global policy ──

UNDER_A_POLICY = (
    "RNN([LSTMCell(3), GRUCell(2)], return_state=True)",
    "RNN(StackedRNNCells([LSTMCell(3), LSTMCell(2)]), return_state=True, return_sequences=True)",
    "Bidirectional(RNN([GRUCell(3), GRUCell(2)], return_state=True), merge_mode=None)",
    "Bidirectional(LSTM(3, dtype='float32', return_state=True))",
    "TimeDistributed(Dense(2))",
    "ConvLSTM1D(2, 3, return_state=True)",
    "LSTM(3, return_sequences=True) | Dense(2)",
    "Masking() | LSTM(3, return_state=True)",
    "Embedding(9, 4) | GRU(3)",
)


@pytest.mark.parametrize("policy", ["float16", "float64", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("layer", some(UNDER_A_POLICY, 5))
def test_the_dtype_option_is_the_global_policy(layer: str, policy: str) -> None:
    """The same line with ``keras.config.set_dtype_policy`` gives the same dtypes."""
    report = rnnshape.explore(layer, dtype=policy)
    assert report.ok, report.error
    keras = load().keras
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        x: Any = load().ones(report.spec.input, report.spec.input_dtype)
        for part in layer.split(" | "):
            x = eval(part, vars(keras.layers))(x)  # noqa: S307
    finally:
        keras.config.set_dtype_policy(before)
    assert [tensor.dtype for tensor in leaves(report.structure)] == [each.dtype.name for each in load().nest.flatten(x)]
    again = rnnshape.predict(report.expression)
    assert (again.expression, again.predicted) == (report.expression, report.predicted)


def test_the_policy_reaches_the_second_layer_and_the_masking() -> None:
    report = rnnshape.explore("LSTM(4, return_state=True)", into="LSTM(4)", dtype="mixed_float16", masking=0)
    assert report.ok
    assert report.wiring is not None
    assert {tensor.dtype for tensor in leaves(report.wiring.structure)} == {"float16"}
    assert "Masking(dtype='mixed_float16') | " in report.expression.replace("mask_value=0.0, ", "")
    command = rnnshape.predict("rnn", dtype="float16", units=4, into="GRU(4)", return_state=True, cell="gru")
    assert command.wiring is not None
    assert {tensor.dtype for tensor in leaves(command.wiring.predicted)} == {"float16"}


@pytest.mark.parametrize("execution", ["eager", pytest.param("graph", marks=pytest.mark.slow)])
def test_the_policy_reaches_the_stack_that_rnn_makes_of_a_list(execution: str) -> None:
    """A graph needs one dtype in its loop, so the policy must reach the StackedRNNCells, as in Keras."""
    for layer in ("RNN([LSTMCell(3), GRUCell(2)])", "Bidirectional(RNN([GRUCell(3), SimpleRNNCell(2)]))"):
        report = rnnshape.explore(layer, dtype="mixed_float16", execution=execution)
        assert report.ok, report.error
        assert "StackedRNNCells(" in report.expression
        assert report.expression.count("dtype='mixed_float16'") == layer.count("(") + 1
