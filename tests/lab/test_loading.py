"""Which saved files the lab passes to Keras, and which it does not."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import load
from rnnshape.reading.saved.model import make_saved
from rnnshape.versions import legacy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(legacy(), reason="the files are of Keras 3")


def _keras() -> Any:
    return load().keras


def _stack(*layers: Any) -> Any:
    return _keras().Sequential([_keras().Input((5, 4)), *layers])


def _report(path: Path, **options: Any) -> Any:
    (spec,) = make_saved(str(path), options)
    return rnnshape.explore(spec)


def _rewritten(path: Path, change: Any, **more: bytes) -> None:
    """Rewrite the archive with another config and more members."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (*parts.items(), *more.items()):
            archive.writestr(name, data)


def test_the_weights_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    layers = _keras().layers
    model = _stack(layers.LSTM(3, return_sequences=True), layers.Dense(2))
    model.layers[1].set_weights([np.zeros((3, 2)), np.array([5.0, 7.0])])
    model.save(path)
    report = _report(path)
    assert report.ok
    assert report.file.apart == 0
    assert (report.values[0] == np.array([5, 7], "float32")).all()


def test_a_model_that_returns_something_else_than_its_layers_is_a_disagreement() -> None:
    from rnnshape.report.stored import Stored

    file = Stored("model.keras", (), apart=0.5)
    assert [one.observed for one in file.disagreements()] == ["max difference 0.5"]
    assert not [*Stored("model.keras", (), apart=0.0).disagreements()]


def test_a_lambda_is_reported_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    layers = _keras().layers
    _stack(layers.LSTM(3, return_sequences=True), layers.Lambda(lambda x: x + 1, name="more"), layers.LSTM(2)).save(
        path
    )
    report = _report(path)
    assert report.ok
    assert report.expression.startswith("LSTM(3, return_sequences=True, name=")
    assert "the file is not loaded because of more, a Lambda: the answer ends before it" in report.notes


OWN = """
import keras

print("the module runs")

class Doubled(keras.layers.Layer):
    def __init__(self, factor=2.0, **more):
        super().__init__(**more)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model with a class of a custom module, which is not imported yet."""
    (tmp_path / "doubling.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.keras"
    layers = _keras().layers
    _stack(layers.LSTM(3, return_sequences=True), layers.Activation("relu", name="own"), layers.LSTM(2)).save(path)

    def change(config: dict[str, Any]) -> None:
        (layer,) = (one for one in config["config"]["layers"] if one["config"]["name"] == "own")
        layer |= {"module": "doubling", "class_name": "Doubled", "registered_name": "Doubled"}
        layer["config"] = {"name": "own", "factor": 3.0}

    _rewritten(path, change)
    return path


def test_a_class_of_ones_own_is_not_imported_unasked(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = _report(own)
    assert report.ok
    assert any(
        note.startswith("the file is not loaded because of own, doubling.Doubled (--import") for note in report.notes
    )
    assert "the module runs" not in "".join(capfd.readouterr())


def test_import_loads_a_class_of_ones_own(own: Path) -> None:
    report = _report(own, **{"import": "doubling"})
    assert report.unruled == ("Custom_doubling_Doubled",)
    assert report.observed.shape == (2, 2)
    # The second layer is the real one of the file.
    assert [part.observed.shape for part in report.flow] == [(2, 5, 3), (2, 5, 3), (2, 2)]


def test_a_class_that_the_module_does_not_have_is_an_error(own: Path) -> None:
    (own.parent / "empty_one.py").write_text("", encoding="utf-8")
    (spec,) = make_saved(str(own), {"import": "empty_one"})
    with pytest.raises(rnnshape.RnnshapeError, match="--import empty_one: there is no class Doubled"):
        rnnshape.explore(spec)


GADGETS: dict[str, dict[str, Any]] = {
    "a function of the system": {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "system",
    },
    "a function of Keras": {
        "module": "keras.utils",
        "class_name": "function",
        "config": "get_file",
        "registered_name": "get_file",
    },
    "a class of a module": {"module": "antigravity", "class_name": "Popen", "config": {}, "registered_name": "Popen"},
    "a lambda": {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}},
    "an object without a class": {"module": "os", "config": "system", "registered_name": "x"},
}


@pytest.mark.parametrize("what", GADGETS)
@pytest.mark.parametrize("argument", ["activation", "kernel_initializer", "kernel_regularizer", "unknown_argument"])
def test_a_config_that_names_what_is_not_of_keras_is_never_loaded(what: str, argument: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    layers = _keras().layers
    _stack(layers.LSTM(3, return_sequences=True), layers.Dense(2, name="last")).save(path)

    def change(config: dict[str, Any]) -> None:
        (layer,) = (one for one in config["config"]["layers"] if one["config"]["name"] == "last")
        layer["config"][argument] = GADGETS[what]

    _rewritten(path, change)
    try:
        (spec,) = make_saved(str(path))
    except Invalid as error:  # the argument does not take this value
        assert all(problem.message.startswith(f"{path}: ") for problem in error.problems)
    else:
        assert spec.saved is not None
        assert not spec.saved.loads
        assert any("not loaded because of last, " in note for note in spec.notes)


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "assets/x.txt"])
def test_an_archive_with_other_members_is_not_handed_to_keras(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    _stack(_keras().layers.LSTM(3)).save(path)
    _rewritten(path, lambda config: None, **{name: b"outside"})
    report = _report(path)
    assert report.ok
    assert f"the file is not loaded because Keras would unpack {name} from it" in report.notes
    assert not (tmp_path.parent / "outside.txt").exists()


def test_models_that_call_models_do_not_multiply_without_end(tmp_path: Path) -> None:
    """Thirty models, each calling the next one twice: a thousand million calls, in 20 KB."""
    config: dict[str, Any] = {}
    for number in range(30):
        start = {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 5, 4]}, "inbound_nodes": []}
        calls = [[["x", 0, 0, {}]], [["inner", 0, 0, {}]]]
        inner = {"name": "inner", "inbound_nodes": calls, **config} if config else None
        config = {
            "class_name": "Functional",
            "config": {
                "name": f"model_{number}",
                "layers": [start, *([inner] if inner else [])],
                "input_layers": [["x", 0, 0]],
                "output_layers": [["inner", 1, 0] if inner else ["x", 0, 0]],
            },
        }
    path = tmp_path / "model.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(Invalid, match="more than 10,000 layers and calls"):
        make_saved(str(path))


def test_a_mistake_names_the_file_and_the_layer_and_no_code(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    _stack(_keras().layers.LSTM(3, name="reader")).save(path)

    def change(config: dict[str, Any]) -> None:
        (layer,) = (one for one in config["config"]["layers"] if one["config"]["name"] == "reader")
        layer["config"]["units"] = -3

    _rewritten(path, change)
    with pytest.raises(Invalid) as caught:
        make_saved(str(path))
    (problem,) = caught.value.problems
    assert problem.message == f"{path}: layer reader: units must be a whole number, 1 or more"
    assert problem.span is None
    assert caught.value.text is None
