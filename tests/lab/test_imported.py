"""Custom classes, from the modules of ``--import``: the lab builds them, and theory has no rule for them."""

from __future__ import annotations

import json
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.errors import Invalid, RnnshapeError
from rnnshape.reading import make, make_all
from rnnshape.spec.data import to_data
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

CODE = """
import keras
from keras import ops

print("a line that is no part of the answer")


class OwnCell(keras.layers.Layer):
    def __init__(self, units, activation="tanh", **kwargs):
        super().__init__(**kwargs)
        if units == 13:
            raise ValueError("units must not be 13")
        self.units = self.state_size = units
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units))

    def call(self, x, states, training=False):
        if self.units == 14:
            x = ops.reshape(x, (1, -1))
        h = self.activation(ops.matmul(x, self.kernel) + states[0])
        return h, [h]


@keras.saving.register_keras_serializable()
class OwnLayer(keras.layers.Layer):
    def __init__(self, units, return_sequences=True, go_backwards=False, return_state=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.return_sequences = units, return_sequences
        self.go_backwards, self.return_state, self.stateful = go_backwards, return_state, False
        self.inner = keras.layers.GRU(units, return_sequences=return_sequences, go_backwards=go_backwards)

    def call(self, x, initial_state=None, mask=None, training=None):
        return self.inner(x)

    def get_config(self):
        own = {"units": self.units, "return_sequences": self.return_sequences, "go_backwards": self.go_backwards}
        return {**super().get_config(), **own}


class Both(keras.layers.Layer):
    def call(self, tensors):
        return tensors[0] + tensors[1], tensors[0][:, -1]


class OwnLSTM(keras.layers.LSTM):
    pass


class Returns(keras.layers.Layer):
    def __init__(self, what):
        super().__init__()
        self.what = what

    def call(self, x):
        return {"dict": {"a": x}, "None": (x, None), "int": 3, "nothing": ()}[self.what]
"""
OWN: dict[str, Any] = {"import": "own_layers"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_layers.py").write_text(CODE)
    (tmp_path / "own_broken.py").write_text("x = 1 / 0\n")
    (tmp_path / "own_exit.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "own_layers", raising=False)


def roles(report: rnnshape.Report) -> dict[str, tuple[int, ...]]:
    return {tensor.role: tensor.shape for tensor in leaves(report.structure)}


def test_a_cell_of_ones_own_is_observed_and_has_no_verdict() -> None:
    report = rnnshape.explore("RNN(OwnCell(8), return_sequences=True, return_state=True)", **OWN)
    assert roles(report) == {"output": (2, 3, 8), "state_0": (2, 8)}
    assert (report.agrees, report.ok, report.exit_code, report.params) == (None, True, 0, 4 * 8)
    assert [(check.check, check.guaranteed, check.holds) for check in report.checks] == [
        ("output[:, -1] == state_0", False, True)
    ]
    assert report.to_dict()["unruled"] == ["OwnCell"]


def test_a_kind_of_lstm_is_no_cell_and_takes_a_mask() -> None:
    options: dict[str, Any] = {**OWN, "mask": "right:3,2"}
    report = rnnshape.explore("OwnLSTM(5, return_sequences=True, return_state=True)", **options)
    assert roles(report) == {"output": (2, 3, 5), "state_0": (2, 5), "state_1": (2, 5)}
    output, state, _ = report.values
    assert (output[1, 2] == output[1, 1]).all()
    assert (output[1, 1] == state[1]).all()
    with pytest.raises(RnnshapeError, match="unexpected keyword argument 'mask'"):
        rnnshape.explore("Returns('dict')", **options)


@pytest.mark.parametrize(
    ("what", "said"),
    [("dict", "a dict as y"), ("None", r"None as y\[1\]"), ("int", "an int as y"), ("nothing", r"\(\), and no tensor")],
)
def test_what_is_no_tensor_is_one_error(what: str, said: str, run: Callable[..., Ran]) -> None:
    with pytest.raises(RnnshapeError, match=f"the call returns {said}"):
        rnnshape.explore(f"Returns('{what}')", **OWN)
    assert run("show", f"Returns('{what}')", "--import", "own_layers").code == 2


def test_only_equalities_of_the_real_tensors_are_shown() -> None:
    report = rnnshape.explore("RNN(OwnCell(8), return_sequences=True, return_state=True, go_backwards=True)", **OWN)
    assert "output[:, 0] == state_0" not in [check.check for check in report.checks]


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("OwnLayer(5)", (2, 3, 5)),
        ("Bidirectional(OwnLayer(5))", (2, 3, 10)),
        ("TimeDistributed(OwnLayer(5)) | Flatten()", (2, 3 * 5 * 5)),
        ("LSTM(8, return_sequences=True) | OwnLayer(5) | Dense(1)", (2, 3, 1)),
        ("cell = OwnCell(units)\nlayer = RNN(cell)\nunits = 6", None),
    ],
)
def test_it_is_allowed_wherever_a_layer_is(code: str, shape: tuple[int, ...] | None) -> None:
    options = {"input": (2, 3, 5, 4)} if code.startswith("TimeD") else {}
    report = rnnshape.explore(make(code, {**OWN, **options}))
    assert report.ok
    assert shape is None or roles(report) == {"output": shape}


