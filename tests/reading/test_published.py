"""What published programs write, and what rnnshape answers: the shapes are those of the same code under Keras."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.lab.tensorflow import load
from rnnshape.reading import make_all
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


def shapes(code: str) -> list[list[tuple[int, ...]]]:
    """The shapes that each answer returns."""
    return [[tensor.shape for tensor in leaves(rnnshape.predict(spec).structure)] for spec in make_all(code)]


def under_keras(code: str, value: str) -> Any:
    """What an expression is after the code has run."""
    tf = load()
    names = {**vars(tf.keras.layers), **vars(tf.keras), "tf": tf, "K": tf.keras.ops}
    exec(code, names)  # noqa: S102  it stands in a test
    return eval(value, names)  # noqa: S307  code of this test


def notes(code: str) -> list[str]:
    return [note for spec in make_all(code) for note in spec.notes]


FLAGS = (
    "LSTM(8, stateful=1, return_sequences=1, return_state=0)",
    "GRU(8, reset_after=0, unroll=1, go_backwards=1)",
    "LSTM(8, implementation=0)",
    "Bidirectional(SimpleRNN(8, return_sequences=1, use_bias=0))",
)


@pytest.mark.parametrize("layer", FLAGS)
def test_0_and_1_are_flags_as_keras_takes_them(layer: str) -> None:
    report = rnnshape.explore(layer)
    assert report.ok
    made = under_keras(f"layer = {layer}\ny = layer(tf.zeros((2, 3, 4)))", "layer, y")
    assert report.structure.shape == tuple(made[1].shape)
    assert [weight.shape for weight in report.weights] == [tuple(weight.shape) for weight in made[0].weights]


@pytest.mark.parametrize("layer", ["LSTM(8, return_sequences=2)", "LSTM(8, implementation=3)", "LSTM(True)"])
def test_other_numbers_are_no_flags(layer: str) -> None:
    with pytest.raises(rnnshape.Invalid, match="must be"):
        make_all(layer)


def test_a_flag_in_a_name_may_be_a_number_too() -> None:
    assert make_all("seq = 1\ny = LSTM(8, return_sequences=seq)")[0].layer.text == "LSTM(8, return_sequences=True)"


def test_an_argument_that_is_none_by_default_is_a_tensor_where_a_layer_is_called_on_it() -> None:
    code = """
class Decoder(Model):
    def __init__(self):
        super().__init__()
        self.embed = Embedding(100, 6)
        self.gru = GRU(8, return_sequences=True, return_state=True)
    def call(self, x=None, hidden=None):
        output, state = self.gru(self.embed(x), initial_state=hidden)
        return output, state
"""
    made = under_keras(code + "y = Decoder()(tf.zeros((2, 3)))", "y")
    assert shapes(code) == [[tuple(one.shape) for one in made]]
    with pytest.raises(rnnshape.Invalid, match="needs an input"):
        make_all("x = LSTM(8)(None)")


@pytest.mark.parametrize("loss", ["k = s / 2 + s", "k = K.tanh(-s) * s", "k = s[:, None]"])
def test_what_is_one_number_for_each_sample_is_computed_with(loss: str) -> None:
    code = f"i = Input((5, 3), batch_size=2)\ns = K.sum(LSTM(4)(i), axis=-1)\n{loss}\nm = Model(i, k)"
    assert shapes(code) == [[tuple(under_keras(code, "m.output").shape)]]


def test_the_terms_of_a_loss_are_no_layers_that_a_model_leaves_out() -> None:
    code = "i = Input((5, 3))\nz = LSTM(4)(i)\nkl = -0.5 * K.mean(1 + z - K.square(z), axis=-1)\nm = Model(i, z)"
    assert shapes(code) == [[(2, 4)]]
    assert notes(code) == []
    assert any("is not part of the model" in note for note in notes(code + "\nd = Dense(3)(z)\nm = Model(i, z)"))


def test_build_makes_the_weights_of_a_layer_and_a_call_has_its_own_shape() -> None:
    code = "e = Embedding(100, 8)\ne.build((None,))\nx = Input((13,))\ny = LSTM(4)(e(x))"
    assert under_keras(code, "tuple(y.shape)") == (None, 4)
    assert [spec.input for spec in make_all(code)] == [(2, 13)]
    assert make_all("y = LSTM(4)\ny.build((None, 5, 6))")[0].input == (2, 5, 6)


@pytest.mark.parametrize(
    "grown",
    ["texts.append('one')", "texts.append(line)", "texts.extend(line)", "texts[line] = 1", "texts.insert(0, line)"],
)
def test_what_a_loop_over_unknown_data_changes_is_not_known_behind_it(grown: str) -> None:
    code = f"texts = []\nfor line in open('f'):\n    {grown}\nn = 0\nfor t in texts:\n    n = max(n, len(t))\n"
    assert make_all(code + "y = LSTM(n)(Input((5, 3)))")[0].layer.text == "LSTM(n)"
    assert make_all(code + "y = LSTM(len(texts))(Input((5, 3)))")[0].layer.text == "LSTM(len_texts)"


def test_an_attribute_and_the_argument_of_its_name_are_one_size() -> None:
    code = """
