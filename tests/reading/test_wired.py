"""Wired calls in code: what is told of what is not read, and which options they take."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import keras, load
from rnnshape.reading import make, make_all
from rnnshape.render import View
from rnnshape.render.table import draw
from rnnshape.render.terminal import THEME
from rnnshape.structure import Nest, leaves

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

WIRED = """
encoder = LSTM(8, return_state=True)
encoder_outputs, state_h, state_c = encoder(Input((None, n_tokens)))
decoder = LSTM(8, return_sequences=True)
outputs = decoder(Input((None, 5)), initial_state=[state_h, state_c])
"""


@pytest.mark.parametrize("read", ["tf.tile(h, [1, 2, 1])", "h[:, n]", "h * mask", "tf.reverse(h, [0])", "K.sum(h)"])
def test_what_is_not_read_of_a_result_is_told_with_its_line(read: str) -> None:
    code = f"h = LSTM(8, return_sequences=True)(Input((10, 5)))\nr = {read}\ny = GRU(4)(r)"
    notes = [note for spec in make_all(code) for note in spec.notes]
    assert any(note.startswith("line 3: r is not followed") for note in notes)


@pytest.mark.parametrize(
    "read", ["h = tf.tile(h, [1, 2, 1])", "h = tf.erf(h)\nh = tf.roll(h, 1)", "h, rest = tf.split(h, 2)"]
)
def test_a_name_that_is_bound_to_what_is_not_read_of_itself_is_told(read: str) -> None:
    specs = make_all(f"h = LSTM(8, return_sequences=True)(Input((10, 5)))\n{read}\ny = GRU(4)(h)")
    assert [spec.layer.name for spec in specs] == ["LSTM", "GRU"]
    assert any("h is not followed" in note for note in specs[1].notes)


def test_a_name_that_is_bound_to_something_else_has_no_such_note() -> None:
    specs = make_all("h = LSTM(8)(Input((10, 5)))\nh = h * 2\nh = Input((3, 2))\ny = GRU(4)(h)")
    assert not any("h is not followed" in note for note in specs[1].notes)


def test_a_result_that_is_read_has_no_such_note() -> None:
    code = "h = LSTM(8, return_sequences=True)(Input((10, 5)))\ny = GRU(4)(h + h)"
    assert not make(code).notes


def test_a_policy_reaches_every_layer_of_wired_calls() -> None:
    report = rnnshape.explore(make(WIRED, {"dtype": "float16"}))
    assert report.ok
    assert {tensor.dtype for part in report.flow for tensor in leaves(part.predicted)} == {"float16"}


@pytest.mark.parametrize(("option", "value"), [("masking", 0.0), ("into", "LSTM(8)"), ("initial_state", "zeros")])
def test_an_option_that_wired_calls_do_not_take_is_one_error(option: str, value: object) -> None:
    with pytest.raises(Invalid) as caught:
        make(WIRED, {option: value})
    (problem,) = caught.value.problems
    assert (problem.key, problem.message.partition(":")[0]) == (option, "does not apply to wired calls")


def test_a_diagram_of_wired_calls_is_said_not_to_be_there(run: Callable[..., Ran]) -> None:
    ran = run("show", WIRED, "--predict", "--diagram")
    assert (ran.code, ran.err) == (0, "")
    assert "No diagram of wired calls" in ran.out


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_says_where_each_tensor_goes_at_any_width(width: int) -> None:
    stream = io.StringIO()
    report = rnnshape.predict(make(WIRED))
    Console(file=stream, width=width, theme=THEME).print(draw(report, View()))
    words = " ".join(stream.getvalue().replace("│", " ").split())
    assert "initial_state[0]" in words
    assert "initial_state[1]" in words


@pytest.mark.parametrize(
    ("outputs", "roles"), [("[y, x]", ["y", "x"]), ("h", ["h"]), ("[h, y]", ["h", "y"]), ("y", ["y"])]
)
def test_a_model_returns_what_the_code_names_an_input_too(outputs: str, roles: list[str]) -> None:
    code = f"x = Input((5, 4))\ny, h = GRU(3, return_state=True)(x)\nm = Model(x, {outputs})"
    report = rnnshape.explore(make(code))
    assert report.ok
    assert [tensor.role for tensor in leaves(report.structure)] == roles


def test_each_input_of_wired_calls_is_told_with_its_shape() -> None:
    data = rnnshape.predict(make(WIRED, {"let": {"n_tokens": 7}})).to_dict()
    assert [(one["symbolic"], one["shape"]) for one in data["inputs"]] == [
        (data["input"]["symbolic"], data["input"]["shape"]),
        (["N", "T2", "C2"], [2, 5, 5]),
    ]
    assert "inputs" not in rnnshape.predict("LSTM(8)").to_dict()


@pytest.mark.parametrize("first", ["LSTM(4, return_sequences=True)", "Masking()", "Embedding(9, 4)"])
def test_wired_code_calls_a_model_of_several_layers(first: str) -> None:
    code = f"x = Input((5, 4))\nm = Sequential([{first}, LSTM(2)])\ny = Concatenate()([m(x), LSTM(3)(x)])"
    if "Embedding" in first:
        code = code.replace("Input((5, 4))", "Input((5,))").replace(", LSTM(3)(x)", ", GRU(3)(Embedding(9, 4)(x))")
    report = rnnshape.explore(make(code))
    assert report.ok, report.error
    assert report.structure.to_dict()["shape"] == [2, 5]


def test_states_behind_the_input_of_keras_2_are_wired() -> None:
    code = "e = LSTM(3, return_state=True); o, h, c = e(x); d = LSTM(3)([x, h, c])"
    report = rnnshape.predict(make(code, {"keras": "2"}))
    assert report.flow[1].expression.endswith("(x, initial_state=[h, c])")
    with pytest.raises(Invalid, match="initial_state="):
        make(code)


def test_what_is_not_followed_has_the_length_of_the_tokens_it_is_joined_with() -> None:
    """The code says of neither input how long it is, and Keras joins them only where both are of one length."""
    code = "words = Embedding(10, 4)(x)\nboth = concatenate([tf.expand_dims(context, 1), words])\ny = GRU(8)(both)"
    report = rnnshape.explore(code)
    assert report.ok
    assert report.to_dict()["input"]["symbolic"] == ["N", "T"]


@pytest.mark.parametrize(
    "read", ["LSTM(4, return_sequences=True)(x)[:, n]", "tf.erf(LSTM(4)(x))", "rates * LSTM(4)(x)"]
)
def test_what_is_not_read_of_a_result_without_a_name_is_told(read: str) -> None:
    (spec,) = make_all(f"x = Input((5, 4))\nrate = -0.5\ny = Dense(2)({read})")
    assert any("is not followed" in note for note in spec.notes)


@pytest.mark.parametrize(
    ("merge", "merged"),
    [
        ("Multiply()([z, h])", "(N, T, H1)"),
        ("Add()([h, z, z])", "(N, T, H1)"),
        ("Concatenate()([h, z])", "(N, T, H1+C2)"),
        ("Concatenate(axis=1)([z, h])", "(N, T2+T, H1)"),
        ("Attention()([z, h])", "(N, T2, H1)"),
        ("MultiHeadAttention(2, 3)(h, z)", "(N, T, H1)"),
    ],
)
@pytest.mark.parametrize("given", ["", "z = Input((None, None))\n"])
def test_what_the_code_does_not_say_of_an_input_is_like_what_it_is_merged_with(
    merge: str, merged: str, given: str
) -> None:
    report = rnnshape.explore(make(f"x = Input((5, 3))\n{given}h = LSTM(6, return_sequences=True)(x)\ny = {merge}"))
    assert report.ok
    assert [f"({', '.join(leaf.symbolic)})" for leaf in leaves(report.predicted)] == [merged]
    assert make(report.spec.layer.text) == report.spec


@pytest.mark.parametrize(
    ("call", "scores"),
    [
        ("Attention()([x, h], return_attention_scores=True)", ("N", "T", "T")),
        ("AdditiveAttention()([v, h], return_attention_scores=True)", ("N", "T2", "T")),
        ("MultiHeadAttention(2, 3)(x, h, return_attention_scores=True)", ("N", "heads", "T", "T")),
        ("MultiHeadAttention(2, 3)(v, h, return_attention_scores=True)", ("N", "heads", "T2", "T")),
        ("MultiHeadAttention(2, 3)(r, r, return_attention_scores=True)", ("N", "heads", "5", "2", "5", "2")),
        (
            "MultiHeadAttention(2, 3, attention_axes=1)(r, r, return_attention_scores=True)",
            ("N", "2", "heads", "5", "5"),
        ),
        ("MultiHeadAttention(2, 3)(x, h, return_attention_scores=False)", None),
        ("MultiHeadAttention(2, 3)(x, h, use_causal_mask=True)", None),
    ],
)
def test_the_scores_of_an_attention_come_behind_its_output(call: str, scores: tuple[str, ...] | None) -> None:
    before = (
        "x = Input((5, 4))\nv = Input((None, 4))\nh = LSTM(4, return_sequences=True)(x)\nr = Reshape((5, 2, 2))(h)\n"
    )
    report = rnnshape.explore(make(f"{before}y = {call}"))
    assert report.ok
    _, *behind = leaves(report.predicted)
    assert [leaf.symbolic for leaf in behind] == ([] if scores is None else [scores])
    assert make(report.expression) == report.spec


@pytest.mark.parametrize(
    ("call", "how"),
    [
        ("Add()(h, x)", "several tensors in a list: Add"),
        ("Attention()(h, x)", "several tensors in a list: Attention"),
        ("Concatenate()(h)", "several tensors in a list: Concatenate"),
        ("MultiHeadAttention(2, 3)([h, x])", "a query and a value, one by one: MultiHeadAttention"),
        ("MultiHeadAttention(2, 3)(h)", "a query and a value, one by one: MultiHeadAttention"),
    ],
)
def test_a_layer_that_merges_is_called_as_keras_takes_it(call: str, how: str) -> None:
    from rnnshape.lab.tensorflow import keras

    code = f"x = keras.Input((5, 4))\nh = keras.layers.LSTM(4, return_sequences=True)(x)\ny = keras.layers.{call}"
    with pytest.raises((TypeError, ValueError)):
        exec(code, {"keras": keras()})  # noqa: S102  it stands above
    with pytest.raises(Invalid, match=how):
        make(code)


@pytest.mark.parametrize("merge", ["Add()([h])", "Average()(several)", "concatenate([h])", "concatenate(several)"])
def test_a_layer_that_merges_gives_back_the_only_tensor_of_a_list(merge: str) -> None:
    from rnnshape.lab.tensorflow import keras

    code = "x = Input((5, 4))\nh = LSTM(4, return_sequences=True)(x)\n"
    real = f"several = [h]\ny = {merge}"
    there = dict(vars(keras().layers))
    exec(code + real, there)  # noqa: S102  it stands above
    (spec,) = make_all(f"{code}several = [one for one in (h,)]\ny = {merge}\nz = GRU(2)(y)")
    assert spec.layer.text == "LSTM(4, return_sequences=True) | GRU(2)"
    assert tuple(there["y"].shape) == (None, 5, 4)


CHOSEN = """
def build(kind, deep):
    x = Input((5, 4))
    if kind == "a":
        h = LSTM(8 if deep else 4)(x)
    elif kind == "b":
        h = GRU(8 if deep else 4)(x)
    else:
        h = SimpleRNN(3)(x)
    return Dense(1)(h)
