"""Code for Keras 2, which returns lists: what is read agrees with the real layers of tf_keras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.reading import make, make_all
from rnnshape.render.code import program
from rnnshape.structure import leaves
from tests.shared.releases import legacy

pytestmark = legacy

INPUT = "x = Input((None, 5))\n"
PROGRAMS = [
    "y, s = GRU(4, return_state=True)(x)",
    "layer = SimpleRNN(4, return_state=True); y, s = layer(x)",
    "y, h, c = LSTM(4, return_state=True, return_sequences=True)(x)",
    "y, fh, fc, bh, bc = Bidirectional(LSTM(3, return_state=True))(x)",
    "forward, backward = Bidirectional(GRU(3), merge_mode=None)(x)",
    "y, s, t = RNN([GRUCell(2), GRUCell(3)], return_state=True)(x)",
    "y = RNN([GRUCell(4), LSTMCell(3)])(x, initial_state=[[a], [h, c]])",
    "y, h, c = ConvLSTM2D(4, 3, return_state=True)(Input((7, 8, 8, 3)))",
    "y, s = GRUCell(4)(x, h)",
    "y, s = GRUCell(4)(x, [h])",
    "y, s = LSTMCell(4)(x, [h, c])",
    "y, s = StackedRNNCells([GRUCell(4), LSTMCell(3)])(x, [[a], [h, c]])",
    "y, *states = LSTM(4, return_state=True)(x)\nz = LSTM(4)(other, initial_state=states)",
    f"{INPUT}y, h, c = LSTM(4, return_state=True, return_sequences=True)(x)\nz = LSTM(4)([y, h, c])",
    f"{INPUT}y, s = GRU(4, return_state=True)(x)\nmodel = Model(x, [y, s])",
    f"{INPUT}layer = GRU(4, return_state=True)\ny, s = layer(x, initial_state=layer.get_initial_state(x))",
    f"{INPUT}y, a, b = Bidirectional(GRU(4, return_state=True))(x)\nz = GRU(8)(x, initial_state=Concatenate()([a, b]))",
]


@pytest.mark.parametrize("code", PROGRAMS)
def test_the_real_layers_of_keras_2_agree(code: str) -> None:
    for spec in make_all(code, {"keras": "2"}):
        report = rnnshape.explore(spec)
        assert report.error is None
        assert report.agrees, report.disagreements
        assert not any("Keras 3" in note for note in spec.notes)


# Each has a model at the end.  The result of a call is a list, which may be passed on, changed and added.
MODELS = [
    "r = LSTM(4, return_state=True, return_sequences=True)(x)\nModel(x, LSTM(4, return_state=True)(r))",
    "Model(x, GRU(3)(GRU(3, return_state=True, return_sequences=True)(x)))",
    "r = Bidirectional(LSTM(2, return_state=True, return_sequences=True))(x)\nModel(x, Bidirectional(LSTM(2))(r))",
    "r = RNN([LSTMCell(4), GRUCell(5)], return_state=True, return_sequences=True)(x)\n"
    "Model(x, RNN([LSTMCell(4), GRUCell(5)])(r))",
    "y, *s = LSTM(4, return_state=True, return_sequences=True)(x)\nModel(x, LSTM(4)([y] + s))",
    "s = [Input((4,)), Input((4,))]\nModel([x, *s], LSTM(4)([x, *s]))",
    "Model(x, LSTM(4)([x]))",
    "Model(x, Add()(Bidirectional(LSTM(4), merge_mode=None)(x)))",
    "r = GRU(4, return_state=True)(x)\nModel(x, Concatenate()(r))",
    "r = GRU(4, return_state=True)(x)\nModel(x, concatenate(r))",
    "Model(x, Add()([LSTM(4)(x)]))",
    "r = LSTM(4, return_state=True, return_sequences=True)(x)\nModel(x, [GRU(3)(r[0])] + r[1:])",
    "r = LSTM(4, return_state=True)(x)\nr.append(x)\nModel(x, r)",
    "r = LSTM(4, return_state=True, return_sequences=True)(x)\nr.reverse()\nModel(x, r)",
    "r = LSTM(4, return_state=True)(x)\nr[0] = Dense(2)(r[0])\nModel(x, r)",
    "r = LSTM(4, return_state=True)(x)\nr.extend(GRU(3, return_state=True)(x))\nModel(x, r)",
    "r = LSTM(4, return_state=True)(x)\nr += GRU(3, return_state=True)(x)\nModel(x, r)",
    "r = LSTM(4, return_state=True)(x)\ndel r[0]\nModel(x, r)",
    "y, s = x, []\nfor n in (4, 5):\n    r = LSTM(n, return_sequences=True, return_state=True)(y)\n"
    "    y = r[0]\n    s += r[1:]\nModel(x, [y] + s)",
    "Sequential([SpatialDropout1D(0.2, input_shape=(6, 5), trainable=False), GRU(3, seed=1)])",
    "Model(x, RNN(SimpleRNNCell(4, seed=1))(x))",
]


@pytest.mark.parametrize("code", MODELS)
def test_a_model_returns_what_that_of_keras_2_returns(code: str) -> None:
    keras: Any = import_module("tf_keras")
    names: dict[str, Any] = {**vars(keras.layers), "Model": keras.Model, "Sequential": keras.Sequential}
    *lines, last = f"x = Input((6, 5))\n{code}".splitlines()
    exec("\n".join([*lines, f"model = {last}"]), names)  # noqa: S102  code of this test
    real = names["model"].outputs
    *_, spec = make_all("\n".join([*lines, f"model = {last}"]), {"keras": "2"})
    report = rnnshape.explore(spec)
    assert report.ok, (report.error, report.disagreements)
    assert [leaf.shape[1:] for leaf in leaves(report.predicted)] == [tuple(one.shape[1:]) for one in real]


@pytest.mark.parametrize(
    "code",
    [
        "r = LSTM(4, return_state=True, return_sequences=True)(x)\ny = LSTM(4)(r, initial_state=r[1:])",
        "y, s = GRU(4, return_state=True, return_sequences=True)(x)\nz = GRU(5)([y] + [s])",
        "y = Dense(4)(GRU(4, return_state=True, return_sequences=True)(x))",
        "y = GRU(4)(Bidirectional(GRU(2, return_sequences=True), merge_mode=None)(Input((6, 5))))",
        "y = LSTM(4, return_sequences=True)(x)\nz = Attention()((y, y))",
        "y = Add()(x)",
        "y = SimpleRNN(4, seed=1)(x)",
    ],
)
def test_what_keras_2_rejects(code: str) -> None:
    keras: Any = import_module("tf_keras")
    with pytest.raises((ValueError, TypeError, AssertionError)):
        exec(INPUT + code, {**vars(keras.layers)})  # noqa: S102  code of this test
    with pytest.raises(Invalid):
        make_all(INPUT + code, {"keras": "2"})


@pytest.mark.parametrize("passed", ["tf.zeros((2, 4))", "[tf.zeros((2, 4))]"])
@pytest.mark.parametrize("keras", ["2", "3.15"])
def test_the_state_of_a_cell_in_another_form_is_noted(passed: str, keras: str) -> None:
    spec = make(f"y = GRUCell(4)(tf.zeros((2, 5)), {passed})", {"keras": keras})
    noted = any("is returned as" in note or "as it is passed" in note for note in spec.notes)
    assert noted is (passed.startswith("[") is (keras == "2"))


def test_keras_2_takes_input_length_for_recurrent_layers_only() -> None:
    for layer, rejects in (("Dense(3, input_length=6)", True), ("GRU(3, input_length=6)", False)):
        notes = make(layer, {"keras": "2"}).notes
        assert any("input_length" in note for note in notes) is rejects


def test_get_initial_state_of_a_layer_takes_the_input() -> None:
    code = "y = layer(x, initial_state=layer.get_initial_state(batch_size=2))"
    *_, spec = make_all(f"layer = GRU(4)\n{INPUT}{code}", {"keras": "2"})
    assert any("takes the input in Keras 2" in note for note in spec.notes)


def test_states_of_another_rank_in_an_unknown_length_are_noted() -> None:
    code = f"{INPUT}y = GRU(4)(Bidirectional(GRU(2, return_sequences=True), merge_mode=None)(x))"
    assert any("not followed" in note for spec in make_all(code, {"keras": "2"}) for note in spec.notes)


CHANGED = [
    "r.append(x)",
    "r.reverse()",
    "r[0] = x",
    "del r[0]",
    "s = [x] + r[1:]",
    "s = r + [x]",
]


@pytest.mark.parametrize("line", CHANGED)
def test_what_only_a_list_has_is_noted_in_keras_3(line: str) -> None:
    code = f"{INPUT}r = LSTM(4, return_state=True)(x)\n{line}"
    notes = {keras: {*make_all(code, {"keras": keras})[0].notes} for keras in ("2", "3.15")}
    assert not any("tuple" in note for note in notes["2"])
    assert any("tuple" in note for note in notes["3.15"])
    made_a_list = code.replace("LSTM(4, return_state=True)(x)", "list(LSTM(4, return_state=True)(x))")
    assert not any("tuple" in note for note in make_all(made_a_list, {"keras": "3.15"})[0].notes)


def test_keras_3_takes_no_list_with_states() -> None:
    with pytest.raises(Invalid, match="Keras 3 takes one tensor as the input"):
        make_all(f"{INPUT}y, *s = GRU(4, return_state=True, return_sequences=True)(x)\nz = GRU(4)([y] + s)")


@pytest.mark.parametrize(
    "code",
    [
        "y, s = GRU(4, return_state=True)(x)\nz, t = GRUCell(4)(y, [s])",
        "y, h, c = LSTM(4, return_state=True)(x)\nz, t = LSTMCell(4)(y, [h, c])\nw = Dense(2)(t[0])",
        "y = LSTM(4, return_sequences=True)(x)\nz = GRU(3)(tf.concat([y, y], -1))",
        "z = LSTM(4)(LSTM(4, return_state=True, return_sequences=True)(x))",
    ],
)
def test_the_program_of_wired_calls_runs_under_keras_2(code: str) -> None:
    *_, spec = make_all(f"x = Input((6, 5))\n{code}", {"keras": "2"})
    report = rnnshape.explore(spec)
    assert report.ok, (report.error, report.disagreements)
    ran: dict[str, Any] = {}
    exec("\n".join(program(report)), ran)  # noqa: S102  rnnshape wrote it
    assert ran["keras"].__name__ == "tf_keras"
    *_, last = report.flow
    name = last.expression.partition(" = ")[0].split(",")[0].strip()
    assert tuple(ran[name].shape) == next(leaves(last.structure)).shape


def test_keras_2_takes_no_tuple_with_states() -> None:
    with pytest.raises(Invalid, match="Keras 2 takes a list here, not a tuple"):
        make("LSTM(4)((x, h, c))", {"keras": "2"})