class A:
    def build(self):
        return LSTM(4)(Embedding(9, 8, input_length=self.longest)(Input(shape=(self.longest,))))
    def set(self, longest):
        self.longest = longest
    def other(self):
        return LSTM(4)(Embedding(9, 8, input_length=self.longest)(Input(shape=(self.longest,))))
"""
    first, second = make_all(code)
    assert first.input == second.input == (2, 7)


def test_embedding_takes_input_length_and_other_layers_do_not() -> None:
    assert not any("rejects" in note for note in notes("m = Sequential([Embedding(9, 3, input_length=n), LSTM(4)])"))
    with pytest.warns(UserWarning, match="input_length"):
        under_keras("layer = Embedding(9, 3, input_length=5)", "layer.output_dim")
    assert any("rejects input_length" in note for note in notes("LSTM(4, input_length=5, input_dim=3)"))
    with pytest.raises(ValueError, match="input_length"):
        under_keras("LSTM(4, input_length=5)", "0")


def test_what_is_not_read_of_one_layer_does_not_cost_the_others() -> None:
    code = "a = LSTM(*args)\nb = GRU(8)\nc = LSTM(6)(*inputs)\nd = LSTM(5)(Input((5, 3), ragged=True))"
    assert [spec.layer.text for spec in make_all(code)] == ["GRU(8)", "LSTM(6)", "LSTM(5)"]
    assert list(dict.fromkeys(notes(code))) == [
        "line 1: * is not read: write the arguments out",
        "line 3: * is not read: write the arguments out",
        "ragged=True of Input is left out: the input is read as a dense tensor",
    ]
    with pytest.raises(rnnshape.Invalid, match="write the arguments out"):
        make_all("a = LSTM(*args)")


def test_a_wrapper_calls_its_own_layer_and_not_that_of_another_class() -> None:
    code = """
class Wrapped(Wrapper):
    def call(self, x, initial_state=None):
        output, h, c = self.layer(x, initial_state=initial_state)
        return output
class Block(Layer):
    def __init__(self):
        self.layer = Conv1D(3, 2)
        self.rnn = LSTM(5)
    def call(self, x):
        return self.rnn(self.layer(x))
"""
    assert [spec.layer.text for spec in make_all(code + "b = Block()")] == ["Conv1D(3, 2) | LSTM(5)"]
    assert [spec.layer.text for spec in make_all(code + "b = Block()\nw = Wrapped(b)")] == ["Conv1D(3, 2) | LSTM(5)"]


SEQ2SEQ = """
encoder_inputs = Input((None, 12), batch_size=2)
_, h, c = LSTM(16, return_state=True)(encoder_inputs)
decoder_inputs = Input((None, 10), batch_size=2)
decoder = LSTM(16, return_sequences=True, return_state=True)
outputs, _, _ = decoder(decoder_inputs, initial_state=[h, c])
dense = Dense(10, activation="softmax")
training = Model([encoder_inputs, decoder_inputs], dense(outputs))
encoder_model = Model(encoder_inputs, [h, c])
state_h, state_c = Input((16,), batch_size=2), Input((16,), batch_size=2)
outputs, h2, c2 = decoder(decoder_inputs, initial_state=[state_h, state_c])
decoder_model = Model([decoder_inputs, state_h, state_c], [dense(outputs), h2, c2])
"""


def test_each_of_several_models_that_share_tensors_and_layers_is_an_answer() -> None:
    reports = [rnnshape.explore(spec) for spec in make_all(SEQ2SEQ)]
    assert [report.spec.name for report in reports] == ["training", "encoder_model", "decoder_model"]
    for report in reports:
        assert report.ok
        model = under_keras(SEQ2SEQ, str(report.spec.name))
        returned = [leaf.shape for leaf in leaves(report.structure)]
        assert [shape[-1] for shape in returned] == [output.shape[-1] for output in model.outputs]
        assert [len(shape) for shape in returned] == [len(output.shape) for output in model.outputs]
        assert report.params == model.count_params()


def test_what_no_model_needs_is_an_answer_of_its_own_beside_several_models() -> None:
    code = SEQ2SEQ + "extra = GRU(5)(dense(outputs))\nsame = Model(encoder_inputs, [h, c])"
    assert shapes(code)[3:] == [[(2, 5)]]
    assert len(make_all(code)) == 4  # the last model is the second one again


def test_a_single_model_is_answered_without_a_name() -> None:
    (spec,) = make_all("i = Input((5, 3))\nm = Model(i, LSTM(4)(LSTM(4, return_sequences=True)(i)))")
    assert spec.name is None


def test_a_layer_of_a_sequential_that_breaks_at_what_only_stands_for_a_size_costs_no_other_layer() -> None:
    code = """
