"""What pasted code is told that cannot be read as it stands: one mistake, or the note of what is used instead."""

from __future__ import annotations

from typing import Any

import pytest

from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import load
from rnnshape.layers import TABLE
from rnnshape.layers.merges import MERGES
from rnnshape.reading import make, make_all
from rnnshape.reading.code.mistakes import is_unread

MISTAKES = {
    "LSTM(units/2)": "a division gives a float, which is not a size: write units // 2",
    "LSTM(units - 20)": "units is units-20 = -13 with units=7: give another value with --let",
    "LSTM([8])": "units must be a whole number, 1 or more",
    "LSTM(-units)": "units must be a whole number, 1 or more",
    "LSTM(2 // 0)": "units must be a whole number, 1 or more",
    "LSTM(8/2)": "units must be a whole number, 1 or more (8/2 is 4.0)",
    "Bidirectional(LSTM(8, return_sequences=True), merge_mode=mode)": "merge_mode=mode is not given: add --let mode=…, one of concat, sum, mul, ave, none",
    "Permute((a, b))": "dims must be a tuple with each of the numbers 1, 2, … once: (2, 1) swaps two axes: write it out",
    "Reshape(shape)": "target_shape must be a tuple of whole numbers, 1 or more, of which one may be -1: what is left: write it out",
    "LSTM(8)(x, mask)": "Keras takes this for the initial_state: write mask=mask",
    "LSTM(8)(x, None, None, None, q)": "the call of LSTM takes at most sequences, initial_state, mask, training",
    "LSTM(8)(Input((5, 3), 2, 'float32', 4))": "only shape, batch_size and dtype of Input are supported by position: name the others",
    "LSTM(8)(Input((5, 3), shape=(4, 3)))": "shape is given twice",
    "LSTM(8)(Input((5, 3), foo=1))": "only shape, batch_size, batch_shape, dtype and name of Input are supported",
    "LSTM(8)(Input((5, 3), sparse=True))": "a sparse input is not supported here: remove sparse",
    "LSTM(8)(Input(batch_shape=(2, 5, 3), shape=(5, 3)))": "Input takes shape or batch_shape, not both",
    "LSTM(8)(Input(lambda: 3))": "a shape is a tuple or a list of sizes: write it out",
    "LSTM(8)(np.array([[1], [2, 3]]))": "the rows must have the same length",
    "Concatenate()(LSTM(3)(x))": "Concatenate takes several tensors in a list: Concatenate(…)([a, b])",
    "MultiHeadAttention(2, 3)([LSTM(3)(x)])": "MultiHeadAttention takes a query and a value, one by one: MultiHeadAttention(…)(query, value)",
    "LSTM(8, return_sequences={1})": "a literal is expected here: a number, a string, True, False, None, a list or a tuple",
    "n = 'a/b'\nLSTM(8, name=n)": "name must be a string without '/', or None (n is 'a/b')",
    "RNN(cells[0])": "a layer is expected here, such as LSTM(8)",
    "Bidirectional([LSTM(3)])": "layer of Bidirectional must be a recurrent layer",
    "Bidirectional(3)": "layer of Bidirectional must be a recurrent layer",
    "Sequential([LSTM(8)] * n)": "a layer is expected here, such as LSTM(8)",
    "RNN([LSTMCell(i) for i in range(n)])": "units must be a whole number, 1 or more",  # the first i is 0
    "RNN([LSTMCell(i) for i in [1, 2] if i > 1])": "cell of RNN must be an RNN cell, or a list of cells",
    "Sequential([*a, LSTM(8)])": "layers of Sequential must be a layer, or a list of layers",
    "Dense(3, 'relu', True, 'zeros', 'zeros', None, None, None, None, None, None, None, 1, 2)": "Dense takes at most 13 arguments by position",
    "Sequential(LSTM(3))": "layers must be a list: [LSTM(3)]",
    "[LSTM, GRU][i](3)": "a Keras class is expected here",
    "LSTM(8, activation=" + "-" * 150 + "1)": "this is nested too deeply: write it in several statements",
    "class myCell(keras.layers.Layer):\n    pass\ny = RNN(myCell(3))(x)": (
        "myCell is a class of this code, which is not run here: save it as a module and give --import MODULE"
    ),
    "LSTM(3)\n" + "-" * 3_000 + "1": "this is nested too deeply: write it in several statements",
    "LSTM(" + "1+" * 3_000 + "1)": "an expression has at most 5,000 characters, and this one has 6,007",
    "LSTM(" + "(" * 30 + "1" + ")" * 31: "brackets nest at most 20 deep",
}
GIVEN = [
    (
        "Bidirectional(LSTM(8, return_sequences=True), merge_mode=mode)",
        {"mode": "foo"},
        "merge_mode must be one of 'concat', 'sum', 'mul', 'ave', None (mode is 'foo')",
    ),
    ("LSTM(n)", {"n": 2.5}, "n must be a whole number here, not 2.5"),
    ("LSTM(4, dropout=r)", {"r": 2.5}, "dropout must be a number from 0 to 1 (r is 2.5)"),
]
NOTES = {
    "LSTM(8, seed=SEED)": "seed=SEED is not read: None is used instead",
    "LSTM(8, implementation=impl)": "implementation=impl is not read: 2 is used instead",
    "LSTM(8, dtype=x.dtype)": "dtype=x.dtype is not known here: float32 is used instead",
    "m = Sequential([LSTM(8, stateful=True)])\nm.reset_states()": (
        "line 2: a model has no reset_states() in Keras 3: call reset_state() of each stateful layer"
    ),
    "y = LSTM(8, return_sequences=True)(x)\nz = Attention([y, y])": (
        "line 2: Attention([y, y]) only makes the layer: call it on tensors, Attention(…)([y, y])"
    ),
    "LSTM(8, batch_size=(a - b) * c)": "(a - b) * c is not known: the size is left open",
    "y = LSTM(8)(x)\nz = maximum(y, 3)": "line 2: maximum(y, 3) is not followed: the answer ends there",
    **{
        f"y = LSTM(1, return_sequences=True)(x)\nz = {read}": f"line 2: {read} is not followed: the answer ends there"
        for read in ("tf.cast(y, 'float16')", "tf.transpose(y)", "tf.squeeze(y)", "ops.max(x=y)")
    },
    "z = tf.transpose(LSTM(3)(x))": "line 1: tf.transpose(LSTM(3)(x)) is not followed: the answer ends there",
    "a = LSTM(3)(x)\ny = concatenate([a, a], axis=ax)": "line 2: axis=ax is not read: -1 is used instead",
    "a = LSTM(3)(x)\ny = tf.concat([a, a], None)": "line 2: tf.concat([a, a], None) is not followed: its axes are not known",
    "a = LSTM(3)\na.return_sequences = True\ny = a(x)": (
        "line 2: a.return_sequences = True is not followed: give return_sequences to LSTM(…)"
    ),
    "x = Input((3, 4))\nm = Model(x, Bidirectional(GRU(3))(x))\nm.layers[1].merge_mode = 'sum'": (
        "line 3: m.layers[1].merge_mode = 'sum' is not followed: give merge_mode to Bidirectional(…)"
    ),
    "a = LSTM(3)(x)\ny = dot([a, a], axes=ax)": "line 2: dot([a, a], axes=ax) is not followed: its axes are not known",
    "LSTM(**{'units': 8, **more})": "**{'units': 8, **more} is unknown: LSTM is read without it",
}
SAME = {
    "LSTM(H)": "LSTM(h)",
    "LSTM(output)": "LSTM(output_)",
    "LSTM(a.n + b.n)": "LSTM(n+b_n)",
    "LSTM(int(units / 2))": "LSTM(units//2)",
    "LSTM(17 % 5)": "LSTM(2)",
    "n = (1, 2) * 2 + (3,)\nLSTM(n[4])": "LSTM(3)",
    "d = {'u': 3} | {'v': 4}\nLSTM(d['v'])": "LSTM(4)",
    "LSTM(sum([3, 4]) + max([1, 2]))": "LSTM(9)",
    "RNN([LSTMCell(3)] + [LSTMCell(4)] * 2)": "RNN([LSTMCell(3), LSTMCell(4), LSTMCell(4)])",
    "us = {'a': n, 'b': 4}\nRNN([LSTMCell(u) for u in us.values()])": "RNN([LSTMCell(n), LSTMCell(4)])",
    "us = [{'units': 3}, {'units': 4}]\nRNN([LSTMCell(**u) for u in us])": "RNN([LSTMCell(3), LSTMCell(4)])",
    "x = Input((5, 3))\ny = LSTM(8, return_sequences=True)(x)\nGRU(K.int_shape(y)[-1])(y)": (
        "LSTM(8, return_sequences=True) | GRU(8)"
    ),
    "x = Input((5, 3))\ny = LSTM(8, return_sequences=True)(x)\nGRU(y.get_shape().as_list()[-1])(y)": (
        "LSTM(8, return_sequences=True) | GRU(8)"
    ),
    "R = LSTM\nif R == LSTM:\n    y = R(3)(x)\nelse:\n    y = R(3)(x, initial_state=[h])": "LSTM(3)",
    "R = keras.layers.GRU\ny = LSTM(3) if R is not GRU else R(4)": "GRU(4)",
    "layers = {}\nlayers['a'] = LSTM(3)\nBidirectional(layers['a'])": "Bidirectional(LSTM(3))",
    "async def f():\n    return GRU(4)\nasync def main():\n    y = await f()": "GRU(4)",
}


