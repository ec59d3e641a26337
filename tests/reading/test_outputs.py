"""The outputs of a model: the answer has the containers that the real ``keras.Model`` returns."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rnnshape
from rnnshape.lab.tensorflow import keras
from rnnshape.layers.graph import TAKES_NESTED
from rnnshape.reading import make, make_all
from rnnshape.reading.saved.model import make_saved
from rnnshape.structure import Tensor, describe, leaves, same
from tests.shared.releases import legacy

if TYPE_CHECKING:
    from pathlib import Path

    from rnnshape.structure import Structure

CODE = "x = Input((5, 3))\nr = LSTM(4, return_state=True)(x)\no, h, c = r\nmodel = Model(x, OUTPUTS)"
FLAT = ["o", "[o]", "(o,)", "[o, h]", "(o, h)", "[o, *r]", "(x, o)"]
NESTED = [
    "[[o]]", "[(o,)]", "(o, [h, c])", "[o, (h, c)]", "[[o, h]]", "([o], h)", "[r]", "(o, r)", "[o, (x, [h, [c]])]",
]  # fmt: skip
TAKEN = [*FLAT, *(NESTED if TAKES_NESTED.made else ())]
"""The outputs that the installed release takes."""
IN_CONFIG = TAKEN if TAKES_NESTED.made else [one for one in FLAT if "(" not in one]
"""The outputs whose containers are in the config of the model: before Keras 3.4, a tuple is a list there."""
IN_FILE = [one for one in TAKEN if one not in ("[[o]]", "[(o,)]")]
"""The outputs whose containers every release loads again: Keras 3.8 removes two lists around a single tensor."""


def real(outputs: str, library: str) -> Any:
    """The model of the code, in Keras 3 or Keras 2."""
    module = import_module(library)
    there = {"Input": module.Input, "Model": module.Model, "LSTM": module.layers.LSTM}
    exec(CODE.replace("OUTPUTS", outputs), there)  # noqa: S102  our own code
    return there["model"]


def returned(model: Any) -> Structure:
    def tensor(value: Any, path: str) -> Tensor:
        return Tensor("", path, tuple(value.shape), (), value.dtype.name)

    return describe(model(np.zeros((2, 5, 3), "float32")), tensor)


@pytest.mark.parametrize("outputs", TAKEN)
def test_a_model_returns_its_outputs_in_the_containers_of_the_code(outputs: str) -> None:
    spec = make(CODE.replace("OUTPUTS", outputs))
    report = rnnshape.explore(spec)
    assert report.ok
    assert report.observed is not None
    assert not spec.notes
    assert same(returned(real(outputs, "keras")), report.observed)


@legacy
@pytest.mark.parametrize("outputs", [*FLAT, *NESTED])
def test_a_model_of_keras_2_returns_its_outputs_in_the_containers_of_the_code(outputs: str) -> None:
    spec = make(CODE.replace("OUTPUTS", outputs), {"keras": "2"})
    report = rnnshape.explore(spec)
    assert report.ok
    assert report.observed is not None
    assert same(returned(real(outputs, "tf_keras")), report.observed)


@pytest.mark.parametrize("outputs", [*IN_FILE, "{'b': o, 'a': h}", "{'b': o}"])
def test_a_saved_model_returns_its_outputs_in_lists_within_lists(outputs: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    real(outputs, "keras").save(path)
    (spec,) = make_saved(str(path))
    report = rnnshape.explore(spec)
    assert report.ok
    assert report.observed is not None
    loaded = keras().models.load_model(path)
    if "{" not in outputs:
        assert same(returned(loaded), report.observed)


@pytest.mark.parametrize("outputs", IN_CONFIG)
def test_a_model_that_is_given_returns_its_own_containers(outputs: str) -> None:
    model = real(outputs, "keras")
    report = rnnshape.explore(model)
    assert report.ok
    assert report.observed is not None
    assert same(returned(model), report.observed)


def test_the_values_of_a_dictionary_of_outputs_are_a_list() -> None:
    spec = make(CODE.replace("OUTPUTS", "{'b': o, 'a': h}"))
    report = rnnshape.explore(spec)
    assert report.ok
    assert [tensor.shape for tensor in leaves(report.predicted)] == [(2, 4), (2, 4)]
    assert spec.notes == ("line 4: the model returns a dictionary, {'b': o, 'a': h}; here its values are a list",)


BODY = "y, h, c = lstm(x)\n        z = dense(y)\n        return "
FUNCTION = "lstm = LSTM(4, return_state=True); dense = Dense(2)\nif True:\n    def f(x):\n        " + BODY
CLASS = (
    "class Encoder(Model):\n    def __init__(self):\n        self.lstm = LSTM(4, return_state=True)\n"
    "        self.dense = Dense(2)\n    def call(self, x):\n        " + BODY.replace("lstm", "self.lstm")
).replace("dense(y)", "self.dense(y)")


@pytest.mark.parametrize("code", [FUNCTION, CLASS])
@pytest.mark.parametrize("outputs", ["z, h", "z, [h, c]", "[z, (h, c)]", "z, c, x", "y, h, c"])
def test_a_function_or_a_method_returns_what_its_code_returns(code: str, outputs: str) -> None:
    (spec,) = make_all(f"{code}{outputs}")
    report = rnnshape.explore(spec)
    assert report.ok
    lstm, dense = keras().layers.LSTM(4, return_state=True), keras().layers.Dense(2)
    there: dict[str, Any] = {"lstm": lstm, "dense": dense}
    exec(FUNCTION.partition("\n")[2] + outputs, there)  # noqa: S102  our own code
    assert report.observed is not None
    x = np.zeros(spec.input, "float32")
    assert same(returned(lambda _: there["f"](x)), report.observed)


@pytest.mark.parametrize("outputs", ["z", "[z]", "unknown(z), h", "{'z': z}"])
def test_a_function_without_several_known_outputs_is_answered_by_its_last_call(outputs: str) -> None:
    (spec,) = make_all(f"{FUNCTION}{outputs}")
    assert "Model(" not in spec.layer.text


def test_old_releases_reject_nested_outputs() -> None:
    code = CODE.replace("OUTPUTS", "(o, [h, c])")
    why = "line 4: this release of Keras rejects outputs in nested containers, (o, [h, c])"
    assert why in make(code, {"keras": "3.3"}).notes
    assert why not in make(code, {"keras": "3.4"}).notes
    assert why not in make(code, {"keras": "2"}).notes


SEVERAL = (
    "x = Input((5, 3))\na = LSTM(4, return_sequences=True)(x)\nb = GRU(2, return_sequences=True)(x)\n"
    "inner = Model(x, [a, b])\n"
)


@pytest.mark.parametrize(
    ("line", "shapes"),
    [
        ("model = Sequential([inner])", [(2, 5, 4), (2, 5, 2)]),
        ("model = Sequential([inner, Concatenate()])", [(2, 5, 6)]),
        ("model = Sequential()\nmodel.add(inner)\nmodel.add(Concatenate())\nmodel.add(GRU(7))", [(2, 7)]),
        ("y = Concatenate()(inner(x))", [(2, 5, 6)]),
    ],
)
def test_a_layer_after_a_model_gets_all_its_outputs(line: str, shapes: list[tuple[int, ...]]) -> None:
    report = rnnshape.explore(make(SEVERAL + line))
    assert report.ok
    assert report.observed is not None
    assert [leaf.shape for leaf in leaves(report.observed)] == shapes


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("model = Sequential([inner, Dense(3)])", "the result of the layer before"),
        ("model = Sequential([inner, LSTM(3)])", "the result of the layer before"),
        ("model = Sequential()\nmodel.add(inner)\nmodel.add(Dense(1))", "the result of the layer before"),
        ("y = Dense(1)(inner(x))", "inner(x)"),
        ("z = inner(x)\ny = GRU(1)(z)", "z"),
    ],
)
def test_a_layer_that_takes_one_tensor_is_not_called_on_several_outputs(line: str, what: str) -> None:
    with pytest.raises(rnnshape.Invalid) as caught:
        make_all(SEVERAL + line)
    assert [problem.message.partition(", but")[0] for problem in caught.value.problems] == [f"{what} is a list of 2"]
