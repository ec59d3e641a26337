"""The layers around recurrent ones: shapes in letters, weights, masks, cost, and the layers within TimeDistributed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.layers import TABLE
from rnnshape.reading import make
from rnnshape.structure import leaves
from tests.shared.releases import had, legacy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

SHAPES: dict[str, tuple[dict[str, Any], tuple[str, ...], tuple[int, ...]]] = {
    "Conv1D(8, 3, padding='causal', dilation_rate=2)": ({}, ("N", "T", "H"), (2, 3, 8)),
    "Conv1D(8, 3, strides=2)": ({"time": 9}, ("N", "T'", "H"), (2, 4, 8)),
    "Conv1D(8, 3, data_format='channels_first')": ({"time": 9}, ("N", "H", "T'"), (2, 8, 7)),
    "Conv1D(8, 3, activation='glu')": ({"time": 9}, ("N", "T'", "4"), (2, 7, 4)),
    "SeparableConv1D(8, 3, depth_multiplier=2)": ({"time": 9}, ("N", "T'", "H"), (2, 7, 8)),
    "DepthwiseConv1D(3, depth_multiplier=2)": ({"time": 9}, ("N", "T'", "2C"), (2, 7, 8)),
    "Conv1DTranspose(8, 3, strides=2, padding='same')": ({"time": 9}, ("N", "T'", "H"), (2, 18, 8)),
    "MaxPooling1D(2) | MaxPooling1D(2)": ({"time": 9}, ("N", "T''", "C"), (2, 2, 4)),
    "MaxPooling1D(2) | Conv1D(8, 2) | MaxPooling1D(2) | LSTM(2, return_sequences=True)": (
        {"time": 19},
        ("N", "T'3", "H"),
        (2, 4, 2),
    ),
    "MaxPooling1D(2)": ({"time": 9}, ("N", "T'", "C"), (2, 4, 4)),
    "AveragePooling2D((2, 3), strides=1)": ({}, ("N", "X'", "Y'", "C"), (2, 7, 6, 4)),
    "GlobalAveragePooling1D(keepdims=True)": ({}, ("N", "1", "C"), (2, 1, 4)),
    "Flatten()": ({}, ("N", "T*C"), (2, 12)),
    "Reshape((-1, 2))": ({}, ("N", "6", "2"), (2, 6, 2)),
    "Permute((2, 1))": ({}, ("N", "C", "T"), (2, 4, 3)),
    "RepeatVector(5)": ({}, ("N", "5", "C"), (2, 5, 4)),
    "UpSampling1D(3)": ({}, ("N", "3T", "C"), (2, 9, 4)),
    "ZeroPadding1D((2, 1))": ({}, ("N", "T'", "C"), (2, 6, 4)),
    "Cropping2D(((1, 0), (2, 1)), data_format='channels_first')": ({}, ("N", "C", "X'", "Y'"), (2, 4, 7, 5)),
    "LSTM(8) | RepeatVector(5) | LSTM(4, return_sequences=True)": ({}, ("N", "5", "H"), (2, 5, 4)),
    "UpSampling1D(2) | MaxPooling1D(2, strides=1)": ({}, ("N", "T'", "C"), (2, 5, 4)),
}


@pytest.mark.parametrize("text", had(SHAPES))
def test_the_shape_is_said_in_letters_and_is_that_of_the_real_layer(text: str) -> None:
    options, symbolic, shape = SHAPES[text]
    report = rnnshape.explore(text, **options)
    assert report.ok
    assert (report.structure.symbolic, report.structure.shape) == (symbolic, shape)


NOTES = {
    "MaxPooling1D(2)": "T' = floor((T - pool) / stride) + 1 = floor((9 - 2) / 2) + 1 = 4",
    "Conv1D(8, 3, strides=2, padding='same')": "T' = ceil(T / stride) = ceil(9 / 2) = 5",
    "Conv1DTranspose(8, 2, strides=3)": "T' = (T - 1) * stride + max(dilation*(kernel-1) + 1, stride) "
    "= (9 - 1) * 3 + 3 = 27",
    "Cropping1D((2, 1))": "T' = T - 2 - 1 = 6",
    "Reshape((-1, 6))": "-1 = T*C / 6 = 36 / 6 = 6",
    "LeakyReLU(alpha=0.2)": "alpha is deprecated: Keras 3 calls it negative_slope",
}


def test_one_letter_with_two_sizes_is_added_up_as_a_number() -> None:
    both = "Concatenate(axis=1)([Conv1D(3, 3)(x), Conv1D(3, 5)(x)])"
    report = rnnshape.explore(f"x = Input((20, 4))\ny = LSTM(2, return_sequences=True)({both})")
    assert report.ok
    assert next(leaves(report.predicted)).symbolic == ("N", "34", "H4")


def test_what_is_alike_in_a_sum_of_sizes_stands_once() -> None:
    both = "Concatenate()([a, b, a, Subtract()([a, b])])"
    report = rnnshape.explore(f"x = Input((5, 4))\na, b = LSTM(3)(x), GRU(3)(x)\ny = {both}")
    assert report.ok
    assert next(leaves(report.predicted)).symbolic == ("N", "3H1+H2")


@pytest.mark.parametrize("text", NOTES)
def test_a_size_that_changed_comes_with_its_arithmetic(text: str) -> None:
    assert rnnshape.predict(text, input=(2, 9, 4)).notes == (NOTES[text],)


WEIGHTS = {
    "Conv1D(6, 3, groups=2)": [("kernel", ["3", "2", "H"]), ("bias", ["H"])],
    "SeparableConv1D(6, 3)": [
        ("depthwise_kernel", ["3", "C", "1"]),
        ("pointwise_kernel", ["1", "C", "H"]),
        ("bias", ["H"]),
    ],
    "Conv2DTranspose(6, (2, 3), use_bias=False)": [("kernel", ["2", "3", "H", "C"])],
    "BatchNormalization(scale=False)": [("beta", ["C"]), ("moving_mean", ["C"]), ("moving_variance", ["C"])],
    "LayerNormalization((1, 2))": [("gamma", ["T", "C"]), ("beta", ["T", "C"])],
    "PReLU(shared_axes=1)": [("alpha", ["1", "C"])],
}


@pytest.mark.parametrize("text", WEIGHTS)
def test_the_weights_have_their_names_and_letters(text: str) -> None:
    options = {} if "2D" in text else {"input": (2, 9, 4)}
    report = rnnshape.explore(text, **options)
    assert report.ok
    assert [(weight["name"], weight["symbolic"]) for weight in report.to_dict()["weights"]] == WEIGHTS[text]


def test_the_mask_goes_on_where_keras_hands_it_on() -> None:
    def mask_behind(layer: str) -> Any:
        report = rnnshape.explore(f"Masking() | {layer} | LSTM(3, return_sequences=True)", mask="110;111", time=3)
        assert report.ok, layer
        return [warning for warning in report.warnings if "destroy the mask" in warning]

    for layer in ("BatchNormalization()", "LayerNormalization()", "GaussianNoise(0.1)", "ReLU()", "Identity()"):
        assert not mask_behind(layer)
    for layer in ("Conv1D(4, 1)", "MaxPooling1D(1)", "ZeroPadding1D(0)", "Permute((1, 2))", "Reshape((3, 4))"):
        assert mask_behind(layer)


def test_global_average_pooling_means_over_the_valid_steps() -> None:
    report = rnnshape.explore("GlobalAveragePooling1D()", mask="100;111")
    assert report.ok
    assert report.notes == ("the mean is over the valid steps",)


@pytest.mark.parametrize("text", ["Masking() | Softmax()", "TimeDistributed(GlobalAveragePooling1D())"])
def test_a_layer_that_cannot_use_the_mask_is_refused_before_keras_does(text: str) -> None:
    foretold, met = (ask(text, mask="110;111") for ask in (rnnshape.predict, rnnshape.explore))
    assert foretold.error is not None
    assert met.error is not None
    assert foretold.error.message.partition(":")[0] == met.error.message.partition(":")[0]


def test_a_stack_in_time_distributed_is_a_real_sequential(run: Callable[..., Ran]) -> None:
    text = "TimeDistributed(Sequential([Conv2D(4, 3), MaxPooling2D(), Flatten()])) | LSTM(4)"
    report = rnnshape.explore(text)
    assert report.ok
    assert [weight["name"] for weight in report.to_dict()["weights"]][:2] == [
        "layer1_layer1_kernel",
        "layer1_layer1_bias",
    ]
    program = run("show", text, "--code").out
    assert "keras.layers.TimeDistributed(keras.Sequential([keras.layers.Conv2D(4, 3)" in program
    exec(compile(program, "program", "exec"), {})  # noqa: S102  what the tool wrote


def test_a_name_stands_once_in_a_sequential() -> None:
    with pytest.raises(rnnshape.Invalid, match="two layers of the name 'one'"):
        make("TimeDistributed(Sequential([Dense(2, name='one'), Dense(3, name='one')]))")


def test_a_sequential_in_a_sequential_is_its_layers() -> None:
    nested = make("Sequential([Sequential([Conv1D(8, 3), ReLU()]), LSTM(4)])")
    assert nested.layer == make("Conv1D(8, 3) | ReLU() | LSTM(4)").layer


def test_a_letter_that_stands_nowhere_else_is_a_number_in_the_cost(run: Callable[..., Ran]) -> None:
    text = "TimeDistributed(Sequential([Conv1D(4, 3), GlobalMaxPooling1D()]))"
    cost = json.loads(run("show", text, "--input", "2,3,9,4", "-f", "json").out)["cost"]
    assert cost["formula"] == "N*T*7*3*C*H1"
    assert cost["multiply_adds"] == 2 * 3 * 7 * 3 * 4 * 4


def test_a_default_input_is_long_enough_for_the_windows() -> None:
    assert make("Conv1D(4, 3) | MaxPooling1D(2) | LSTM(3)").input == (2, 32, 4)
    assert make("Conv1D(4, 3) | LSTM(3)").input == (2, 3, 4)
    with pytest.raises(rnnshape.Invalid, match="the pool is larger than T'=1"):
        make("Conv1D(4, 3) | MaxPooling1D(2) | LSTM(3)", {"time": 3})


def test_every_layer_without_a_loop_says_where_keras_has_its_call() -> None:
    from pathlib import Path

    import keras

    root = Path(keras.__file__).parent / "src" / "layers"
    for layer in TABLE.values():
        if layer.kind == "layer" and layer.name != "Bidirectional":
            file, _, name = layer.source.partition(": ")
            text = (root / file).read_text(encoding="utf-8")
            assert all(f"class {part}" in text or f"def {part}(" in text for part in name.split(".")), layer.source


@pytest.mark.parametrize("layer", ["Softmax()", "Activation('softmax')", "Dense(2, activation='softmax')"])
@pytest.mark.parametrize(("dtype", "axes", "runs"), [("float32", 5, True), ("float32", 6, False), ("float64", 6, True)])
def test_softmax_takes_five_axes_on_a_cpu(layer: str, dtype: str, axes: int, runs: bool) -> None:
    options = {"input": (2,) * axes, "dtype": dtype, "device": "cpu"}
    theory, lab = rnnshape.predict(layer, **options), rnnshape.explore(layer, **options)
    assert (theory.error is None, lab.error is None) == (runs, runs)


@pytest.mark.parametrize("release", [None, pytest.param("2", marks=legacy)])
@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("Normalization() | LSTM(3, return_sequences=True)", 2 * 4 + 1 + 96),
        ("Normalization(axis=None) | LSTM(3)", 3 + 96),
        ("Normalization(axis=(2, 1), dtype='mixed_float16') | GRU(2)", 2 * 12 + 1 + 48),
        ("Normalization(axis=None, mean=0.5, variance=2, invert=True) | LSTM(3)", 96),
        ("Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1, 2, 3, 4]) | LSTM(3)", 96),
        ("Rescaling([1.0, 2.0, 3.0, 4.0], offset=[0.5]) | LSTM(3)", 96),
        ("Rescaling(1 / 255, offset=-1.0) | LSTM(3, return_sequences=True)", 96),
        ("TimeDistributed(Rescaling(2, dtype='float16'))", 0),
    ],
)
def test_a_layer_that_prepares_its_input_is_that_of_the_real_layer(text: str, params: int, release: str | None) -> None:
    for options in ({}, {"masking": 0.0, "mask": "right:3,2"}):
        if options and release and text.startswith("TimeDistributed"):
            continue  # Keras 2 passes no mask to a layer without masking
        report = rnnshape.explore(text, keras=release, **options)
        assert report.ok
        assert (report.params, report.observed is None) == (params, False)


def test_a_weight_without_axes_is_one_in_the_formulas(run: Callable[..., Ran]) -> None:
    assert "C + C + 1 + " in run("show", "Normalization() | Dense(2)", "--weights", "--predict").out
    assert rnnshape.predict("Normalization()").cost.parameter_formula == "4*(2*C) + 8*(1)"


REJECTED_BY_SOME = (
    "Normalization(mean=0.5, variance=2) | LSTM(3)",
    "Normalization(mean=[0.5], variance=[2.0])",
    *(f"{name}(1)" for name in ("Dropout", "SpatialDropout1D", "GaussianDropout", "AlphaDropout")),
    "TimeDistributed(Dropout(1))",
    *(f"{name}(2, {rate}=1)" for name in ("LSTM", "SimpleRNN") for rate in ("dropout", "recurrent_dropout")),
    *(f"{name}(2, recurrent_dropout=1.0)" for name in ("GRUCell", "SimpleRNNCell")),
    "StackedRNNCells([GRUCell(2), LSTMCell(2, dropout=1)])",
    "RNN([GRUCell(2), LSTMCell(2, dropout=1)])",
    "Bidirectional(GRU(2, dropout=1))",
    "ConvLSTM1D(2, 2, dropout=1)",
    "x = Input((3, 4)); y = LSTM(2)(Attention(dropout=1.0)([x, x]))",
    "x = Input((3, 4)); y = LSTM(2)(MultiHeadAttention(2, 2, dropout=1.0)(x, x))",
)
"""A mean for all channels is from Keras 3.8 on, a rate of 1 from 3.14 on; what fails before depends on the call."""


@pytest.mark.parametrize("release", [None, pytest.param("2", marks=legacy)])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("text", REJECTED_BY_SOME)
def test_what_a_release_rejects_is_what_is_told(text: str, training: bool, release: str | None) -> None:
    options = {"training": training, "keras": release}
    theory, lab = rnnshape.predict(text, **options), rnnshape.explore(text, **options)
    assert (theory.error is None) == (lab.error is None), (theory.error, lab.error)
    assert lab.error is not None or lab.ok