def test_wired_calls_keep_their_names_and_theory_answers_the_calls_before() -> None:
    code = "x = Input((5, 4))\ns = LSTM(8, return_sequences=True)(x)\na, b = Both()([s, s])\ny = Dense(2)(b)\no = Adam(1e-3)"
    (spec,) = make_all(code, OWN)
    report = rnnshape.explore(spec)
    told = {tensor.role: tensor.symbolic for part in report.flow for tensor in leaves(part.observed or part.predicted)}
    assert told == {"s": ("N", "T", "H1"), "a": ("2", "5", "8"), "b": ("2", "8"), "y": ("2", "2")}
    assert report.agrees is None


def test_the_run_reads_back_and_travels_to_another_process() -> None:
    spec = make("RNN(OwnCell(8, activation=tf.nn.relu))", OWN)
    data = to_data(spec)
    assert (data["layer"], data["import"]) == ("RNN(OwnCell(8, activation='relu'))", ["own_layers"])
    assert make(data.pop("layer"), {**data, "import": tuple(data["import"]), "input": tuple(data["input"])}) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301  it is our own


@pytest.mark.parametrize(
    ("code", "module", "message"),
    [
        ("RNN(OwnCell(13))", "own_layers", "your code raises ValueError: units must not be 13 (own_layers.py, line 12"),
        ("RNN(OwnCell(14))", "own_layers", "(own_layers.py, line 22, in call)"),
        ("RNN(OwnCel(8))", "own_layers", "there is no class OwnCel (did you mean 'OwnCell'?)"),
        ("RNN(OwnCell(8))", "own_missing", "there is no module own_missing"),
        ("RNN(OwnCell(8))", "own_broken", "ZeroDivisionError: division by zero (own_broken.py, line 1"),
        ("RNN(OwnCell(8))", "own_exit", "SystemExit: 3 (own_exit.py, line 2"),
        ("OwnCell(8)", "own_layers", "OwnCell is a cell, which computes one step: write RNN(OwnCell(8))"),
    ],
)
def test_a_mistake_in_ones_own_code_is_one_error_with_its_line(
    code: str, module: str, message: str, run: Callable[..., Ran]
) -> None:
    ran = run("show", code, "--import", module)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert "bug of rnnshape" not in ran.err


def test_what_the_module_prints_is_no_part_of_the_answer(run: Callable[..., Ran]) -> None:
    ran = run("show", "RNN(OwnCell(8))", "--import", "own_layers", "--format", "json")
    assert json.loads(ran.out)["ok"] is True


def test_every_part_of_the_view_can_be_asked_for(run: Callable[..., Ran]) -> None:
    parts = ("--diagram", "--cost", "--weights", "--cudnn", "--values")
    ran = run("show", "RNN(OwnCell(8))", "--import", "own_layers", *parts)
    assert ran.code == 0
    assert "error" not in ran.err
    assert "No diagram: theory has no rule for OwnCell." in ran.out


def test_the_program_imports_the_class(run: Callable[..., Ran]) -> None:
    ran = run("show", "RNN(OwnCell(8))", "--import", "own_layers", "--format", "code")
    assert "from own_layers import OwnCell\n" in ran.out
    assert "keras.layers.RNN(OwnCell(8))" in ran.out


@pytest.mark.parametrize("options", [{}, OWN])
def test_without_the_lab_no_module_is_imported(options: dict[str, Any]) -> None:
    with pytest.raises(RnnshapeError):
        rnnshape.predict("RNN(OwnCell(8))", **options)
    assert "own_layers" not in sys.modules


def test_theory_alone_says_that_it_has_no_rule() -> None:
    with pytest.raises(RnnshapeError, match="theory has no rule for OwnCell"):
        rnnshape.predict("RNN(OwnCell(8))", **OWN)


@pytest.mark.parametrize("code", ["RNN(OwnCell(8))", "cell = OwnCell(8)\nlayer = RNN(cell)"])
def test_without_import_the_class_is_named_with_the_hint(code: str) -> None:
    with pytest.raises(Invalid, match=r"unknown layer OwnCell.*--import MODULE"):
        make(code)


@pytest.mark.parametrize("code", ["LSTM(8) | CRF(3) | Dense(1)", "Sequential([LSTM(8), CRF(3)])"])
def test_without_import_the_layers_before_it_are_answered(code: str) -> None:
    spec = make(code)
    assert [layer.text for layer in spec.layer.in_turn] == ["LSTM(8)"]
    assert any("CRF is not known" in note and "--import" in note for note in spec.notes)


@pytest.mark.parametrize(
    ("option", "value"), [("initial_state", "zeros"), ("calls", 2), ("into", "GRU(8)"), ("masking", 0.0)]
)
def test_an_option_that_needs_a_rule_is_one_error(option: str, value: object) -> None:
    with pytest.raises(Invalid, match="needs theory, which has no rule for OwnCell"):
        make("RNN(OwnCell(8))", {**OWN, option: value})
    with pytest.raises(Invalid) as alone:
        make("OwnLSTM(8)", {**OWN, option: value})
    assert [problem.message for problem in alone.value.problems] == ["needs theory, which has no rule for OwnLSTM"]


def test_a_contract_is_held_against_what_is_observed() -> None:
    met = rnnshape.explore("RNN(OwnCell(8))", **OWN, expect={"output": ["N", 8], "params": 32})
    unmet = rnnshape.explore("RNN(OwnCell(8))", **OWN, expect={"output": ["N", 9]})
    assert (met.ok, unmet.ok) == (True, False)
    for verdict in ("eligible", "ineligible"):
        report = rnnshape.explore("OwnLSTM(8)", **OWN, expect={"cudnn": verdict})
        assert [(one.got, one.met) for one in report.expectations] == [("theory has no rule for it", None)]
