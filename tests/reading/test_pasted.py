"""Whole lines: layers called on one another, and what a line says of the input's shape."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import load
from rnnshape.layers import ALIASES, TABLE
from rnnshape.layers.arguments import REQUIRED
from rnnshape.layers.merges import MERGES
from rnnshape.reading import make, make_all
from rnnshape.reading.batch.data import from_data
from rnnshape.reading.code.calling import signature
from rnnshape.reading.code.keras_1 import RENAMED
from rnnshape.reading.comparison import compared
from rnnshape.spec.data import to_data
from tests.shared.pasting import Drawer, differs
from tests.shared.releases import legacy
from tests.shared.vocabulary import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

STACKS = {
    "Dense(1)(LSTM(8)(x))": "LSTM(8) | Dense(1)",
    "y = Dense(1)(Dropout(0.5)(LSTM(8)(x)))": "LSTM(8) | Dropout(0.5) | Dense(1)",
    "LSTM(4, return_sequences=True)(Masking()(x))": "Masking() | LSTM(4, return_sequences=True)",
    "layers.LSTM(4)(tf.keras.layers.Embedding(9, 3)(tokens))": "Embedding(9, 3) | LSTM(4)",
    "LSTM(4)(Dropout(0.5)(x))": "Dropout(0.5) | LSTM(4)",
    "Dense(1)(inputs=LSTM(8)(sequences=x))": "LSTM(8) | Dense(1)",
    "Bidirectional(GRU(3))(TimeDistributed(Dense(5))(x))": "TimeDistributed(Dense(5)) | Bidirectional(GRU(3))",
    "(LSTM(8, return_sequences=True) | GRU(4))(x)": "LSTM(8, return_sequences=True) | GRU(4)",
    "Dense(1)((LSTM(8, return_sequences=True) | GRU(4))(x))": "LSTM(8, return_sequences=True) | GRU(4) | Dense(1)",
    "Sequential([GRU(4)])(LSTM(8, return_sequences=True)(x))": "LSTM(8, return_sequences=True) | GRU(4)",
    "GRU(4)(Sequential([LSTM(8, return_sequences=True), Dropout(0.5)])(x))": (
        "LSTM(8, return_sequences=True) | Dropout(0.5) | GRU(4)"
    ),
}


@pytest.mark.parametrize("text", STACKS)
def test_a_call_inside_a_call_is_a_stack(text: str) -> None:
    assert make(text) == make(STACKS[text])
    assert make(text).layer.text == STACKS[text]


def test_what_a_pasted_stack_returns_is_what_the_real_layers_return() -> None:
    from rnnshape.lab.tensorflow import load

    keras = load().keras
    x = keras.random.normal((2, 5, 3))
    real = keras.layers.Dense(1)(keras.layers.GRU(4)(keras.layers.LSTM(8, return_sequences=True)(x)))
    report = rnnshape.explore("Dense(1)(GRU(4)(LSTM(8, return_sequences=True)(keras.random.normal((2, 5, 3)))))")
    assert report.ok
    assert report.structure.shape == tuple(real.shape)
    assert report.spec.input == (2, 5, 3)


@pytest.mark.draws
def test_drawn_lines_are_answered_as_keras_answers_them() -> None:
    drawer = Drawer(7)
    lines = [drawer.line() for _ in range(100)]
    assert {line: wrong for line in lines if (wrong := differs(line))} == {}


INPUTS = {
    "keras.Input((10, 8))": (2, 10, 8),
    "Input(shape=(10, 8))": (2, 10, 8),
    "tf.keras.Input((10, 8), 32)": (32, 10, 8),
    "layers.Input(shape=[None, 8], name='x', dtype='float32')": (2, 3, 8),
    "Input(shape=(10, 8), batch_size=32)": (32, 10, 8),
    "Input(batch_shape=(32, 10, 8))": (32, 10, 8),
    "Input(batch_shape=(None, 10, 8))": (2, 10, 8),
    "Input(shape=(steps, 8))": (2, 7, 8),
    "Input(shape=data.shape[1:])": (2, 3, 4),
    "tf.random.normal([32, 10, 8])": (32, 10, 8),
    "tf.random.uniform((2, 3, 5))": (2, 3, 5),
    "tf.zeros((1, 1, 1))": (1, 1, 1),
    "tf.zeros(shape=[2, 6, 4], dtype=tf.float32)": (2, 6, 4),
    "tf.fill((2, 6, 4), 0.5)": (2, 6, 4),
    "tf.ones([batch, 6, 4])": (7, 6, 4),
    "np.zeros((7, 6, 5))": (7, 6, 5),
    "np.empty((7, 6, 5), 'float32')": (7, 6, 5),
    "np.random.rand(2, 3, 7)": (2, 3, 7),
    "np.random.randn(2, 3, 7).astype('float32')": (2, 3, 7),
    "np.random.random((2, 3, 7))": (2, 3, 7),
    "np.random.normal(size=(2, 3, 7))": (2, 3, 7),
    "np.random.normal(0, 1, (2, 3, 7))": (2, 3, 7),
    "np.random.default_rng(0).normal(size=(2, 3, 7))": (2, 3, 7),
    "keras.random.normal((2, 3, 7))": (2, 3, 7),
    "keras.ops.zeros((2, 3, 7))": (2, 3, 7),
    "tf.cast(np.ones((2, 3, 7)), tf.float32)": (2, 3, 7),
    "tf.constant(np.ones((2, 3, 7)))": (2, 3, 7),
    "tf.constant([[[1.0, 2.0], [3.0, -4.0]]])": (1, 2, 2),
    "np.array([[[1], [2], [3]]], dtype='float32')": (1, 3, 1),
    "np.arange(24.0).reshape(2, 3, 4)": (2, 3, 4),
    "np.arange(30).reshape((5, 3, 2)).astype('float32')": (5, 3, 2),
    "tf.reshape(tf.zeros((6, 10)), (2, -1, 5))": (2, 6, 5),
    "tf.zeros(shape)": (2, 3, 4),
    "x": (2, 3, 4),
    "self.x": (2, 3, 4),
    "x[:, None]": (2, 3, 4),
    "batch['tokens']": (2, 3, 4),
    "preprocess(x, 3)": (2, 3, 4),
    "self.encoder.call(x)": (2, 3, 4),
}


@pytest.mark.parametrize("tensor", INPUTS)
def test_the_shape_in_the_line_is_the_input(tensor: str) -> None:
    for text in (f"LSTM(8)({tensor})", f"y = Dense(2)(LSTM(8)(sequences={tensor}))"):
        spec = make(text)
        assert spec.input == INPUTS[tensor]
        assert from_data(to_data(spec)) == spec
        assert make(spec.layer.text, {"input": spec.input}) == spec


def test_the_shape_of_a_tensor_is_what_numpy_and_tensorflow_make_of_it() -> None:
    from rnnshape.lab.tensorflow import load

    tf = load()
    import numpy as np

    names = {"tf": tf, "np": np, "keras": tf.keras, "Input": tf.keras.Input, "layers": tf.keras.layers}
    unknown = ("steps", "data", "batch", "shape)", "self", "preprocess")
    for tensor, shape in INPUTS.items():
        if tensor[0] == "x" or any(name in tensor for name in unknown) or "batch_s" in tensor:
            continue
        real = eval(tensor, dict(names)).shape  # noqa: S307  the lines of this file, by the real libraries
        assert all(size in (None, said) for size, said in zip(real, shape, strict=True)), tensor


DECLARED = {
    "LSTM(8, input_shape=(10, 8))": ("LSTM(8)", (2, 10, 8)),
    "LSTM(8, input_shape=[None, 8])": ("LSTM(8)", (2, 3, 8)),
    "LSTM(8, input_shape=(X.shape[1], 8))": ("LSTM(8)", (2, 7, 8)),
    "LSTM(8, input_dim=8)": ("LSTM(8)", (2, 3, 8)),
    "GRUCell(8, input_shape=(9,))": ("GRUCell(8)", (2, 9)),
    "Dense(3, input_dim=8)": ("Dense(3)", (2, 8)),
    "Masking(input_shape=(10, 8)) | LSTM(8)": ("Masking() | LSTM(8)", (2, 10, 8)),
    "Dropout(0.5, input_shape=(8,))": ("Dropout(0.5)", (2, 8)),
    "ConvLSTM2D(2, 3, input_shape=(4, 9, 9, 1))": ("ConvLSTM2D(2, 3)", (2, 4, 9, 9, 1)),
    "Embedding(9, 4, input_shape=(7,))": ("Embedding(9, 4)", (2, 7)),
    "Bidirectional(LSTM(8), input_shape=(10, 8))": ("Bidirectional(LSTM(8))", (2, 10, 8)),
    "Bidirectional(LSTM(8, input_shape=(10, 8)))": ("Bidirectional(LSTM(8))", (2, 10, 8)),
    "TimeDistributed(Dense(3), input_shape=(10, 8))": ("TimeDistributed(Dense(3))", (2, 10, 8)),
    "TimeDistributed(Dense(3, input_shape=(8,)))": ("TimeDistributed(Dense(3))", (2, 3, 8)),
    "TimeDistributed(LSTM(3, input_shape=(6, 8)))": ("TimeDistributed(LSTM(3))", (2, 3, 6, 8)),
    "RNN(LSTMCell(8, input_dim=9))": ("RNN(LSTMCell(8))", (2, 3, 9)),
    "RNN(StackedRNNCells([GRUCell(2, input_shape=(9,)), GRUCell(3)]))": (
        "RNN(StackedRNNCells([GRUCell(2), GRUCell(3)]))",
        (2, 3, 9),
    ),
    "Sequential([LSTM(8, input_shape=(10, 8)), Dense(1)])": ("LSTM(8) | Dense(1)", (2, 10, 8)),
    "LSTM(8, input_shape=(10, 8))(tf.zeros((7, 10, 8)))": ("LSTM(8)", (7, 10, 8)),
}


@pytest.mark.parametrize("text", DECLARED)
def test_input_shape_and_input_dim_are_the_input(text: str) -> None:
    spec = make(text)
    assert (spec.layer.text, spec.input) == DECLARED[text]
    assert any(note.startswith(("Keras 3 warns about input_", "Keras 3 reads input_dim=8")) for note in spec.notes)
    assert from_data(to_data(spec)) == spec


@pytest.mark.filterwarnings("ignore:Do not pass an")
def test_input_dim_of_a_recurrent_layer_fails_in_a_sequential_of_keras_3() -> None:
    import keras

    (note,) = make("LSTM(4, input_dim=8)").notes
    assert note.endswith("which fails in a Sequential: write input_shape=(None, 8)")
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        keras.Sequential([keras.layers.LSTM(4, input_dim=8), keras.layers.Dense(1)])
    assert keras.Sequential([keras.layers.LSTM(4, input_shape=(None, 8))]).input_shape == (None, None, 8)


@pytest.mark.filterwarnings("ignore:Do not pass an")
@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("LSTM(8, input_length=n, input_dim=c, batch_input_shape=(7, 10, 8))", (7, 10, 8)),
        ("Conv2D(nb_filter=4, nb_row=3, nb_col=3, input_shape=(40, 40, 1))", (2, 40, 40, 1)),
        ("ConvLSTM2D(nb_filter=4, nb_row=3, nb_col=3, input_shape=(None, 40, 40, 1))", (2, 3, 40, 40, 1)),
    ],
)
def test_the_shape_in_a_call_of_an_older_keras_is_the_input(code: str, shape: tuple[int, ...]) -> None:
    assert make(code).input == shape


# A Sequential says it by an Input, and these take no other keyword than their own.
CLOSED = ("Sequential", "SpatialDropout1D", "SpatialDropout2D")
# Of these the usual input has a time axis, and they take one without it.
ANY_RANK = ("Masking", "Flatten", "Reshape")


@pytest.mark.parametrize("name", [name for name in TABLE if name not in CLOSED])
def test_every_class_of_keras_takes_input_shape_and_input_dim(name: str) -> None:
    from rnnshape.lab.tensorflow import load

    layers = load().keras.layers
    inside = {
        "StackedRNNCells": "([LSTMCell(3)])",
        "RNN": "(GRUCell(3))",
        "Bidirectional": "(LSTM(3))",
        "Masking": "()",
    }
    inside |= {"TimeDistributed": "(Dense(3))", "Embedding": "(9, 4)", "Permute": "((2, 1))", "Reshape": "((-1,))"}
    draft = plain(name)
    usual = f"({', '.join(map(repr, draft.values.values()))})"
    text = name + inside.get(name, usual)
    size = make(text).input[1:]
    for argument in (f"input_shape={size}", f"input_dim={size[-1]}"):
        if (name, argument[:9]) == ("Embedding", "input_dim"):
            continue  # there it is the size of the vocabulary
        with pytest.warns(UserWarning, match="Do not pass an `input_shape`/`input_dim`"):
            eval(f"{text[:-1]}, {argument})".replace("(, ", "("), vars(layers) | {})  # noqa: S307  written here
        spec = make(f"{text[:-1]}, {argument})".replace("(, ", "("))
        assert spec == make(text, {"input": (2, 4)} if name in ANY_RANK and argument == "input_dim=4" else {})
        assert spec.notes


@pytest.mark.parametrize("name", ["SpatialDropout1D", "SpatialDropout2D"])
def test_a_class_that_takes_no_more_than_its_own_arguments_takes_no_input_shape(name: str) -> None:
    with pytest.raises(Invalid, match="takes no input_shape"):
        make(f"{name}(0.5, input_shape=(3, 4))")


def test_input_shape_counts_for_the_first_layer_only_as_in_keras() -> None:
    from rnnshape.lab.tensorflow import load

    keras = load().keras
    first, second = "LSTM(8, return_sequences=True, input_shape=(10, 8))", "LSTM(4, input_shape=(5, 5))"
    with pytest.warns(UserWarning, match="Do not pass"):
        model = eval(f"Sequential([{first}, {second}])", vars(keras.layers) | {"Sequential": keras.Sequential})  # noqa: S307
    spec = make(f"Sequential([{first}, {second}])")
    assert model.input_shape[1:] == spec.input[1:] == (10, 8)
    assert spec.notes[1] == "input_shape applies to the first layer only: Keras ignores it elsewhere"


def test_input_in_front_of_a_stack_is_its_input() -> None:
    for front in ("keras.Input((10, 8))", "layers.InputLayer(input_shape=(10, 8))", "Input(batch_shape=(None, 10, 8))"):
        assert make(f"Sequential([{front}, LSTM(8), Dense(1)])") == make("LSTM(8) | Dense(1)", {"input": (2, 10, 8)})
        assert make(f"{front} | LSTM(8) | Dense(1)") == make("LSTM(8) | Dense(1)", {"input": (2, 10, 8)})


def test_an_option_goes_before_the_line_and_says_so() -> None:
    text = "LSTM(8)(tf.zeros((32, 10, 8)))"
    for options, shape in (({"input": (2, 3, 4)}, (2, 3, 4)), ({"batch": 5, "time": 6}, (5, 6, 8))):
        spec = make(text, options)
        assert spec.input == shape
        assert spec.notes == (f"the options give {shape}, which overrides tf.zeros((32, 10, 8)) in the expression",)
    assert make(text, {"batch": 32}).notes == ()
    assert make("LSTM(8)(tf.zeros((2, 8)))", {"input": (2, 3, 4)}).input == (2, 3, 4)


def test_the_note_is_in_every_view(run: Callable[..., Ran]) -> None:
    asked = ("show", "LSTM(8, input_shape=(10, 8))", "--predict")
    note = "Keras 3 warns about input_shape and recommends keras.Input in front of the first layer"
    assert json.loads(run(*asked, "-f", "json").out)["notes"] == [note]
    for form in ("table", "markdown", "html"):
        assert note in run(*asked, "-f", form).out.replace("\\_", "_"), form


def test_what_the_calls_say_is_what_the_run_has() -> None:
    def had(text: str) -> dict[str, Any]:
        spec = make(text)
        named = {"mask": spec.mask, "initial_state": spec.initial_state, "training": spec.training}
        return {name: value for name, value in named.items() if value}

    assert had("LSTM(8)(x, [h, c])") == {"initial_state": "random"}
    assert had("GRU(8)(x, h)") == had("GRU(8)(x, initial_state=h)") == {"initial_state": "random"}
    assert had("GRU(8)(x, tf.zeros((2, 8)))") == {"initial_state": "zeros"}
    assert had("LSTM(8)(x, None, None)") == {}
    assert had("LSTMCell(8)(x, states)") == had("LSTMCell(8)(inputs=x, states=[h, c])") == {"initial_state": "random"}
    mask = ((True, False, True), (True, True, True))
    assert had(f"Dense(1)(LSTM(8)(x, mask=tf.constant({mask})))") == {"mask": mask}
    assert had("Dense(1)(LSTM(8)(Dropout(0.5)(x), initial_state=[h, c]))") == {"initial_state": "random"}
    assert had("Dense(1)(Dropout(0.5)(LSTM(8)(x), training=True))") == {"training": True}
    assert had("LSTM(8, dropout=0.5)(Dropout(0.5)(x, training=True), training=True)") == {"training": True}


REFUSED = {
    "LSTM(16)(LSTM(8)(x))": (
        "LSTM(16) needs (N, T, C) but LSTM(8) returns (N, H): give layer 1 `return_sequences=True`",
        "LSTM(16)",
    ),
    "GRU(2)(LSTM(4)(LSTM(8)(x)))": (
        "LSTM(4) needs (N, T, C) but LSTM(8) returns (N, H): give layer 1 `return_sequences=True`",
        "LSTM(4)",
    ),
    "Sequential([LSTM(4), GRU(2)])": (
        "GRU(2) needs (N, T, C) but LSTM(4) returns (N, H): give layer 1 `return_sequences=True`",
        "GRU(2)",
    ),
    "Dense(3)(GRU(8, return_state=True)(x))": (
        "layer 1, GRU(8, return_state=True), returns 2 values (output, state), but the next layer takes one: "
        "drop return_state=True from layer 1",
        "Dense(3)",
    ),
    "LSTM(64)(LSTM(0)(x))": ("units must be a whole number, 1 or more", "0"),
    "LSTM(8)([x, h, c])": (
        "Keras 3 takes one tensor as the input: pass the states as LSTM(…)(x, initial_state=[h, c])",
        "[x, h, c]",
    ),
    "Dense(8)([x, y])": ("Dense takes one tensor as its input, but 2 are given", "[x, y]"),
    "LSTM(8)([x])": ("Keras takes a tensor as the input, not a list: pass the tensor itself, LSTM(…)(x)", "[x]"),
    "LSTM(8)([[[1.0]]])": (
        "Keras takes a tensor as the input, not a list: make an array of it, np.array([[[1.0]]])",
        "[[[1.0]]]",
    ),
    "LSTMCell(8)([x, h, c])": (
        "LSTMCell takes the input of one step and the states: LSTMCell(…)(x, [h, c])",
        "[x, h, c]",
    ),
    "LSTM(8)()": ("LSTM needs an input: LSTM(…)(x)", "LSTM(8)()"),
    "LSTM(8)(inputs=x)": ("the input of LSTM is called sequences in Keras", "inputs=x"),
    "Dense(8)(sequences=x)": ("the input of Dense is called inputs in Keras", "sequences=x"),
    "LSTM(8)(x, sequences=y)": ("sequences is given twice", "sequences=y"),
    "LSTM(8)(*args)": ("* is not read: write the arguments out", "*args"),
    "LSTM(8)(x, [h, c], None, True)": ("Keras takes only tensors by position here: write training=True", "True"),
    "Masking()(x, mask=m)": ("only the input and training can be given in the call of Masking", "mask=m"),
    "Dense(1)(LSTM(8)(x), mask=m)": ("only the input and training can be given in the call of Dense", "mask=m"),
    "Dense(1)(Dropout(0.5)(LSTM(8)(x)), training=True)": (
        "training must be the same for all layers: set it in the call of each layer with dropout, or in none",
        "True",
    ),
    "LSTMCell(8)(Dense(4)(x), [h, c])": (
        "LSTMCell is a cell, which computes one step: write RNN(LSTMCell(8))",
        "LSTMCell(8)",
    ),
    "Dense(1)(GRUCell(8)(x, [h]))": ("GRUCell is a cell, which computes one step: write RNN(GRUCell(8))", "GRUCell(8)"),
    "LSTM(8)(Conv3D(8, 3)(x))": (
        "Conv3D of Keras is not read: rnnshape reads recurrent layers and those that feed them",
        "Conv3D",
    ),
    "LSTM(8)(Conv3D(8, 3))": (
        "Conv3D(8, 3) is not a tensor: write a name instead, such as x, and give its shape with --input",
        "Conv3D(8, 3)",
    ),
    "LSTM(8)(GRU(4))": ("GRU(4) is not a tensor: call it on one, GRU(4)(x)", "GRU(4)"),
    "LSTM(8)(keras.layers.GRU)": (
        "keras.layers.GRU is not a tensor: call it, keras.layers.GRU(…)(x)",
        "keras.layers.GRU",
    ),
    "LSTM(8)(f(LSTM(4, return_sequences=True)(x)))": (
        "an operation on the result of LSTM(4, return_sequences=True)(x) is not supported: only the whole result can be passed",
        "LSTM(4, return_sequences=True)(x)",
    ),
    "LSTM(8)(LSTM(4, return_state=True)(x)[0])": (
        "lstm_2_output = lstm_2(lstm_output): LSTM needs (N, T, C) but its input is (N, H1): "
        "give lstm `return_sequences=True`",
        "LSTM(8)",
    ),
    "LSTM(8)(x, initial_state=5)": ("5 is not a state: write the name of a tensor instead", "5"),
    "GRU(8)(x, 'zeros')": ("'zeros' is not a state: write the name of a tensor instead", "'zeros'"),
    "LSTM(8)(x, initial_state=[None, c])": ("None is not a state: write the name of a tensor instead", "None"),
    "GRUCell(8)(x, [-1.0])": ("-1.0 is not a state: write the name of a tensor instead", "-1.0"),
    "Bidirectional(GRU(8))(x, [*states])": (
        "* is not read: write the states out",
        "*states",
    ),
    "a, b = c, d, e = LSTM(8, return_state=True)(x)": (
        "2 names are on the left before, and 3 here",
        "c, d, e",
    ),
    "Dense(1)(Conv3D(8, 3)([a, b]))": (
        "Conv3D of Keras is not read: rnnshape reads recurrent layers and those that feed them",
        "Conv3D",
    ),
    "LSTM(8)(np.eye(3))": (
        "the shape of np.eye(3) is not read: write a name instead, such as x, and give its shape with --input",
        "np.eye(3)",
    ),
    "LSTM(8)(tf.range(24))": (
        "the shape of tf.range(24) is not read: write a name instead, such as x, and give its shape with --input",
        "tf.range(24)",
    ),
    "LSTM(8)(np.linspace(0, 1, 24, dtype='float32'))": (
        "the shape of np.linspace(0, 1, 24, dtype='float32') is not read: write a name instead, such as x, "
        "and give its shape with --input",
        "np.linspace(0, 1, 24, dtype='float32')",
    ),
    "GRU(8)(x, np.eye(2))": (
        "the shape of np.eye(2) is not read: write a name instead, such as x, and give its shape with --input",
        "np.eye(2)",
    ),
    "LSTM(8)(np.random.randint(0, 5, 24))": (
        "the shape of np.random.randint(0, 5, 24) is not read: write a name instead, such as x, and give its shape with --input",
        "np.random.randint(0, 5, 24)",
    ),
    "LSTM(8)(tf.transpose(tf.zeros((2, 3, 4))))": (
        "an operation on tf.zeros((2, 3, 4)) is not supported: write a name instead, such as x, and give its shape with --input",
        "tf.transpose(tf.zeros((2, 3, 4)))",
    ),
    "LSTM(8)({1: x})": (
        "this is not supported as a tensor: write a name instead, such as x, and give its shape with --input",
        "{1: x}",
    ),
    "LSTM(8)(LSTM(4) | GRU(4))": ("layers joined by | are called on a tensor: (… | …)(x)", "LSTM(4) | GRU(4)"),
    "LSTM(8)(x)(y)": (
        "LSTM(8)(x) returns a tensor, but a layer is expected here: write LSTM(8)",
        "LSTM(8)(x)",
    ),
    "LSTM(8)(np.zeros((2, 8)))": (
        "LSTM takes a rank-3 input (N, T, C), not the rank-2 (2, 8): add the time axis, x[:, None, :] for one step "
        '(Keras: "expected ndim=3, found ndim=2")',
        "np.zeros((2, 8))",
    ),
    "LSTM(8, input_shape=(8,))": (
        "LSTM takes a rank-3 input (N, T, C), not the rank-2 (None, 8): give the time axis as well, "
        "(None, 8) without the batch",
        "input_shape=(8,)",
    ),
    "Sequential([LSTM(8, input_dim=8)])": (
        "Keras reads this as input_shape=(8,), which LSTM does not take: write input_shape=(None, 8)",
        "input_dim=8",
    ),
    "LSTM(8, input_dim=(10, 8))": ("input_dim is one size: write input_shape=(10, 8)", "(10, 8)"),
    "LSTM(8, input_shape=(10, 8), input_dim=8)": (
        "LSTM takes either input_shape or input_dim, once",
        "input_dim=8",
    ),
    "LSTM(8)(keras.Input(8))": ("a shape is a tuple or a list of sizes, which 8 is not: write (8,)", "8"),
    "LSTM(8)(keras.Input())": ("Input needs its shape: Input((10, 8))", "keras.Input()"),
    "LSTM(8)(tf.zeros((2, 0, 4)))": ("a size must be a whole number, 1 or more, or None", "0"),
    "LSTM(8, name='a\udcffb')": ("this is not valid UTF-8", "\udcff"),
    "LSTM(8)(np.array([[1, 2], [3]]))": ("the rows must have the same length", "[[1, 2], [3]]"),
    "LSTM(8)(tf.zeros((7, 5, 4)), initial_state=[h, tf.zeros((2, 8))])": (
        "state_c must be (N, H) = (7, 8), not (2, 8)",
        "tf.zeros((2, 8))",
    ),
}


def test_what_a_call_is_given_by_a_name_alone_is_told_and_left_out() -> None:
    (spec,) = make_all("LSTM(8)(x, training=training, **options)")
    assert not spec.training
    assert spec.notes[:2] == (
        "**options is unknown: the call is read without it",
        "training=training is not known: False is used instead",
    )


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_understood_is_an_error_with_its_place(text: str) -> None:
    message, place = REFUSED[text]
    with pytest.raises(Invalid) as caught:
        make(text)
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.span is not None
    assert caught.value.text is not None
    assert caught.value.text[slice(*problem.span)] == place


def test_the_layer_that_breaks_is_found_behind_a_masking_too() -> None:
    text = "GRU(3)(LSTM(8)(tf.zeros((2, 3, 6))))"
    with pytest.raises(Invalid, match="give layer 2 `return_sequences=True`") as caught:
        make(text, {"masking": 0.0})
    (problem,) = caught.value.problems
    assert text[slice(*problem.span or ())] == "GRU(3)"


def test_two_shapes_of_one_input_are_told_with_both_places() -> None:
    text = "Sequential([LSTM(8, input_shape=(10, 8))])(tf.zeros((2, 5, 8)))"
    with pytest.raises(Invalid) as caught:
        make(text)
    told = [(problem.message, text[slice(*problem.span or ())]) for problem in caught.value.problems]
    assert told == [
        ("the input is (2, 5, 8) here, but different elsewhere: keep one", "tf.zeros((2, 5, 8))"),
        ("the input is (N, 10, 8) here, but different elsewhere: keep one", "input_shape=(10, 8)"),
    ]


def test_the_names_on_the_left_are_those_of_the_outer_layer() -> None:
    assert make("a, b, c = LSTM(8, return_state=True)(LSTM(4, return_sequences=True)(x))")
    assert make("a, *states = LSTM(8, return_state=True)(x)")
    with pytest.raises(Invalid, match="2 names are on the left, but the call returns 3 values"):
        make("a, b = LSTM(8, return_state=True)(LSTM(4, return_sequences=True)(x))")


def test_stacks_that_are_called_are_compared(run: Callable[..., Ran]) -> None:
    ran = run("compare", "Dense(1)(LSTM(8)(x))", "Dense(1)(GRU(8)(x))", "-f", "json")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert [side["expression"] for side in told["compare"]] == ["LSTM(8) | Dense(1)", "GRU(8) | Dense(1)"]
    assert [(pair["role"], pair["equal"]) for pair in told["pairs"]] == [("structure", True), ("output", False)]
    assert compared(["LSTM(8)(tf.zeros((2, 5, 4)))", "GRU(8)(tf.ones((2, 5, 4)))"]).variants[1].spec.input == (2, 5, 4)
    with pytest.raises(Invalid, match=r"all must take the same input: .*: give --input for all"):
        compared(["LSTM(8)(tf.zeros((2, 5, 4)))", "GRU(8)(tf.zeros((2, 6, 4)))"])


def test_the_line_of_a_second_layer_is_read_too() -> None:
    first = "LSTM(8, return_state=True)"
    assert make(first, {"into": "y = LSTM(8)(decoder_input, initial_state=[h, c])"}).into == make("LSTM(8)").layer
    for text, message in {
        "LSTM(8)(y, training=True)": "write it without a call, LSTM(8)",
        "LSTM(8)(tf.zeros((2, 9, 4)))": "is called on the same input as the first layer, (2, 3, 4), not on tf.zeros",
        "a, b = LSTM(8)(y)": "2 names are on the left, but the call returns one tensor",
        "LSTM(8)(LSTM(4, return_sequences=True)(y))": "takes no initial_state",
    }.items():
        with pytest.raises(Invalid) as caught:
            make(first, {"into": text})
        assert message in str(caught.value)


def test_a_line_in_a_file_is_read_alike() -> None:
    spec = from_data({"layer": "Dense(1)(LSTM(8)(keras.Input((10, 8))))", "batch": 5})
    assert to_data(spec) == {"layer": "LSTM(8) | Dense(1)", "input": [5, 10, 8]}


@pytest.mark.parametrize("name", TABLE)
def test_a_call_has_the_arguments_of_keras(name: str) -> None:
    from rnnshape.lab.tensorflow import load

    keras = load().keras
    cls = keras.Sequential if name == "Sequential" else getattr(keras.layers, name)
    theirs = [key for key, one in inspect.signature(cls.call).parameters.items() if one.kind is not one.VAR_KEYWORD]
    ours = list(signature(TABLE[name]))
    # Keras takes training in every layer's call.
    assert ours == [*theirs[1:], *(() if "training" in theirs else ("training",))]


LOADED = """
def build():
    if os.path.exists(path):
        model = load_model(path)
    else:
        model = Sequential()
        model.add(LSTM(8))
    return model
