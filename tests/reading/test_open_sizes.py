"""Sizes that the code leaves open: rnnshape finds the ones with which the calls fit; Keras takes them."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.reading import make, make_all
from tests.reading.test_published import notes, shapes, under_keras


@pytest.mark.parametrize(
    "state",
    [
        "Concatenate()([RepeatVector(7)({}), a])",
        "Dropout(0.1)(Concatenate()([a, RepeatVector(7)({})]))",
        "Add()([Concatenate()([a, RepeatVector(7)({})]), Concatenate()([RepeatVector(7)({}), a])])",
    ],
)
def test_an_unknown_tensor_has_the_size_with_which_a_shared_layer_fits(state: str) -> None:
    code = f"""
a = LSTM(4, return_sequences=True)(Input((7, 3)))
d, l = Dense(5), LSTM(6, return_state=True)
h, c = first(a)
for t in range(2):
    h, _, c = l(d({state.replace("{}", "h")}), initial_state=[h, c])
"""
    (spec,) = make_all(code)
    assert rnnshape.explore(spec).ok
    known = code.replace("first(a)", "[LSTM(6)(a), LSTM(6)(a)]")
    assert shapes(code)[0][-1] == tuple(under_keras(known, "(2, *h.shape[1:])"))


def test_a_size_that_the_code_gives_is_not_changed() -> None:
    code = "a = Input((7, 3))\nd = Dense(5)\ny = d(LSTM(4)(a))\nz = d(LSTM(6)(a))\nm = Model(a, [y, z])"
    with pytest.raises(rnnshape.Invalid, match="kernel of"):
        make_all(code)


def test_a_first_reshape_says_what_comes_behind_it() -> None:
    code = "m = Sequential()\nm.add(Reshape((9, 2)))\nm.add(LSTM(4, return_sequences=True))\n"
    assert [spec.input for spec in make_all(code)] == [(2, 9, 2)]
    assert any("is not followed: target_shape=(9, 2) needs 18 elements" in note for note in notes(code))
    assert shapes(code) == [[tuple(under_keras(code + "y = m(tf.zeros((2, 18)))", "y.shape"))]]
    given = code.replace("Sequential()", "Sequential([Input((17,))])")
    with pytest.raises(rnnshape.Invalid, match="needs 18 elements"):
        make_all(given)


def test_a_product_of_a_shape_is_computed() -> None:
    code = "import numpy as np\nshape = (5, 3)\nm = Sequential([Input((4,)), Dense(int(np.prod(shape))), Reshape(shape), LSTM(2)])"
    assert make(code).layer["layers"][0]["units"] == 15
    assert shapes(code) == [[tuple(under_keras(code, "(2, *m.output_shape[1:])"))]]


def test_a_layer_behind_a_model_keeps_the_calls_that_it_needs() -> None:
    code = """
h = Input((5,))
z, other = Dense(3)(h), Dense(3)(h)
encoder = Model(h, z)
def loss(true, made):
    return K.sum(1 + other - K.square(z), axis=-1)
y = LSTM(2)(RepeatVector(4)(z))
"""
    (spec,) = make_all(code)
    assert [layer.text for layer in spec.layer.walk() if layer.name == "LSTM"] == ["LSTM(2)"]
    assert rnnshape.explore(spec).ok


@pytest.mark.parametrize("module", ["seya.layers.recurrent", "tfts.models.rnn", "my.layers"])
def test_a_class_of_another_package_is_not_the_one_of_keras(module: str) -> None:
    code = f"from {module} import Bidirectional\nf = LSTM(4, return_sequences=True)\nb = Bidirectional(forward=f)"
    assert shapes(code) == [[(2, 3, 4)]]
    package = f"import {module} as L\nx = L.Bidirectional(forward=1)\ny = LSTM(4)"
    assert shapes(package) == [[(2, 4)]]


@pytest.mark.parametrize(
    "module", ["keras.layers.recurrent", "tensorflow.python.keras.layers", "zoo.api.keras.layers", "layers"]
)
def test_a_class_of_a_module_of_keras_is_read(module: str) -> None:
    assert make(f"from {module} import LSTM as Cell\ny = Cell(4)").layer.text == "LSTM(4)"


@pytest.mark.parametrize(
    "noise",
    [
        "tf.random.normal(shape=(1, 5))",
        "tf.random.normal((1, width), mean=0.0)",
        "tf.random.uniform(tf.shape(z_mean))",
        "tf.random.truncated_normal(shape=(tf.shape(z_mean)[0], 5))",
        "keras.random.normal([tf.shape(z_mean)[0], tf.shape(z_mean)[1]])",
    ],
)
@pytest.mark.parametrize(
    "drawn", ["z_mean + K.exp(z_log / 2) * noise", "noise * z_log + z_mean", "z_mean - z_log / noise"]
)
def test_the_noise_of_an_autoencoder_is_an_input(noise: str, drawn: str) -> None:
    code = f"""
width = 5
x = Input((10, 3))
h = LSTM(8)(x)
z_mean, z_log = Dense(5)(h), Dense(5)(h)
def sampling(args):
    z_mean, z_log = args
    noise = {noise}
    return {drawn}
z = Lambda(sampling, output_shape=(5,))([z_mean, z_log])
y = LSTM(3, return_sequences=True)(RepeatVector(10)(z))
m = Model(x, [z, y])
"""
    (spec,) = make_all(code)
    assert [tuple(one.shape[1:]) for one in under_keras(f"import keras\n{code}", "m.outputs")] == [(5,), (10, 3)]
    assert shapes(code) == [[(2, 5), (2, 10, 3)]]
    assert [note.partition(": ")[2] for note in spec.notes] == ["noise is random: it is an input here"]
    assert rnnshape.explore(spec).ok