m = Sequential()
m.add(Convolution2D(32, 5, 5, W_regularizer=l2(w)))
m.add(BatchNormalization())
m.add(MaxPooling2D((2, 2)))
m.add(Permute((2, 1, 3)))
n, width, height, c = m.layers[-1].output_shape
m.add(Reshape((width, height * c)))
m.add(Bidirectional(LSTM(6)))
m.add(Dense(3))
"""
    (spec,) = make_all(code)
    assert (spec.layer.text, spec.name) == ("Bidirectional(LSTM(6)) | Dense(3)", "m")
    assert any("is not followed: target_shape=(width, height*c)" in note for note in spec.notes)
    (pooled,) = make_all(code.replace("m.add(Reshape((width, height * c)))", "m.add(Reshape((-1, 4)))"))
    assert len(pooled.input) == 4
    assert rnnshape.explore(pooled).ok


@pytest.mark.parametrize("said", ["Input((n, 3)), ", ""])
def test_a_window_that_is_longer_than_what_stands_for_the_time_costs_no_other_layer(said: str) -> None:
    code = f"m = Sequential([{said}LSTM(8, return_sequences=True), Conv1D(3, 9), GRU(4)])\nm.build((None, n, 3))"
    assert [spec.layer.text for spec in make_all(code)] == ["LSTM(8, return_sequences=True)", "GRU(4)"]
    (whole,) = make_all(code, {"let": {"n": 20}})
    assert rnnshape.explore(whole).ok
    with pytest.raises(rnnshape.Invalid, match="the kernel is larger than T=6"):
        make_all(code, {"let": {"n": 6}})


def test_a_class_that_is_imported_again_is_that_of_keras() -> None:
    code = """
class LSTM:
    def run(self):
        from keras.layers import LSTM, Dense
        model = Sequential()
        model.add(LSTM(8, input_shape=(5, 3)))
        model.add(Dense(1))
