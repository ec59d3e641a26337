"""What an Input leaves open although Keras needs it: Keras rejects the model, and so does rnnshape."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import load
from rnnshape.reading import make

LAYERS = [
    "LSTM(3, return_sequences=True), Flatten(), Dense(2)",
    "Bidirectional(GRU(3, return_sequences=True)), Flatten(), Dense(2)",
    "Permute((2, 1)), LSTM(3)",
    "Conv1D(3, 2), Flatten(), Dense(2)",
    "MaxPooling1D(2), LSTM(3, return_sequences=True), Flatten(), RepeatVector(3), GRU(2)",
    "LSTM(3, return_sequences=True), LayerNormalization(axis=1)",
    "LSTM(3), RepeatVector(3), LSTM(2, return_sequences=True), Flatten(), Dense(2)",
    "Conv1D(3, 2), LSTM(3)",
    "LSTM(3, return_sequences=True), TimeDistributed(Dense(2))",
    "LSTM(3, stateful=True)",
    "Bidirectional(LSTM(3, stateful=True)), Dense(2)",
]
INPUTS = ["(None, 4)", "(5, 4)", "(None, 4), batch_size=2", "(5, 4), batch_size=2"]


def _built_by_keras(code: str) -> bool:
    keras = load().keras
    try:
        exec(code, {**vars(keras.layers), "Sequential": keras.Sequential, "Model": keras.Model})  # noqa: S102  code of this test
    except ValueError as error:
        assert any(word in str(error) for word in ("must be fully-defined", "must be static", "-1"))
        return False
    return True


def _read(code: str) -> bool:
    try:
        make(code)
    except Invalid as error:
        assert "open" in str(error)
        return False
    return True


@pytest.mark.parametrize("said", INPUTS)
@pytest.mark.parametrize("layers", LAYERS)
def test_a_model_that_keras_cannot_build_is_refused(layers: str, said: str) -> None:
    calls = "".join(f"\ny = {layer.rstrip(',')}(y)" for layer in layers.replace("), ", "),|").split("|"))
    for code in (f"Sequential([Input({said}), {layers}])", f"x = Input({said})\ny = x{calls}\nmodel = Model(x, y)"):
        assert _read(code) == _built_by_keras(code), code


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")
@pytest.mark.parametrize("given", ["input_shape=(None, 4)", "input_shape=(5, 4)"])
@pytest.mark.parametrize("layers", ["return_sequences=True), Flatten(), Dense(2)", "stateful=True), Dense(2)"])
def test_input_shape_leaves_it_open_in_a_model(given: str, layers: str) -> None:
    code = f"Sequential([LSTM(3, {given}, {layers}])"
    assert _read(code) == _built_by_keras(code)


def test_a_layer_that_no_model_is_built_of_needs_no_size() -> None:
    assert rnnshape.explore("LSTM(3, stateful=True, input_shape=(5, 4))").ok
    assert rnnshape.explore("Embedding(9, 4) | LSTM(3, return_sequences=True) | Flatten() | Dense(2)").ok


@pytest.mark.parametrize(
    ("layers", "options"), [(LAYERS[0], {"time": 7}), (LAYERS[0], {"input": (2, 7, 4)}), (LAYERS[9], {"batch": 3})]
)
def test_an_option_gives_what_the_input_leaves_open(layers: str, options: dict[str, object]) -> None:
    assert rnnshape.explore(f"Sequential([Input((None, 4)), {layers}])", **options).ok
