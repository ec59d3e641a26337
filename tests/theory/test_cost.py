"""The cost of a call, compared with TensorFlow's graph and with the real arrays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import tensorflow as tf

import rnnshape
from rnnshape.layers import TABLE, dims
from rnnshape.layers.dims import sized
from tests.shared.counting import Uncounted, called, multiply_adds, traced
from tests.shared.drawing import Drawer
from tests.shared.releases import offered
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Ran

CHUNKS, EACH = 10, 22

# Keras 3.3 has no such argument.
BY_GATES = "implementation=1, " if offered([TABLE["GRU"].by_name["implementation"]]) else ""

# A graph is stricter than Python: it needs one dtype in a loop, and its tensors have no len().
ONLY_EAGERLY = ("enters the loop with type", "len is not well defined for a symbolic Tensor")


@pytest.mark.draws
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_is_drawn_costs_what_tensorflow_counts(chunk: int) -> None:
    drawer, wrong, ran = Drawer(2_000 + chunk), [], 0
    for spec in (drawer.spec() for _ in range(EACH)):
        report = rnnshape.predict(spec)
        told = report.cost
        if problem := untrue(report):
            wrong.append((report.expression, problem))
        if report.error is not None:
            continue
        try:
            layer, function = traced(spec)
        except TypeError as error:
            assert any(words in str(error) for words in ONLY_EAGERLY)
            continue
        ran += 1
        real = multiply_adds(function.graph), parameter_bytes(layer)
        if real != (told.multiply_adds, told.parameter_bytes):
            wrong.append((report.expression, f"{spec.input}: {told.to_dict()}, but TensorFlow has {real}"))
    assert not wrong
    assert ran > EACH * 0.7


def untrue(report: rnnshape.Report) -> str | None:
    """The first formula that does not give its number with the sizes in the report; None if all do."""
    told = report.to_dict()
    letters = dict(letters_of(told))
    for number, formula in (
        ("multiply_adds", "formula"),
        ("parameter_bytes", "parameter_formula"),
        ("activation_bytes", "activation_formula"),
    ):
        text = told["cost"][formula]
        # ``sized`` reads no longer formula; a stack within TimeDistributed does not show the sizes between its layers.
        if len(text) > dims._LONGEST or ("'" in text and "TimeDistributed(Sequential" in report.expression):
            continue
        if sized(text, letters) != told["cost"][number]:
            return f"{text} is not {told['cost'][number]} with {letters}"
    return None


def letters_of(told: Any) -> Iterator[tuple[str, int]]:
    """Every letter of a report with its size: 12 for 4H means that H is 3."""
    if isinstance(told, dict):
        for letter, size in zip(told.get("symbolic", ()), told.get("shape", ()), strict=True):
            if found := re.fullmatch(r"(\d*)([A-Za-z][\w']*)", letter):
                yield found[2], size // int(found[1] or 1)
    for part in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from letters_of(part)


def parameter_bytes(layer: Any) -> int:
    return sum(weight.numpy().nbytes for weight in layer.weights)


@pytest.mark.parametrize(
    ("expression", "sizes", "number"),
    [
        ("LSTM(5)", (2, 3, 4), 2 * 3 * 4 * 5 * (4 + 5)),
        ("LSTM(5, unroll=True)", (2, 3, 4), 2 * 3 * 4 * 5 * (4 + 5)),
        ("LSTM(5, implementation=1, dropout=0.2, recurrent_dropout=0.2)", (2, 3, 4), 2 * 3 * 4 * 5 * (4 + 5)),
        ("LSTM(5, return_sequences=True, return_state=True)", (1, 100, 1), 100 * 4 * 5 * (1 + 5)),
        ("GRU(5)", (2, 3, 4), 2 * 3 * 3 * 5 * (4 + 5)),
        ("GRU(5, reset_after=False)", (2, 3, 4), 2 * 3 * 3 * 5 * (4 + 5)),
        (f"GRU(5, {BY_GATES}reset_after=False, use_bias=False)", (2, 3, 4), 2 * 3 * 3 * 5 * (4 + 5)),
        ("SimpleRNN(5, go_backwards=True)", (2, 3, 4), 2 * 3 * 5 * (4 + 5)),
        ("LSTMCell(5)", (2, 4), 2 * 4 * 5 * (4 + 5)),
        ("GRUCell(5)", (2, 4), 2 * 3 * 5 * (4 + 5)),
        ("SimpleRNNCell(5)", (2, 4), 2 * 5 * (4 + 5)),
        ("StackedRNNCells([LSTMCell(5), GRUCell(7)])", (2, 4), 2 * 4 * 5 * (4 + 5) + 2 * 3 * 7 * (5 + 7)),
        ("RNN(LSTMCell(5))", (2, 3, 4), 2 * 3 * 4 * 5 * (4 + 5)),
        ("RNN([LSTMCell(5), GRUCell(7)])", (2, 3, 4), 2 * 3 * (4 * 5 * (4 + 5) + 3 * 7 * (5 + 7))),
        ("Bidirectional(LSTM(5))", (2, 3, 4), 2 * 2 * 3 * 4 * 5 * (4 + 5)),
        (
            "Bidirectional(LSTM(5), backward_layer=GRU(7, go_backwards=True))",
            (2, 3, 4),
            2 * 3 * (4 * 5 * (4 + 5) + 3 * 7 * (4 + 7)),
        ),
        # Output positions, window, channels, gates; once for the input and once for the state.
        ("ConvLSTM1D(5, 3)", (2, 3, 8, 4), 2 * 3 * 6 * 3 * 4 * 5 * (4 + 5)),
        ("ConvLSTM2D(5, (2, 3), padding='same')", (2, 3, 6, 7, 4), 2 * 3 * 6 * 7 * 6 * 4 * 5 * (4 + 5)),
        ("ConvLSTM2D(5, 3, strides=2)", (2, 3, 6, 7, 4), 2 * 3 * 2 * 3 * 9 * 4 * 5 * (4 + 5)),
        ("ConvLSTM3D(5, 2)", (2, 1, 3, 4, 5, 4), 2 * 1 * 2 * 3 * 4 * 8 * 4 * 5 * (4 + 5)),
        (
            "ConvLSTM3D(5, 2, data_format='channels_first')",
            (2, 1, 4, 3, 4, 5),
            2 * 1 * 2 * 3 * 4 * 8 * 4 * 5 * (4 + 5),
        ),
        # With dilation 2, 7 positions become two images of 4 each: 8 are computed, and one is dropped.
        ("ConvLSTM1D(5, 2, dilation_rate=2, padding='same')", (2, 3, 7, 4), 2 * 3 * 2 * 4 * 5 * (8 * 4 + 7 * 5)),
        ("ConvLSTM1D(5, 2, dilation_rate=2)", (2, 3, 7, 4), 2 * 3 * 2 * 4 * 5 * (6 * 4 + 5 * 5)),
        ("ConvLSTM1D(5, 2, dilation_rate=2)", (2, 3, 8, 4), 2 * 3 * 2 * 4 * 5 * (6 * 4 + 6 * 5)),
        ("Dense(5)", (2, 4), 2 * 4 * 5),
        ("Dense(5)", (2, 3, 7, 4), 2 * 3 * 7 * 4 * 5),
        ("TimeDistributed(Dense(5))", (2, 3, 4), 2 * 3 * 4 * 5),
        ("TimeDistributed(LSTM(5))", (2, 3, 6, 4), 2 * 3 * 6 * 4 * 5 * (4 + 5)),
        ("Embedding(9, 5)", (2, 3), 0),
        ("Masking()", (2, 3, 4), 0),
        ("Dropout(0.5)", (2, 3, 4), 0),
        ("Masking() | LSTM(5)", (2, 3, 4), 2 * 3 * 4 * 5 * (4 + 5)),
        (
            "Embedding(9, 4) | Bidirectional(GRU(5, return_sequences=True)) | LSTM(7) | Dense(6)",
            (2, 3),
            2 * 2 * 3 * 3 * 5 * (4 + 5) + 2 * 3 * 4 * 7 * (10 + 7) + 2 * 7 * 6,
        ),
    ],
)
def test_multiply_adds_written_down_by_hand(expression: str, sizes: tuple[int, ...], number: int) -> None:
    report = rnnshape.predict(expression, input=sizes)
    _, function = traced(report.spec)
    assert (report.cost.multiply_adds, multiply_adds(function.graph)) == (number, number)
    assert untrue(report) is None


@pytest.mark.parametrize(
    ("expression", "sizes"),
    [
        ("LSTM(5, unroll=True)", (2, 3, 4)),
        (f"GRU(5, {BY_GATES}unroll=True, reset_after=False)", (2, 3, 4)),
        ("Bidirectional(SimpleRNN(5, unroll=True)) | Dense(3)", (2, 3, 4)),
        ("ConvLSTM1D(5, 2, unroll=True, dilation_rate=2)", (2, 2, 7, 4)),
        ("ConvLSTM2D(5, 2, unroll=True, padding='same', strides=(2, 1))", (2, 2, 5, 4, 3)),
        ("ConvLSTM3D(5, 2, unroll=True)", (1, 2, 3, 4, 3, 2)),
    ],
)
def test_tensorflows_profiler_says_the_same(expression: str, sizes: tuple[int, ...]) -> None:
    """The profiler counts a multiply-add as two operations; it skips loops and batches of matrices."""
    report = rnnshape.predict(expression, input=sizes)
    _, function = traced(report.spec)
    counts = profiled(function.graph.as_graph_def(add_shapes=True))
    assert report.cost.multiply_adds * 2 == sum(counts.get(kind, 0) for kind in ("MatMul", "Conv2D", "Conv3D"))


def profiled(definition: Any) -> dict[str, int]:
    """The float operations of each kind of operation; in the profiler, each kind is the child of the one before."""
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(definition, name="")
        part = tf.compat.v1.profiler.profile(graph, cmd="op", options={**options, "output": "none"})
    counts = {}
    while part.children:
        (part,) = part.children
        counts[part.name] = part.float_ops
    return counts


@pytest.mark.parametrize(
    ("expression", "more"),
    [("LSTM(5)", 1), ("LSTM(5, unroll=True)", 0), ("RNN([LSTMCell(5), GRUCell(7)])", 2)],
)
def test_eagerly_keras_computes_a_step_more(expression: str, more: int) -> None:
    """Keras computes it to find the output dtype, and in a stack for dropout masks; a graph prunes it."""
    report = rnnshape.predict(expression, input=(2, 3, 4))
    layer, inputs = called(report.spec)
    assert sum(executed(lambda: layer(*inputs))) * 3 == report.cost.multiply_adds * (3 + more)


def executed(call: Callable[[], Any]) -> list[int]:
    """The multiply-adds of every matrix product that an eager call runs."""
    from tensorflow.python.framework import op_callbacks

    seen = []

    def see(kind: str, inputs: Any, _: Any, outputs: Any, *_where: Any) -> None:
        if kind == "MatMul":
            seen.append(inputs[0].shape[1] * outputs[0].shape[0] * outputs[0].shape[1])

    op_callbacks.add_op_callback(see)
    try:
        call()
    finally:
        op_callbacks.remove_op_callback(see)
    return seen


@pytest.mark.parametrize("dtype", some(("float32", "float16", "float64", "mixed_float16", "mixed_bfloat16"), 5))
@pytest.mark.parametrize(
    "expression",
    [
        "LSTM(5, return_sequences=True, return_state=True)",
        "GRU(5, return_state=True)",
        "SimpleRNN(5, use_bias=False)",
        "LSTMCell(5)",
        "RNN([LSTMCell(5), GRUCell(7, dtype='float64')], return_state=True)",
        "Bidirectional(LSTM(5, return_state=True), merge_mode=None)",
        "Embedding(9, 4) | TimeDistributed(Dense(3)) | LSTM(5, return_sequences=True, dtype='float64') | Dense(2)",
        "ConvLSTM2D(5, 2, return_state=True)",
    ],
)
def test_bytes_are_those_of_the_real_arrays(expression: str, dtype: str) -> None:
    report = rnnshape.predict(expression, dtype=dtype)
    layer, inputs = called(report.spec)
    arrays = [tensor.numpy() for tensor in tf.nest.flatten(layer(*inputs))]
    assert report.cost.activation_bytes == sum(array.nbytes for array in arrays)
    assert report.cost.parameter_bytes == parameter_bytes(layer)
    assert untrue(report) is None


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        ("LSTM(5)", "N*T*4H*(C+H)"),
        ("GRU(5)", "N*T*3H*(C+H)"),
        ("SimpleRNN(5)", "N*T*H*(C+H)"),
        ("Bidirectional(LSTM(5))", "2*N*T*4H*(C+H)"),
        ("Bidirectional(LSTM(5), backward_layer=GRU(7, go_backwards=True))", "N*T*4H*(C+H) + N*T*3Hb*(C+Hb)"),
        ("ConvLSTM2D(5, 3)", "N*T*X'*Y'*3*3*4H*(C+H)"),
        ("Embedding(9, 5)", "0"),
        # H1 is the width of the first layer and of a cell in the second; X' is the output size of two windows.
        (
            "LSTM(5, return_sequences=True) | RNN([GRUCell(2), GRUCell(3), LSTMCell(4)])",
            "N*T*20*(C+5) + N*T*3H0*(5+H0) + N*T*9*(H0+3) + N*T*4H*(3+H)",
        ),
        (
            "Bidirectional(ConvLSTM1D(5, 2), backward_layer=ConvLSTM1D(5, 3, go_backwards=True), merge_mode=None)",
            "N*T*7*2*4H*(C+H) + N*T*6*3*4H*(C+H)",
        ),
        (
            "Bidirectional(RNN([GRUCell(2), GRUCell(3)]), backward_layer=RNN([GRUCell(4), GRUCell(5)], go_backwards=True))",
            "N*T*3H0*(C+H0) + N*T*3H*(H0+H) + N*T*3Hb_0*(C+Hb_0) + N*T*3Hb*(Hb_0+Hb)",
        ),
    ],
)
def test_formula(expression: str, formula: str) -> None:
    report = rnnshape.predict(expression)
    assert report.cost.formula == formula
    assert untrue(report) is None


def test_the_counter_refuses_what_it_cannot_count() -> None:
    function = tf.function(lambda x: tf.einsum("ij,jk->ik", x, tf.raw_ops.Einsum(inputs=[x], equation="ij->ji")))
    graph = function.get_concrete_function(tf.TensorSpec((2, 2))).graph
    with pytest.raises(Uncounted, match="Einsum"):
        multiply_adds(graph)


def test_the_view_shows_it_when_asked(run: Callable[..., Ran]) -> None:
    shown = run("lstm", "--predict", "--cost", "--units", "64", "--input", "32,100,16")
    assert shown.code == 0
    for line in (
        "│ multiply-adds │ N·T·4H·(C+H)         │ 65,536,000 │        │",
        "│ parameters    │ 4·(C·4H + H·4H + 4H) │     82,944 │ 81 KiB │",
        "│ activations   │ 4·(N·H)              │      8,192 │ 8 KiB  │",
    ):
        assert line in shown.out
    assert "multiply-adds" not in run("lstm", "--predict").out


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1_048_575, "1024 KiB"),
        (1_048_576, "1 MiB"),
        (5 * 2**40, "5 TiB"),
    ],
)
def test_bytes_are_readable(count: int, text: str) -> None:
    from rnnshape.render.table import _readable

    assert _readable(count) == text