"""
    assert [spec.layer.text for spec in make_all(code)] == ["LSTM(8) | Dense(1)"]


def test_a_known_layer_with_a_mistake_is_not_said_to_be_unknown() -> None:
    code = "i = Input((5, 3))\nh = LSTM(4, return_sequences=True)(i)\ny = Dense(6, weights=w)(h)\nz = GRU(3)(y)"
    told = dict.fromkeys(notes(code))
    assert any(note.startswith("line 3: Dense takes no weights") for note in told)
    assert not any("Dense is not known" in note for note in told)


@pytest.mark.parametrize(
    ("returned", "shape"),
    [
        ("o[1:]", [(2, 4), (2, 6), (2, 6)]),
        ("[o[0], o[2]]", [(2, 6), (2, 6), (2, 6)]),
        ("[o, o[0]]", [(2, 6), (2, 4), (2, 6), (2, 6), (2, 6)]),
    ],
)
def test_a_model_returns_the_states_of_a_stack_one_by_one(returned: str, shape: list[tuple[int, ...]]) -> None:
    code = f"i = Input((5, 3), batch_size=2)\no = RNN([GRUCell(4), LSTMCell(6)], return_state=True)(i)\nm = Model(i, {returned})"
    assert shapes(code) == [shape]
    assert [tuple(output.shape) for output in under_keras(code, "m.outputs")] == shape
    assert all(rnnshape.explore(spec).ok for spec in make_all(code))


BROKEN = "a = Sequential([LSTM(3), LSTM(4)])\nb = GRU(5)\nc = Sequential([Dense(3), GRU(2, return_sequences=flag), Dense(1)])\n"


def test_a_model_that_keras_rejects_does_not_cost_the_other_answers(run: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / "models.py"
    path.write_text(BROKEN)
    ran = run("show", str(path), "--predict", "-f", "jsonl")
    assert ran.code == 2
    answered = [json.loads(line)["expression"] for line in ran.out.splitlines()]
    assert answered == [
        "GRU(5)",
        "Dense(3) | GRU(2) | Dense(1)",
        "GRU(5)",
        "Dense(3) | GRU(2, return_sequences=True) | Dense(1)",
    ]
    assert ran.err.count("models.py:1: LSTM(4) needs (N, T, C) but LSTM(3) returns (N, H)") == 1


def test_where_only_one_value_of_a_choice_is_possible_it_is_answered() -> None:
    with pytest.raises(rnnshape.Invalid, match="needs") as caught:
        make_all("m = Sequential([LSTM(3, return_sequences=flag), LSTM(4)])")
    assert [spec.layer.text for spec in caught.value.others] == ["LSTM(3, return_sequences=True) | LSTM(4)"]
    assert caught.value.others[0].notes == ("with flag=True",)


def test_an_option_that_is_wrong_costs_all_answers(run: Callable[..., Ran]) -> None:
    ran = run("show", BROKEN, "--predict", "--timing")
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize(
    ("code", "expression"),
    [
        ("RNN([LSTMCell(u) for u in units], return_state=True)", "RNN([LSTMCell(units_0)], return_state=True)"),
        ("cells = [GRUCell(a) for a, b in zip(x, y)]\nr = RNN(cells)", "RNN([GRUCell(a)])"),
        ("u = 5\nm = Sequential([LSTM(u) for u in units] + [Dense(1)])", "LSTM(units_0) | Dense(1)"),
        ("RNN([LSTMCell(i) for i in range(1, 100)])", "RNN([LSTMCell(1)])"),
        ("rnns = [Bidirectional(LSTM(8)) for i in range(n)]", "Bidirectional(LSTM(8))"),
    ],
)
def test_a_comprehension_over_what_is_not_known_is_read_once(code: str, expression: str) -> None:
    (spec,) = make_all(code)
    assert spec.layer.text == expression
    assert sum(" is read once: " in note for note in spec.notes) == 1
    assert rnnshape.explore(spec).ok


def test_sizes_in_a_comprehension_over_what_is_not_known_are_not_known() -> None:
    assert make_all("lengths = [len(t) for t in texts]\ny = LSTM(max(lengths))")[0].layer.text == "LSTM(max_lengths)"


def test_a_recurrent_layer_behind_an_input_of_unknown_rank_is_answered_where_the_rank_fits_nothing() -> None:
    code = """
def call(x, hidden, attr):
    joined = concatenate([hidden, Embedding(10, 3)(x), attr])
    h = GRU(6)(joined)
    return Dense(2)(tf.concat([h, attr], 1))
"""
    (spec,) = make_all(code)
    assert shapes(code) == [[(2, 2)]]
    assert any("the input of h = gru(joined) is not followed" in note for note in spec.notes)
    with pytest.raises(rnnshape.Invalid, match="needs"):
        make_all("x = Input((5, 3))\nh = GRU(6)(GRU(4)(x))")


ARRAYS = {
    "X = np.reshape(data, (n, 100, 1))\nX = X / float(vocabulary)": (2, 100, 1),
    "X = np.zeros((50, 7, 2))\nY = X.astype('float32') / 255\nX = Y - mean": (2, 7, 2),
    "X = np.array(load())\nfor i in range(30):\n    X = np.reshape(X, (X.shape[0], X.shape[1], 6))": (2, 3, 6),
    "X = np.zeros((4, 5, 3))\nX = X.reshape((X.shape[0], X.shape[1] * X.shape[2], 1))": (2, 15, 1),
}


@pytest.mark.parametrize("code", ARRAYS)
def test_an_array_that_is_made_of_another_one_keeps_what_is_known_of_its_shape(code: str) -> None:
    (spec,) = make_all(f"{code}\nm = Sequential([LSTM(6, input_shape=(X.shape[1], X.shape[2]))])")
    assert spec.input == ARRAYS[code]
    assert not any("is not given" in note for note in spec.notes)
    (sized,) = make_all("X = np.reshape(X, (X.shape[0], X.shape[1], 1))\nm = LSTM(X.shape[1])")
    assert sized.layer.text == "LSTM(shape_1)"


def test_a_tensor_of_keras_is_no_array() -> None:
    code = "x = Input((5, 3))\ny = tf.cast(x, 'float16')\nz = LSTM(4)(x)\nm = Model(x, z)"
    assert shapes(code) == [[(2, 4)]]


def test_the_error_of_a_call_has_a_place() -> None:
    with pytest.raises(rnnshape.Invalid, match="LSTM needs") as caught:
        make_all(
            "x = Input((5, 3))\nh, s = GRU(6, return_state=True)(x)\ny = LSTM(3)(Dense(4)(h))\nm = Model(x, [y, s])"
        )
    (problem,) = caught.value.problems
    assert caught.value.text is not None
    assert problem.span is not None
    assert caught.value.text[slice(*problem.span)] == "LSTM(3)"


def test_an_answer_has_the_notes_about_its_own_sizes_alone() -> None:
    code = """