"""


@pytest.mark.parametrize(
    ("assigned", "size"),
    [("self.n = 9", 9), ("self.n = None", 7), ("self.n = 0", 7), ("self.n = 9\n        self.n = count()", 7)],
)
def test_an_attribute_counts_in_other_methods_where_it_is_assigned_once(assigned: str, size: int) -> None:
    (spec,) = make_all(
        f"class A:\n    def __init__(self):\n        {assigned}\n"
        "    def make(self):\n        return Sequential([Input((5, 3)), LSTM(self.n)])\n"
    )
    assert next(leaves(rnnshape.predict(spec).predicted)).shape == (2, size)


def test_a_choice_that_only_one_branch_has_is_no_unknown_name_on_the_others() -> None:
    specs = make_all(CHOSEN)
    assert {spec.layer.in_turn[0].name for spec in specs} == {"LSTM", "GRU", "SimpleRNN"}
    with pytest.raises(Invalid, match="wide is not a name in the code"):
        make_all(CHOSEN, {"let": {"wide": 3}})


def test_what_a_call_is_given_beside_its_tensors_is_told() -> None:
    code = "x = Input((5, 4))\ny = LSTM(3)(MultiHeadAttention(2, 3)(x, x, use_causal_mask=True))"
    assert any("use_causal_mask= in the call" in note for note in make(code).notes)


def test_inputs_that_the_code_says_nothing_of_fit_one_another() -> None:
    assert rnnshape.explore(make("LSTM(3)(MultiHeadAttention(2, 3)(query=a, value=b, key=c))")).ok
    assert rnnshape.explore(make("LSTM(3)(Attention()([a, b, c]))")).ok


DEAD_END = """
x = Input((5, 3))
h = LSTM(4)(x)
a = Dense(7)(h)
a = Dropout(0.1)(a)
y = Dense(2)(h)
model = Model(x, y)
"""


def test_a_model_has_the_weights_of_keras_model() -> None:
    """What the outputs of a model do not use is not in it; ``model.count_params()`` is what is told here."""
    (spec,) = make_all(DEAD_END)
    keras = load().keras
    x = keras.Input((5, 3))
    h = keras.layers.LSTM(4)(x)
    keras.layers.Dropout(0.1)(keras.layers.Dense(7)(h))
    model = keras.Model(x, keras.layers.Dense(2)(h))
    assert rnnshape.predict(spec).params == model.count_params()
    assert spec.notes == (
        "line 3: Dense(7) is not part of the model: no output of the model uses it",
        "line 4: Dropout(0.1) is not part of the model: no output of the model uses it",
    )


STACKED = "x = Input((5, 3))\ncells = [LSTMCell(8), GRUCell(6)]\no, s1, s2 = RNN(cells, return_state=True)(x)\n"


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("RNN([LSTMCell(8), GRUCell(6)])(x, initial_state=[s1, s2])", "initial_state=[[s1[0], s1[1]], [s2[0]]]"),
        ("LSTM(8)(x, initial_state=s1)", "initial_state=[s1[0], s1[1]]"),
        ("Concatenate()([o, s1[1], s2[0]])", "[o, s1[1], s2[0]]"),
        ("Dense(2)(RNN(cells, return_state=True)(x)[1][0])", "_states_1[0])"),
    ],
)
def test_the_states_of_stacked_cells_are_in_lists(read: str, written: str) -> None:
    spec = make(f"{STACKED}y = {read}")
    assert written in spec.layer.text
    assert rnnshape.explore(spec).ok
    assert make(spec.layer.text) == spec


@pytest.mark.parametrize(
    "read",
    [
        "cell = LSTMCell(8)\ny, s = cell(x, [h, c])\ny, s = cell(x, s)",
        "cell = LSTMCell(8)\ny, s = cell(inputs=x, states=[h, c])\nz, s = LSTMCell(8)(y, states=list(s))",
        "cell = GRUCell(8)\ny, s = cell(x, h)\ny, s = cell(x, s)",
        "cell = GRUCell(8)\ny, s = cell(x, [h])\ny, s = cell(x, s)",
        "o, a, b = LSTM(8, return_state=True)(v)\ny, s = LSTMCell(8)(o, [a, b])",
        "o, a = GRU(8, return_state=True)(v)\ny, s = SimpleRNNCell(8)(o, a)",
    ],
)
def test_a_cell_gets_the_states_of_the_code(read: str) -> None:
    inputs = {"x": (5,), "h": (8,), "c": (8,), "v": (3, 5)}
    spec = make("".join(f"{name} = Input({shape})\n" for name, shape in inputs.items()) + read)
    assert "get_initial_state" not in spec.layer.text
    report = rnnshape.explore(spec)
    assert report.ok
    assert make(spec.layer.text) == spec
    arrays = {name: load().zeros((2, *shape)) for name, shape in inputs.items()}
    exec(read, {**vars(keras().layers)}, arrays)  # noqa: S102  it stands above
    real = arrays.get("z", arrays["y"]), arrays["s"]
    assert _containers(report.observed) == _containers(real)


def _containers(value: Any) -> Any:
    if isinstance(value, Nest):
        return value.kind, *map(_containers, value.items)
    return (type(value).__name__, *map(_containers, value)) if isinstance(value, list | tuple) else "tensor"


@pytest.mark.parametrize(
    ("read", "why"),
    [
        ("LSTMCell(8)(x, [h])", r"1 state is passed, and lstm_cell takes 2 \(state_h, state_c\)"),
        ("LSTMCell(8)(x, [h, w])", r"w is .* the state_c of lstm_cell must be \(N, H\) = \(2, 8\)"),
        ("LSTMCell(8)(x, [[h, h]])", r"takes its states as \[state_h, state_c\]"),
    ],
)
def test_states_that_do_not_fit_a_cell(read: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        make(f"x = Input((5,))\nh = Input((8,))\nw = Input((6,))\ny, s = {read}")


def test_the_states_of_a_stack_of_cells_that_is_called_itself_are_not_followed() -> None:
    spec = make("x = Input((5,))\nh = Input((8,))\ny, s = StackedRNNCells([GRUCell(8)])(x, [h])\nz = Dense(2)(y)")
    assert any("[h] is not followed: StackedRNNCells is read without states" in note for note in spec.notes)


@pytest.mark.parametrize(
    "read",
    [
        "RNN([LSTMCell(8), GRUCell(6)])(x, initial_state=[s1[0], s1[1], s2[0]])",
        "LSTM(8)(x, initial_state=[s1])",
        "Bidirectional(LSTM(8))(x, initial_state=[s1, s1])",
    ],
)
def test_states_that_nest_otherwise_are_refused_as_keras_refuses_them(read: str) -> None:
    code = f"{STACKED}y = {read}".replace("Input((5, 3))", "zeros((2, 5, 3))")
    with pytest.raises(IndexError):
        exec(code, {**vars(keras().layers), "zeros": load().zeros})  # noqa: S102  it stands above
    with pytest.raises(Invalid, match=r"takes its states as .*: pass them in these lists"):
        make(f"{STACKED}y = {read}")


@pytest.mark.parametrize("merge", ["x * h", "Add()([x, h])", "Attention()([x, h])"])
def test_sizes_that_only_stand_for_names_are_no_mistake_of_the_reader(merge: str) -> None:
    code = f"x = Input((5, n))\nh = GRU(m, return_sequences=True)(x)\ny = {merge}\nz = LSTM(2)(y)"
    for let in ({}, {"n": 6}):
        before, behind = make_all(code, {"let": let} if let else {})
        assert (before.layer.text, behind.layer.text) == ("GRU(m, return_sequences=True)", "LSTM(2)")
        assert any(note.startswith("line 3: y = ") and " is not followed: " in note for note in behind.notes)
        assert rnnshape.explore(before).ok
    assert rnnshape.explore(make(code, {"let": {"n": 6, "m": 6}})).ok
    with pytest.raises(Invalid, match=r"\(2, 5, 6\) and \(N, T, m\) = \(2, 5, 7\)"):
        make(code, {"let": {"n": 6, "m": 7}})


@pytest.mark.parametrize(
    ("code", "layers", "told"),
    [
        (
            "h = LSTM(8, return_sequences=True)(x)\nr = Reshape((-1, 7))(h)\ny = GRU(2)(r)",
            ["LSTM(8, return_sequences=True)", "GRU(2)"],
            "needs a multiple of 7",
        ),
        (
            "h = LSTM(8, return_sequences=True)(Input((None, 3)))\nr = Reshape((-1, 160))(h)\ny = GRU(2)(r)",
            ["LSTM(8, return_sequences=True)", "GRU(2)"],
            "needs a multiple of 160",
        ),
        ("c = Reshape((50, 64))(pooled)\ny = GRU(2)(c)", ["GRU(2)"], "needs 3200 elements"),
        (
            "h = GRU(4)(x)\ny, s = GRU(8, return_state=True)(x, initial_state=Input((n,)))\nz = Dense(n)(y)",
            ["GRU(4)", "GRU(8, return_state=True)"],
            "the states that are passed here are not followed",
        ),
    ],
)
def test_a_call_that_breaks_at_sizes_that_stand_for_others_costs_that_call(
    code: str, layers: list[str], told: str
) -> None:
    specs = make_all(code)
    assert all(any(text in spec.layer.text for spec in specs) for text in layers)
    assert all(any(told in note for note in spec.notes) for spec in specs)
    assert all(rnnshape.explore(spec).ok for spec in specs)


def test_what_a_reshape_returns_is_the_input_of_what_is_behind_it() -> None:
    (spec,) = make_all("y = GRU(2)(Reshape((50, 64))(pooled))\nz = Dense(1)(y)")
    assert spec.input == (2, 50, 64)


@pytest.mark.parametrize(
    "wrong",
    [
        "h = LSTM(8)(x)\ny = GRU(2)(h)",
        "h = LSTM(8)(x)\ny = tf.nn.tanh(h)\nz = GRU(2)(y)",
        "a = LSTM(8, return_sequences=True)(x)\nb = LSTM(4, return_sequences=True)(x)\ny = Add()([a, b])",
        "a = LSTM(8, return_sequences=True)(x)\nb = LSTM(4)(x)\ny = Concatenate()([a, b])",
        "a = LSTM(8)(Input((5, 3)))\ny = Reshape((3, 3))(a)",
        "h, s, c = LSTM(8, return_state=True)(x)\ny = LSTM(4)(x, initial_state=[s, c])",
    ],
)
def test_a_call_that_breaks_at_what_the_code_says_is_refused(wrong: str) -> None:
    """Whatever is open beside it: no value of it mends the code."""
    with pytest.raises(Invalid):
        make_all(wrong)


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("model = Sequential()\nmodel.add(Lambda(lambda t: tf.expand_dims(t, -1)))\nmodel.add(LSTM(4))", (2, 4)),
        ("model = Sequential([Lambda(lambda t: tf.expand_dims(t, axis=1)), LSTM(4)])", (2, 4)),
    ],
)
def test_an_input_of_which_the_code_says_nothing_has_the_axes_with_which_the_calls_fit(
    code: str, shape: tuple[int, ...]
) -> None:
    spec = make(code)
    assert len(spec.input) == len(shape)
    assert rnnshape.explore(spec).ok
    assert make(spec.layer.text) == spec


@pytest.mark.parametrize("layer", ["Lambda(lambda t: tf.tile(t, [1, 2, 1]))", "Lambda(f)"])
def test_a_layer_on_the_result_of_one_that_is_not_known_has_an_input_of_its_own(layer: str) -> None:
    for code in (f"GRU(4)({layer}(x))", f"y = GRU(4)({layer}(h))", f"h = LSTM(8)(x)\ny = GRU(4)({layer}(h))"):
        assert any(spec.layer.text == "GRU(4)" and spec.input == (2, 3, 4) for spec in make_all(code))


@pytest.mark.parametrize(("shape", "fits"), [((7, 3), False), ((5, 4), False), ((None, 3), True), ((5, 3), True)])
def test_a_model_is_called_on_what_it_takes(shape: tuple[int | None, int], *, fits: bool) -> None:
    from rnnshape.lab.tensorflow import keras

    code = f"i = Input((5, 3))\nmodel = Model(i, LSTM(4)(i))\ny = model(Input({shape}))"
    if fits:
        assert make(code).layer.text == "LSTM(4)"
        return
    with pytest.raises(ValueError, match="incompatible"):
        exec(code, {**vars(keras().layers), "Model": keras().Model})  # noqa: S102  it stands above
    with pytest.raises(Invalid, match=r"the model takes \(N, 5, 3\), but its input is "):
        make(code)


def test_the_calls_of_a_model_that_is_called_again_are_there_for_those_behind_it() -> None:
    code = "i = Input((5, 3))\nh = LSTM(4, return_sequences=True)(i)\ne = LSTM(2)(h)\nbase = Model(i, e)\n"
    spec = make(f"{code}y = base(Input((5, 3)))\nz = Dense(7)(e)\nw = GRU(2)(h)")
    assert rnnshape.explore(spec).ok


STATES = "x = Input((5, 3))\no, h, c = LSTM(4, return_state=True)(x)\n"


@pytest.mark.parametrize(
    ("outputs", "count"), [("o", 1), ("h", 1), ("[h, c]", 2), ("[c, o]", 2), ("[o, o, x]", 3), ("[o, *[h, c]]", 3)]
)
def test_a_model_that_is_called_returns_its_outputs(outputs: str, count: int) -> None:
    """Not all results of its last layer."""
    own = make(f"{STATES}model = Model(x, {outputs})")
    again = make(f"{STATES}model = Model(x, {outputs})\ny = model(Input((5, 3)))")
    for spec in (own, again):
        report = rnnshape.explore(spec)
        assert report.ok
        assert len([*leaves(report.predicted)]) == count
        assert not spec.notes


def test_the_results_of_a_call_are_outputs_of_a_model_one_by_one() -> None:
    spec = make("x = Input((5, 3))\nr = LSTM(4, return_state=True)(x)\nmodel = Model(x, [GRU(2)(x), *r])")
    assert [leaf.shape for leaf in leaves(rnnshape.predict(spec).predicted)] == [(2, 2), (2, 4), (2, 4), (2, 4)]


SLICED = "x = Input((5, 4))\nh = LSTM(3, return_sequences=True)(x)\n"


@pytest.mark.parametrize(
    ("read", "shape"),
    [
        ("h[:, -1]", (2, 3)),
        ("h[:, -1, :]", (2, 3)),
        ("h[:, 1:]", (2, 4, 3)),
        ("h[:, ::-2, 0]", (2, 3)),
        ("h[..., :2]", (2, 5, 2)),
        ("h[:, 0, tf.newaxis]", (2, 1, 3)),
        ("h[:, None, :, -1]", (2, 1, 5)),
        ("x[:, 2:-1]", (2, 2, 4)),
        ("LSTM(3, return_sequences=True)(x)[:, -1]", (2, 3)),
    ],
)
def test_a_part_of_a_tensor_is_followed(read: str, shape: tuple[int, ...]) -> None:
    """As TensorFlow cuts it; the canonical code says the same."""
    spec = make(f"{SLICED}y = {read}")
    report = rnnshape.explore(spec)
    assert [leaf.shape for leaf in leaves(report.observed)] == [shape]
    assert report.agrees
    assert make(spec.layer.text) == spec


def test_a_part_has_no_mask() -> None:
    report = rnnshape.explore(f"{SLICED}y = h[:, 1:]", mask="11100;11111")
    assert report.agrees
    assert report.masked.output_masks == (None, None)


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        ("h[:, 7]", "the index 7 is out of range: T = 5"),
        ("h[:, 0, 0, 0]", r"\[:, 0, 0, 0\] names 4 axes, and the tensor has 3"),
        ("h[:, ::0]", r"\[:, ::0\] has a step of 0"),
        ("h[:, 5:]", r"\[:, 5:\] leaves nothing of T = 5"),
        ("h[..., ...]", r"\[\.\.\., \.\.\.\] has more than one \.\.\."),
        ("GRU(2)(h[:, -1])", "GRU"),
    ],
)
def test_a_part_that_is_not_there_is_told(read: str, wrong: str) -> None:
    with pytest.raises(Invalid, match=wrong):
        make(f"{SLICED}y = {read}")


@pytest.mark.parametrize(
    "before",
    [
        "x = BatchNormalization(axis=3)(Input((8, 6, 3)))",
        "x = LayerNormalization(axis=3)(Input((8, 6, 3)))",
        "x = Permute((2, 1, 3))(Input((6, 8, 3)))",
        "x = Sequential([BatchNormalization(axis=3), Reshape((8, 6, 3))])(Input((8, 6, 3)))",
    ],
)
def test_a_layer_whose_rank_its_arguments_fix_is_followed(before: str) -> None:
    spec = make(f"{before}\ny, h, c = LSTM(4, return_state=True)(Reshape((8, 18))(x))")
    report = rnnshape.explore(spec)
    assert report.ok
    assert [leaf.shape for leaf in leaves(report.observed)] == [(2, 4)] * 3


def test_a_stack_returns_what_its_last_layer_returns() -> None:
    stack = "Sequential([BatchNormalization(axis=3), Reshape((8, 18)), LSTM(4, return_state=True)])"
    report = rnnshape.explore(make(f"y, h, c = {stack}(Input((8, 6, 3)))\nz = Dense(2)(h)"))
    assert report.ok


@pytest.mark.parametrize(
    ("called", "shape"),
    [
        ("Lambda(lambda t: t[:, -1])(h)", (2, 3)),
        ("layers.Lambda(lambda t: tf.reduce_mean(t, axis=1), output_shape=(3,), name='m')(h)", (2, 3)),
        ("Lambda(lambda t: 1 - t)(h)", (2, 5, 3)),
        ("Lambda(lambda t, i: t[:, i], arguments={'i': 2})(h)", (2, 3)),
        ("Lambda(function=lambda both: both[0] * both[1])([h, h])", (2, 5, 3)),
        ("Lambda(joined)([h, x])", (2, 5, 7)),
        ("turned(h)", (2, 5, 3)),
        ("Lambda(K.reverse, arguments={'axes': 1})(h)", (2, 5, 3)),
        ("Lambda(K.reverse, arguments=dict(axes=1))(h)", (2, 5, 3)),
        ("Lambda(lambda t: t)(h)", (2, 5, 3)),
    ],
)
def test_a_lambda_is_followed_into_its_function(called: str, shape: tuple[int, ...]) -> None:
    """As Keras runs it; the answer is the same code without the layer around the function."""
    before = (
        "def joined(both):\n    a, b = both\n    return tf.concat([a, b], axis=-1)\n"
        "turned = Lambda(lambda t: K.reverse(t, axes=1))\n"
    )
    spec = make(f"{before}{SLICED}y = {called}\nz = Concatenate()([y, y])")
    report = rnnshape.explore(spec)
    assert report.ok
    assert [leaf.shape for leaf in leaves(report.observed)] == [(*shape[:-1], 2 * shape[-1])]
    from tensorflow import concat, ones, reduce_mean, reverse

    from rnnshape.lab.tensorflow import keras

    named = {"reverse": lambda t, axes: reverse(t, [axes])}
    tf_, k_ = type("tf", (), {"concat": concat, "reduce_mean": reduce_mean}), type("K", (), named)
    there = {**vars(keras().layers), "layers": keras().layers, "tf": tf_, "K": k_, "x": ones((2, 5, 4))}
    exec(f"{before}h = LSTM(3, return_sequences=True)(x)\ny = {called}", there)  # noqa: S102  it stands above
    assert tuple(there["y"].shape) == shape


@pytest.mark.parametrize("function", ["unknown", "lambda t: tf.tile(t, [1, 2, 1])", "K.sum"])
def test_a_lambda_whose_function_is_not_read_is_told(function: str) -> None:
    specs = make_all(f"{SLICED}y = Lambda({function})(h)\nz = GRU(2)(y)")
    assert [spec.layer.name for spec in specs] == ["LSTM", "GRU"]
    assert any("Lambda calls a function, which is not run" in note for note in specs[1].notes)


def test_two_models_that_share_only_a_layer_are_two_answers() -> None:
    code = """