@pytest.mark.parametrize(("code", "message"), MISTAKES.items(), ids=[code[:60] for code in MISTAKES])
def test_what_cannot_be_read_is_one_mistake(code: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        make_all(code)
    assert [problem.message for problem in caught.value.problems] == [message]


@pytest.mark.parametrize(("code", "let", "message"), GIVEN)
def test_a_value_that_is_given_and_not_allowed_is_one_mistake(code: str, let: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        make_all(code, {"let": let})
    assert [problem.message for problem in caught.value.problems] == [message]


@pytest.mark.parametrize(("code", "note"), NOTES.items())
def test_what_is_used_instead_is_told(code: str, note: str) -> None:
    assert note in make_all(code)[0].notes


@pytest.mark.parametrize(("code", "expression"), SAME.items())
def test_what_code_stands_for(code: str, expression: str) -> None:
    assert make_all(code)[-1].layer.text == expression


@pytest.mark.parametrize(
    ("code", "shape"), [("np.array(shape=(2, 5, 3))", (2, 5, 3)), ("np.array([[1, a], [2, 3]])", (2, 3, 4))]
)
def test_the_shape_of_an_array(code: str, shape: tuple[int, ...]) -> None:
    assert make(f"LSTM(8)({code})").input == shape


MISTAKEN = "a = GRU(0)\nb = GRU(5, return_sequences=flag)\nm = Sequential()\nm.add(LSTM(3))\nm.add(LSTM(8, foo=1))\n"


def test_a_mistake_does_not_cost_the_answers_about_other_layers() -> None:
    with pytest.raises(Invalid) as caught:
        make_all(MISTAKEN)
    assert [problem.message for problem in caught.value.problems] == [
        "units must be a whole number, 1 or more",
        "LSTM takes no argument foo",
    ]
    assert [spec.layer.text for spec in caught.value.others] == [
        *("GRU(5)", "LSTM(3)"),
        *("GRU(5, return_sequences=True)", "LSTM(3)"),
    ]
    with pytest.raises(Invalid) as caught:
        make_all(MISTAKEN, {"let": {"flag": True, "other": 1}})
    assert len(caught.value.problems) == 3
    assert caught.value.others == ()


def test_an_answer_is_not_made_of_what_has_a_mistake() -> None:
    for code in ("a = GRU(0)\nb = Dense(3)", "x = LSTM(8)\ny = x([q, h, c])\n", "y = Dense(2)(LSTM(0)(x))\n1"):
        with pytest.raises(Invalid) as caught:
            make_all(code)
        assert caught.value.others == ()


def test_what_a_stack_cannot_say_is_told() -> None:
    (masked,) = make_all("x = LSTM(3, return_sequences=True)(q)\ny = GRU(4)(x, mask=mask)")
    what = "mask= in the call of GRU is left out: it changes values, not shapes; --mask shows its effect"
    assert masked.notes[0] == f"line 2: {what}"
    (wired,) = make_all("x = GRU(3, return_sequences=True)(q)\ny = LSTM(4)(x, initial_state=states)")
    assert wired.notes[0] == "line 2: states is not followed: LSTM is read without states"


def test_the_state_of_a_cell_is_returned_as_it_is_passed() -> None:
    (spec,) = make_all("cell = GRUCell(8)\ny, h = cell(x, h)")
    assert any("y[1] is the state itself" in note for note in spec.notes)
    (spec,) = make_all("cell = GRUCell(8)\ny, h = cell(x, [h])")
    assert not any("itself" in note for note in spec.notes)
    (spec,) = make_all("cell = LSTMCell(8)\ny, state = cell(x, state)")
    assert spec.initial_state == "random"


def test_a_list_of_tensors_that_the_code_does_not_give_costs_its_layer_only() -> None:
    for listed in ("[y for i in range(n)]", "others", "make(y)"):
        (spec,) = make_all(f"y = LSTM(4)(Input((5, 3)))\nz = Concatenate()({listed})\nDense(3)(z)")
        assert (spec.layer.text, spec.input) == ("LSTM(4)", (2, 5, 3))
        assert spec.notes[0].startswith(f"line 2: {listed} is not known: Concatenate takes several tensors in a list")


VECTORIZED = """
encoder = tf.keras.layers.TextVectorization(max_tokens=100)
encoder.adapt(texts)
model = keras.Sequential([encoder, Embedding(100, 8, mask_zero=True), LSTM(4), layers.RMSNormalization(), Dense(1)])
"""


def test_a_layer_of_keras_that_is_not_read_is_not_called_a_slip() -> None:
    (spec,) = make_all(VECTORIZED)
    assert spec.layer.text == "Embedding(100, 8, mask_zero=True) | LSTM(4)"
    assert spec.notes == (
        "tf.keras.layers.TextVectorization of Keras is not read: the answer starts after it",
        "layers.RMSNormalization of Keras is not read: the answer ends before it",
        "every step is valid here; --mask right shows what the mask changes",
    )
    with pytest.raises(Invalid, match="Conv3D of Keras is not read"):
        make_all("Conv3D(3, 3)")


def test_the_layers_that_are_not_read_are_layers_of_keras() -> None:
    unread = [name for name in vars(load().keras.layers) if is_unread(name)]
    assert len(unread) > 25
    assert not {*unread} & {*TABLE, *MERGES}
    assert not any(map(is_unread, ("Attention3D", "BatchNormalization", "RandomWalk", "Conv2D")))


def test_a_size_that_stand_ins_make_zero_is_one_size() -> None:
    code = "a = LSTM(int(cells / 2**(depth - 1)))"
    (spec,) = make_all(f"{code}\n1")
    assert spec.layer.text == "LSTM(int_cells_2_depth_1)"
    with pytest.raises(Invalid, match="= 0 with cells=4"):
        make_all(code, {"let": {"cells": 4}})


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("y, h, c = encoder(x)", "encoder is not in the code: paste the line that makes it, such as encoder = LSTM(8)"),
        (
            "y = self.tagger(x)",
            "self.tagger is not in the code: paste the line that makes it, such as self.tagger = LSTM(8)",
        ),
        ("model.fit(x, y)", "model.fit is not a layer: write one as in Keras, such as LSTM(8)"),
        ("print(x)", "print is not a layer: write one as in Keras, such as LSTM(8)"),
    ],
)
def test_a_name_without_its_layer_is_told_as_such(code: str, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(code)
    assert [problem.message for problem in caught.value.problems] == [told]


def test_the_first_sample_is_told_from_the_first_result() -> None:
    (spec,) = make_all("y = LSTM(8)(x)[0]")
    assert spec.notes == ("line 1: LSTM(8)(x)[0] is the first sample: the call returns one tensor",)
    (spec,) = make_all("y = LSTM(8, return_state=True)(x)[0]")
    assert spec.notes == ()


def test_a_shape_that_the_code_does_not_give_is_left_open() -> None:
    (spec,) = make_all("x = Input(shape=(steps,) + image_shape)\ny = LSTM(4)(x)")
    assert spec.input == (2, 3, 4)
    assert spec.notes == ("(steps,) + image_shape is not known: the shape is left open",)
    with pytest.raises(Invalid, match="a shape is a tuple or a list of sizes"):
        make_all("x = Input(3 + 4)\ny = LSTM(4)(x)")


@pytest.mark.parametrize(
    "asks",
    ["model.summary()", "print(model.summary())", "model.count_params()", "w = model.layers[0].get_weights()[1]"],
)
def test_code_that_asks_for_the_weights_is_told_how_many_there_are(asks: str) -> None:
    import keras

    model = "keras.Sequential([keras.Input((5, 3)), keras.layers.Bidirectional(keras.layers.GRU(4)), keras.layers.Dense(2)])"
    (spec,) = make_all(f"model = {model}\n{asks}")
    real = eval(model, {"keras": keras})  # noqa: S307  the text is above
    assert spec.notes == (f"{real.count_params()} parameters; --weights lists them, with the formula",)
    (spec,) = make_all(f"model = {model}\nmodel.compile()")
    assert spec.notes == ()


@pytest.mark.parametrize(
    ("code", "noted"),
    [
        ("Masking() | LSTM(8)", True),
        ("Embedding(9, 4, mask_zero=True) | Dropout(0.1) | Bidirectional(GRU(8))", True),
        ("y = RNN([LSTMCell(3)])(Masking()(x))", True),
        ("Embedding(9, 4) | LSTM(8)", False),
        ("Embedding(9, 4, mask_zero=True) | Dense(3)", False),
        ("LSTM(8)", False),
    ],
)
def test_a_mask_that_hides_no_step_is_noted(code: str, noted: bool) -> None:
    note = "every step is valid here; --mask right shows what the mask changes"
    assert (note in make_all(code)[0].notes) is noted
    assert not noted or note not in make_all(code, {"mask": "right"})[0].notes