def one(a, rate):
    return Sequential([Input((5, a)), LSTM(b, dropout=rate)])
def other(d):
    return Sequential([Input((t, 3)), GRU(d // 2, return_sequences=True)])
"""
    first, second = make_all(code)
    assert {note.partition(" ")[0] for note in first.notes} == {"a", "b", "rate"}
    assert {note.partition(" ")[0] for note in second.notes} == {"t", "d"}
    (named, _) = make_all(code, {"let": {"a": 6, "d": 8}})
    assert named.input == (2, 5, 6)


def test_a_layer_of_one_form_is_followed_whatever_a_dictionary_gives_it() -> None:
    code = """
i = Input((5, 3))
x = BatchNormalization(**params["norm"])(i)
x = Dropout(**params["dropout"])(Dense(**params["dense"])(x))
m = Model(i, LSTM(8)(x))
"""
    (spec,) = make_all(code)
    assert [layer.name for layer in spec.layer.in_turn] == ["BatchNormalization", "Dense", "Dropout", "LSTM"]
    assert not any("is not followed" in note for note in spec.notes)
    assert rnnshape.explore(spec).ok
    conv = make_all(code.replace("Dense(**", "Conv1D(**"))  # its strides may be anything
    assert [spec.layer.in_turn[-1].name for spec in conv] == ["LSTM"]
    assert any("is not followed" in note for spec in conv for note in spec.notes)


@pytest.mark.parametrize("unroll", ["", ", unroll=True"])
@pytest.mark.parametrize(
    ("cells", "states"),
    [
        ("GRUCell(5), GRUCell(6)", "[a, b]"),
        ("GRUCell(5), GRUCell(6)", "[[a], [b]]"),
        ("GRUCell(5), SimpleRNNCell(6)", "[a, [b]]"),
        ("LSTMCell(5), GRUCell(6)", "[[a, a], b]"),
        ("GRUCell(5)", "[a]"),
        ("GRUCell(5)", "[[a]]"),
    ],
)
def test_a_state_of_a_stack_comes_back_in_the_form_in_which_it_is_passed(cells: str, states: str, unroll: str) -> None:
    code = f"""
a, b, x = Input((5,)), Input((6,)), Input((3, 4))
o = RNN([{cells}], return_state=True{unroll})(x, initial_state={states})
"""
    for outputs in ("o", "[o[0], o[1]]"):
        (spec,) = make_all(f"{code}m = Model([a, b, x], {outputs})")
        assert rnnshape.explore(spec).ok


@pytest.mark.parametrize(
    "layer",
    ["LSTM(5, return_state=True)", "Bidirectional(GRU(5), merge_mode=None)", "RNN([GRUCell(5)], return_state=True)"],
)
def test_too_many_states_are_one_mistake(layer: str) -> None:
    with pytest.raises(rnnshape.Invalid, match="state"):
        make_all(
            f"a, x = Input((5,)), Input((3, 4))\no = {layer}(x, initial_state=[a, a, a, a, a])\nm = Model([a, x], [o[0], o[1]])"
        )


@pytest.mark.parametrize("outputs", ["[f(y)]", "f(y)", "{'a': f(y)}", "[f(y), g(y)]"])
def test_a_model_of_which_no_output_is_followed_has_a_note(outputs: str) -> None:
    code = f"x = Input((3, 4))\ny = LSTM(5)(x)\nm = Model(x, {outputs})"
    assert shapes(code) == [[(2, 5)]]
    assert any("output 0 of the model, f(y), is not followed" in note for note in notes(code))