embedding = Embedding(100, 4)
first = Input((10,))
one = Model(first, Dense(1)(LSTM(8)(embedding(first))))
second = Input((7,))
other = Model(second, GRU(6)(embedding(second)))
"""
    specs = make_all(code)
    assert [spec.layer.text for spec in specs] == [
        "Embedding(100, 4) | LSTM(8) | Dense(1)",
        "Embedding(100, 4) | GRU(6)",
    ]
    reports = [rnnshape.explore(spec) for spec in specs]
    assert all(report.ok for report in reports)
    assert [report.params for report in reports] == [400 + 416 + 9, 400 + 216]
    assert [report.input.shape for report in reports] == [(2, 10), (2, 7)]


MODEL = """
inp = Input((10, 4))
h = LSTM(8, return_sequences=True, name="encoder")(inp)
model = Model(inp, Dense(2)(h))
"""


@pytest.mark.parametrize(
    "part", ['model.get_layer("encoder").output', "model.layers[1].output", "model.layers[-2].output"]
)
def test_the_output_of_a_layer_of_a_model_is_followed(part: str) -> None:
    first, spec = make_all(f"{MODEL}y = GRU(3)({part})\nfull = Model(model.input, y)")
    assert (first.name, spec.name) == ("model", "full")
    report = rnnshape.explore(spec)
    assert report.ok
    assert not report.notes
    # The GRU is called on the 8 channels of the LSTM: 9 * (8 + 3) weights and 18 biases.
    assert [weight.shape for weight in report.weights][-3:] == [(8, 9), (3, 9), (2, 9)]


@pytest.mark.parametrize("output", ["model.output", "model.outputs[0]"])
def test_the_output_of_a_model_is_followed(output: str) -> None:
    _, spec = make_all(f"{MODEL}y = GRU(3)({output})\nfull = Model(model.inputs, y)")
    assert spec.layer.text == "LSTM(8, return_sequences=True, name='encoder') | Dense(2) | GRU(3)"


def test_an_output_that_is_not_followed_has_a_note() -> None:
    code = "model = Sequential([Input((10, 4)), LSTM(8, return_sequences=True)])\ny = GRU(3)(model.layers[i].output)"
    notes = [note for spec in make_all(code) for note in spec.notes]
    assert [note for note in notes if "model.layers[i].output is not followed" in note]


def test_the_tensors_of_a_sequential_model_are_followed() -> None:
    code = """
