"""Files of weights alone, listed and held against a layer; the layers that wrote them say what is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rnnshape
from rnnshape.cli.answer import fitting
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import load
from rnnshape.reading.saved.weights_file import contents, make_against
from tests.shared.releases import legacy

HERE = Path(__file__).parent / "saved"


def _saved(path: Path, *layers: Any, channels: int = 5) -> str:
    keras = load().keras
    keras.Sequential([keras.Input((7, channels)), *layers]).save_weights(path)
    return str(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.weights.h5"


@pytest.mark.parametrize(
    "expression",
    [
        "LSTM(6)",
        "LSTM(6, use_bias=False)",
        "GRU(6)",
        "GRU(6, reset_after=False)",
        "GRU(6, use_bias=False)",
        "SimpleRNN(6)",
        "Bidirectional(LSTM(6))",
        "Bidirectional(GRU(6, reset_after=False))",
    ],
)
def test_each_class_is_told_by_its_weights_alone(expression: str, path: Path) -> None:
    layers = load().keras.layers
    layer = eval(expression, {}, vars(layers))  # noqa: S307  the lines above
    (group,) = contents(_saved(path, layer))
    assert group.could_be == f"{expression} on 5 channels"
    spec = make_against(str(path), expression)
    assert spec.input == (2, 3, 5)
    report = rnnshape.predict(spec)
    assert report.ok, report.disagreements
    assert report.file is not None
    assert [one.predicted for one in report.file.weights] == [tuple(one.shape) for one in layer.weights]


def test_gates_are_told_as_the_columns_that_keras_splits(path: Path) -> None:
    layer = load().keras.layers.LSTM(2)
    _saved(path, layer)
    (note,) = (one for one in make_against(str(path), "LSTM(2)").notes if "gates" in one)
    assert note == "the gates are columns of kernel, recurrent_kernel, bias: i [0:2], f [2:4], c [4:6], o [6:8]"
    # Keras begins with a forget gate of ones (``unit_forget_bias``), and zeros elsewhere.
    bias = layer.weights[2].numpy()
    assert (bias[2:4] == 1).all()
    assert (bias[:2] == 0).all()
    assert (bias[4:] == 0).all()


def test_what_does_not_fit_is_told_with_its_place(path: Path) -> None:
    _saved(path, load().keras.layers.LSTM(6))
    report = rnnshape.predict(make_against(str(path), "LSTM(7)"))
    assert report.exit_code == 1
    assert [(one.predicted, one.observed) for one in report.disagreements] == [
        ("(5, 28)", "(5, 24)"),
        ("(7, 28)", "(6, 24)"),
        ("(28,)", "(24,)"),
    ]


def test_an_input_that_is_given_is_not_changed(path: Path) -> None:
    _saved(path, load().keras.layers.LSTM(6))
    report = rnnshape.predict(make_against(str(path), "LSTM(6)", {"channels": 3}))
    assert [one.observed for one in report.disagreements] == ["(5, 24)"]


def test_a_stack_is_compared_layer_by_layer(path: Path) -> None:
    layers = load().keras.layers
    _saved(path, layers.LSTM(6, return_sequences=True), layers.LSTM(4), layers.Dense(2))
    good = make_against(str(path), "LSTM(6, return_sequences=True) | LSTM(4) | Dense(2)")
    assert rnnshape.predict(good).ok
    bad = rnnshape.predict(make_against(str(path), "LSTM(6, return_sequences=True) | LSTM(4) | Dense(3)"))
    assert {(one.predicted, one.observed) for one in bad.disagreements} == {("(4, 3)", "(4, 2)"), ("(3,)", "(2,)")}


def test_the_real_layer_of_the_expression_is_run_too(path: Path) -> None:
    _saved(path, load().keras.layers.GRU(6))
    report = rnnshape.explore(make_against(str(path), "GRU(6)"))
    assert report.ok
    assert report.observed is not None


def test_without_a_layer_the_weights_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(HERE / "encoder_decoder.weights.h5")
    assert fitting(file, None, {}) == 0
    assert "could be LSTM(4) on 3 channels" in capsys.readouterr().out
    assert fitting(file, None, {"format": "json"}) == 0
    data = json.loads(capsys.readouterr().out)
    assert [one["could_be"] for one in data["layers"]] == ["LSTM(4) on 4 channels", "LSTM(4) on 3 channels", None]
    assert data["layers"][0]["weights"][1] == {"name": "layers/lstm/cell/vars/1", "shape": [4, 16]}


def _with(path: Path, make: Any) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        make(h5py, file)


HOSTILE: dict[str, Any] = {
    "objects": lambda h5py, file: file.create_dataset("layers/lstm/vars/0", data=["a", "b"], dtype=h5py.string_dtype()),
    "references": lambda h5py, file: file.create_dataset("layers/lstm/vars/0", (3,), dtype=h5py.ref_dtype),
    "another file": lambda h5py, file: file.create_dataset(
        "layers/lstm/vars/0", (4,), "f4", external=[("/etc/passwd", 0, 16)]
    ),
    "a link to another file": lambda h5py, file: file.__setitem__("layers", h5py.ExternalLink("/etc/passwd", "/")),
    "a link to itself": lambda h5py, file: file.__setitem__("layers", h5py.SoftLink("/layers")),
    "nothing": lambda h5py, file: None,
    "names that are not there": lambda h5py, file: (
        file.attrs.__setitem__("layer_names", ["a"]),
        file.create_dataset("a/b", (3,)),
        file["a"].attrs.__setitem__("weight_names", ["../../x"]),
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_one_error(what: str, path: Path) -> None:
    _with(path, HOSTILE[what])
    with pytest.raises(Invalid) as caught:
        contents(str(path))
    (problem,) = caught.value.problems
    assert problem.message.startswith(f"{path}: ")
    assert "\n" not in problem.message
    assert [*path.parent.iterdir()] == [path]


def test_a_truncated_file_is_one_error(path: Path) -> None:
    data = (HERE / "encoder_decoder.weights.h5").read_bytes()
    for size in (0, 100, 2_000, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(Invalid, match=r"cannot be read|has no weights|is not an HDF5 file"):
            contents(str(path))


def test_an_array_of_any_size_is_listed_without_its_numbers(path: Path) -> None:
    """A terabyte that is not there: only shapes are read."""
    _with(path, lambda h5py, file: file.create_dataset("layers/lstm/cell/vars/0", (10**6, 10**6), chunks=True))
    (group,) = contents(str(path))
    assert group.weights == (("layers/lstm/cell/vars/0", (10**6, 10**6)),)


@legacy
def test_the_older_form_is_compared_in_the_order_of_the_layers(tmp_path: Path) -> None:
    import tf_keras

    layers, path = tf_keras.layers, tmp_path / "model.h5"
    layers.LSTM(2), layers.Dense(2)  # these take the names lstm and dense, or later ones
    of_file = [
        layers.Dense(6, name="z"),
        layers.LSTM(6),
        layers.Dropout(0.1),
        layers.Dense(6),
        layers.Dense(6, name="a"),
    ]
    tf_keras.Sequential([tf_keras.Input((7, 5)), *of_file]).save_weights(path)
    assert [group.name for group in contents(str(path))][::3] == ["z", "a"]
    fits = rnnshape.predict(make_against(str(path), "Dense(6) | LSTM(6) | Dropout(0.1) | Dense(6) | Dense(6)"))
    assert fits.ok, fits.disagreements
    assert fits.file is not None
    assert [one.stored.split("/")[0] for one in fits.file.weights if one.stored][::7] == ["z", "a"]
    (other,) = rnnshape.predict(make_against(str(path), "Dense(6) | LSTM(6) | Dense(6) | Dense(7)")).disagreements[::2]
    assert (other.predicted, other.observed) == ("(6, 7)", "(6, 6)")
    # The names say nothing of a part of the model: all weights are compared at once.
    assert rnnshape.predict(make_against(str(path), "Dense(6) | LSTM(6)", {"channels": 5})).ok


@pytest.mark.parametrize(
    "before", ["Masking()", "Dropout(0.2)", "Rescaling(0.5)", "MaxPooling1D(2)", "ZeroPadding1D(1)"]
)
def test_the_width_of_the_input_is_found_behind_layers_without_weights(before: str, path: Path) -> None:
    layers = load().keras.layers
    _saved(path, eval(before, {}, vars(layers)), layers.Identity(), layers.GRU(6))  # noqa: S307  the lines above
    report = rnnshape.predict(make_against(str(path), f"{before} | Identity() | GRU(6)"))
    assert (report.spec.input[-1], report.ok) == (5, True)