"""
ON_A_GPU = """
if gpu_is_there():
    layer = faster_layer
else:
    layer = LSTM(8)
y = layer(Input((5, 4)))
"""


@pytest.mark.parametrize("code", [LOADED, ON_A_GPU])
def test_a_branch_that_makes_no_layer_is_left_out(code: str) -> None:
    (spec,) = make_all(code)
    assert spec.layer.text == "LSTM(8)"
    assert any(note.startswith("with ") and note.endswith("=False") for note in spec.notes)


@legacy
@pytest.mark.parametrize(("removed", "now"), [("CuDNNLSTM", "LSTM"), ("CuDNNGRU", "GRU")])
def test_a_class_of_tensorflow_1_is_read_as_the_one_that_returns_the_same(removed: str, now: str) -> None:
    (spec,) = make_all(f"from keras.layers import {removed} as Fast\ny = Fast(3, return_state=True)(Input((5, 4)))")
    assert spec.layer.text == f"{now}(3, return_state=True)"
    (note,) = spec.notes
    module = import_module(f"tf_keras.src.layers.rnn.{'cudnn_lstm' if now == 'LSTM' else 'cudnn_gru'}")
    real = getattr(module, removed)(3, return_state=True)
    real.build((2, 5, 4))
    more = 4 * 3 if "4*H weights less" in note else 0
    assert real.count_params() == sum(weight.size for weight in rnnshape.predict(spec).weights) + more
    with pytest.raises(Invalid, match=f"{removed} has another order of arguments than {now}"):
        make(f"{removed}(3, 'zeros')")


OF_KERAS_1 = """
model = Sequential()
model.add(Embedding(100, 32, W_regularizer='l2', W_constraint=None))
model.add(Convolution1D(nb_filter=9, filter_length=3, border_mode='same', subsample_length=2))
model.add(MaxPooling1D(pool_length=2, stride=1))
model.add(LSTM(output_dim=8, init='uniform', inner_init='zeros', inner_activation='relu', dropout_W=0.2, dropout_U=0.1,
               W_regularizer='l1', U_regularizer='l2', b_regularizer='l2'))