model = Sequential([Input((5, 3))])
model.add(LSTM(8, return_sequences=True, name="first"))
model.add(Dropout(0.1))
states = Model(inputs=model.inputs, outputs=model.layers[0].output)
head = Model(model.inputs, GRU(2)(model.get_layer("first").output))
model.add(LSTM(4))
full = Model(model.inputs, Dense(7)(model.outputs[0]))
"""
    answers = {spec.name: spec for spec in make_all(code)}
    first = "LSTM(8, return_sequences=True, name='first')"
    assert {name: spec.layer.text for name, spec in answers.items()} == {
        "model": f"{first} | Dropout(0.1) | LSTM(4)",
        "states": first,
        "head": f"{first} | GRU(2)",
        "full": f"{first} | Dropout(0.1) | LSTM(4) | Dense(7)",
    }
    names = {"inputs": None, **vars(load().keras.layers), **vars(load().keras)}
    exec(code, names)  # noqa: S102
    for name, spec in answers.items():
        shape = [leaf.shape for leaf in leaves(rnnshape.predict(spec).predicted)]
        assert shape == [(2, *names[name].output_shape[1:])]
        assert not spec.notes


def test_keras_3_has_no_output_of_a_sequential_model_before_its_first_call() -> None:
    code = "model = Sequential([Input((5, 3)), LSTM(8)])\nfull = Model(model.inputs, Dense(2)(model.output))"
    with pytest.raises(AttributeError, match="has no defined output"):
        exec(code, {**vars(load().keras.layers), **vars(load().keras)})  # noqa: S102
    _, spec = make_all(code)
    note = "line 2: before a call of the model, Keras 3 has no model.output: write model.outputs[0]"
    assert (spec.layer.text, spec.notes) == ("LSTM(8) | Dense(2)", (note,))
    assert make_all(code, {"keras": "2"})[1].notes == ()


@pytest.mark.parametrize(
    ("outputs", "left"), [("[r, y]", ["y"]), ("{'r': r, 'y': y}", ["y"]), ("[y, y, r]", ["y", "y"])]
)
def test_an_output_of_a_model_that_is_not_followed_is_told_with_its_place(outputs: str, left: list[str]) -> None:
    code = f"x = Input((10, 5))\ny = LSTM(8, return_sequences=True)(x)\nr = tf.tile(y, [1, 2, 1])\nModel(x, {outputs})"
    (spec,) = make_all(code)
    place = 2 if outputs.endswith("r]") else 0
    assert any(f"line 4: output {place} of the model, r, is not followed: it is left" in note for note in spec.notes)
    assert [leaf.role for leaf in leaves(rnnshape.predict(spec).predicted)] in (left, ["output"])


@pytest.mark.parametrize("read", ["tf.tile(x, [1, 2, 1])", "augment(x)", "tf.cast(x, 'float16')"])
@pytest.mark.parametrize("held", [True, False])
def test_an_input_that_goes_into_what_is_not_read_is_told(read: str, *, held: bool) -> None:
    code = f"x = Input((10, 5))\nz = {read}\ny = GRU(4)(z)" if held else f"x = Input((10, 5))\ny = GRU(4)({read})"
    assert any("is not followed: a default shape is used for it" in note for note in make(code).notes)


def test_a_recurrent_layer_that_no_output_needs_is_told_for_its_weights_are_counted() -> None:
    code = "x = Input((5, 2))\ny = GRU(4, return_sequences=True)(x)\ns = SimpleRNN(3)(Dropout(0.1)(x))\nmodel = Model(x, y)"
    keras = load().keras
    names: dict[str, object] = {**vars(keras.layers), "Model": keras.Model, "Input": keras.Input}
    exec(code, names)  # noqa: S102  code of this test
    spec = make(code)
    assert rnnshape.predict(spec).params > names["model"].count_params()  # type: ignore[attr-defined]
    (note,) = spec.notes
    assert note.startswith("line 3: SimpleRNN(3) is not part of the model")
    assert note.endswith("it is answered here, and its weights are counted")


@pytest.mark.parametrize(
    ("code", "filled"),
    [
        ("s = tf.zeros((2, 4))\ny = GRU(4)(x, initial_state=s)", "zeros"),
        ("h = c = tf.ones((2, 4))\ny = LSTM(4)(x, initial_state=[h, c])", "ones"),
        ("h = tf.ones((2, 4))\nc = tf.zeros((2, 4))\ny = LSTM(4)(x, initial_state=[h, c])", "random"),
        ("gru = GRU(4)\ns = gru.get_initial_state(2)\ny = gru(x, initial_state=s)", "zeros"),
        ("y = GRU(4)(x, initial_state=s)", "random"),
    ],
)
def test_a_name_of_states_is_read_as_its_value(code: str, filled: str) -> None:
    spec = make(code)
    assert spec.initial_state == filled
    assert rnnshape.explore(spec).ok


def test_states_of_zeros_need_no_note_in_wired_calls() -> None:
    code = "gru = GRU(4, return_state=True)\ns = STATES\ny, s = gru(x, initial_state=s)\nmodel = Model(x, [Dense(2)(y), s])"
    assert not make(code.replace("STATES", "gru.get_initial_state(2)")).notes
    assert any("read without states" in note for note in make(code.replace("STATES", "tf.ones((2, 4))")).notes)