model.add(Dropout(p=0.5))
model.add(GaussianNoise(sigma=0.1))
model.add(Dense(output_dim=1, bias=False))
"""
OF_TODAY = (
    "Embedding(100, 32, embeddings_regularizer='l2') | Conv1D(9, 3, strides=2, padding='same') | MaxPooling1D(strides=1) | "
    "LSTM(8, recurrent_activation='relu', kernel_initializer='uniform', recurrent_initializer='zeros', kernel_regularizer='l1', "
    "recurrent_regularizer='l2', bias_regularizer='l2', dropout=0.2, recurrent_dropout=0.1) | "
    "Dropout(0.5) | GaussianNoise(0.1) | Dense(1, use_bias=False)"
)


def test_arguments_of_keras_1_are_read_by_their_names_of_today() -> None:
    (spec,) = make_all(OF_KERAS_1)
    assert spec.layer == make(OF_TODAY).layer
    assert [note for note in spec.notes if "nb_filter as filters" in note and "p as rate" in note]
    known = {name for layer in TABLE.values() for name in layer.by_name}
    assert {now for names in RENAMED.values() for now in names} <= known
    assert rnnshape.explore(spec).ok


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("LSTM(int(0.8 * n))", "LSTM(int_0_8_n)"),
        ("k = int(len(words) * 0.8)\nLSTM(k)", "LSTM(k)"),
        ("LSTM(2**n)", "LSTM(size_2_n)"),
        ("k = -(-n // 2)\nLSTM(k)", "LSTM(k)"),
        ("k = n % 3\nLSTM(k)", "LSTM(k)"),
        ("size = len(words) + 1\nLSTM(size)", "LSTM(size)"),
        ("steps = X.shape[1]\nLSTM(steps)", "LSTM(steps)"),
        ("k = np.prod(sizes)\nLSTM(k)", "LSTM(k)"),
        # The names that a size is computed from stay.
        ("k = units // 2\nLSTM(k)", "LSTM(units//2)"),
        ("k = int(units / 2)\nLSTM(k)", "LSTM(units//2)"),
        ("k = config['units']\nLSTM(k)", "LSTM(units)"),
        ("k = hp.Int('units', 8, 64)\nLSTM(k)", "LSTM(units)"),
    ],
)
def test_a_computed_size_has_the_name_that_it_is_assigned_to(code: str, text: str) -> None:
    (spec,) = make_all(code)
    assert spec.layer.text == text
    assert [note for note in spec.notes if "is not given" in note] == list(spec.notes)
    assert len(spec.notes) == 1
    assert rnnshape.predict(spec).ok
    (given,) = make_all(code, {"let": {re.sub(r"LSTM\((\w+).*", r"\1", text): 6}})
    assert int(given.layer["units"]) in (6, 3)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("Convolution2D(40, 3, 5, border_mode='same')", "Conv2D(40, (3, 5), padding='same')"),
        ("Convolution2D(nb_filter=40, nb_row=3, nb_col=5)", "Conv2D(40, (3, 5))"),
        ("ConvLSTM2D(nb_filter=4, nb_row=3, nb_col=2, border_mode='same')", "ConvLSTM2D(4, (3, 2), padding='same')"),
        ("Conv2D(40, 3, 5, padding='same')", "Conv2D(40, 3, strides=5, padding='same')"),
        ("LSTM(8, consume_less='gpu')", "LSTM(8, implementation=2)"),
        ("LSTM(8, consume_less='mem')", "LSTM(8, implementation=1)"),
        ("LSTM(8, forget_bias_init='one')", "LSTM(8)"),
        ("LSTM(8, forget_bias_init='zero')", "LSTM(8, unit_forget_bias=False)"),
    ],
)
def test_what_keras_1_wrote_otherwise_is_read(then: str, now: str) -> None:
    assert make(then).layer == make(now).layer
    assert rnnshape.explore(then).ok


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("merge([h, a], mode='concat')", "concatenate([h, a])"),
        ("merge([h, a], mode='concat', concat_axis=1)", "concatenate([h, a], axis=1)"),
        ("merge([h, a], mode='dot', dot_axes=[2, 2])", "dot([h, a], axes=[2, 2])"),
        ("merge([h, a], mode='sum')", "add([h, a])"),
        ("merge([h, a], mode='mul')", "multiply([h, a])"),
        ("merge([h, a], mode='ave')", "average([h, a])"),
        ("merge([h, a], mode='max')", "maximum([h, a])"),
    ],
)
def test_merge_of_keras_1_is_read_as_the_function_of_today(then: str, now: str) -> None:
    code = "q, a = Input((10, 16)), Input((10, 16))\nh = LSTM(16, return_sequences=True)(q)\nm = MERGED\n"
    old = make_all(code.replace("MERGED", then) + "Model(input=[q, a], output=[m, h])")
    new = make_all(code.replace("MERGED", now) + "Model(inputs=[q, a], outputs=[m, h])")
    assert [spec.layer for spec in old] == [spec.layer for spec in new]
    assert all(rnnshape.explore(spec).ok for spec in old)
    assert any("merge is from Keras 1" in note for note in old[0].notes)


def test_code_that_makes_no_layer_on_any_branch_is_one_error() -> None:
    with pytest.raises(Invalid, match="there is no layer here"):
        make_all("if flag:\n    x = 1\nelse:\n    y = 2")


def test_layers_that_a_condition_chooses_within_a_list_are_answered_both() -> None:
    code = "Sequential([Embedding(9, 4), *([LSTM(8, return_sequences=True), Flatten()] if flag else [LSTM(8)])])"
    assert [len(spec.layer.in_turn) for spec in make_all(code)] == [3, 2]
    assert [len(spec.layer.in_turn) for spec in make_all(code, {"let": {"flag": False}})] == [2]


def test_a_layer_has_all_the_names_that_keras_has_for_it() -> None:
    keras = load().keras.layers
    others = {
        name: known
        for name in dir(keras)
        for known in (*TABLE, *MERGES)
        if name != known and getattr(keras, name) is getattr(keras, known, None)
    }
    assert others == ALIASES
    for alias, name in ALIASES.items():
        required = ["2" for one in TABLE[name].arguments if one.default is REQUIRED]
        assert make(f"keras.layers.{alias}({', '.join(required)})").layer.name == name


def test_a_class_of_the_code_is_not_that_of_keras_whose_name_only_ends_that_of_its_base() -> None:
    own = "class Attention(tf.keras.layers.MultiHeadAttention):\n    pass\ny = Attention()([a, b])"
    with pytest.raises(Invalid, match="there is no layer here"):
        make(own)
    assert make("class LSTM(tf.keras.layers.LSTM):\n    pass\ny = LSTM(8)(x)").layer.text == "LSTM(8)"


@pytest.mark.parametrize(
    "wrong", ["Attention(causal=True)", "TimeDistributed(Dense(3, unit=4))", "Dropout(7)", "Dense()"]
)
def test_what_is_wrong_with_another_layer_costs_its_line(wrong: str) -> None:
    """It may be right in the release that it was written for; the recurrent layers are what is asked about."""
    program = f"m = Sequential()\nm.add(LSTM(8, return_sequences=True))\nm.add({wrong})\nm.add(GRU(4))"
    before, behind = make_all(program, {})
    assert (before.layer.text, behind.layer.text) == ("LSTM(8, return_sequences=True)", "GRU(4)")
    told = [note for note in before.notes if note.startswith("line 3: ")]
    assert any(note.endswith("the layers after it are a separate answer") for note in told)
    assert len(told) == 2
    with pytest.raises(Invalid):
        make_all(wrong, {})
    with pytest.raises(Invalid):
        make_all(f"y = {wrong}\nLSTM(0)", {})


def test_what_stands_behind_arguments_that_are_not_known_is_not_refused() -> None:
    """They may hold return_sequences=True."""
    program = "i = Input((5, 3))\na = LSTM(**params['first'])(i)\nb = GRU(4, **params['second'])(a)\nc = Dense(2)(b)"
    first, second = make_all(program, {})
    assert (first.layer.text, second.layer.text) == ("LSTM(units)", "GRU(4)")
    assert any("a is not followed" in note for note in second.notes)
    (whole,) = make_all(program.replace("first']", "first'], return_sequences=True, return_state=False"), {})[:1]
    assert whole.layer.text == "LSTM(units, return_sequences=True) | GRU(4)"


@pytest.mark.parametrize(
    ("code", "expression", "notes"),
    [
        (
            "Sequential([Scaled(3), LSTM(4), Dense(2)])",
            "LSTM(4) | Dense(2)",
            ["Scaled is not known: the answer starts after it"],
        ),
        (
            "Sequential([Lambda(f, input_shape=(4,)), LSTM(4)])",
            "LSTM(4)",
            ["Lambda calls a function, which is not run"],
        ),
        (
            "Sequential([Input((9,)), Words(3), Embedding(7, 5), LSTM(4), Tagger(2), Dense(3)])",
            "Embedding(7, 5) | LSTM(4)",
            ["Words is not known: the answer starts after it", "Tagger is not known: the answer ends before it"],
        ),
    ],
)
def test_a_class_that_is_not_known_costs_a_list_what_it_must(code: str, expression: str, notes: list[str]) -> None:
    """What is in front of it says nothing of the input of what is behind it."""
    (spec,) = make_all(f"model = {code}")
    assert spec.layer.text == expression
    assert len(spec.input) == len(spec.layer.cls.letters(spec.layer, None))
    assert [part for part, note in zip(notes, spec.notes, strict=True) if part in note] == notes
