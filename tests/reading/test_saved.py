"""Saved and live models: their answer is that of the model itself, whatever Keras wrote the file."""

from __future__ import annotations

import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import load
from rnnshape.layers import release
from rnnshape.reading.saved.config import code
from rnnshape.reading.saved.model import make_saved
from rnnshape.structure import leaves
from tests.shared.releases import legacy, since
from tests.shared.sampling import some

if TYPE_CHECKING:
    from pathlib import Path


def _sequential(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((None, 4)),
            layers.LSTM(8, return_sequences=True, name="first", kernel_regularizer="l2"),
            layers.Bidirectional(layers.GRU(3, recurrent_initializer="zeros"), name="both"),
            layers.Dense(2, activation="softmax"),
        ]
    )


def _functional(keras: Any) -> Any:
    layers = keras.layers
    x, z = keras.Input((5, 4), name="source"), keras.Input((None, 6), name="target")
    output, *states = layers.LSTM(8, return_state=True)(x)
    decoded = layers.LSTM(8, return_sequences=True)(z, initial_state=states)
    shared = layers.Dense(3)
    joined = layers.Concatenate()([layers.SimpleRNN(3)(decoded), output])
    return keras.Model([x, z], [shared(decoded), shared(output), joined])


def _nested(keras: Any) -> Any:
    x = keras.Input((7, 4))
    inner = _sequential(keras)
    return keras.Model(x, keras.layers.Add()([inner(x), inner(x)]))


def _within_sequential(keras: Any) -> Any:
    x = keras.Input((7, 4))
    inner = keras.Model(x, keras.layers.GRU(5, return_sequences=True)(x))
    return keras.Sequential([keras.Input((7, 4)), inner, keras.layers.LSTM(2)])


def _attending(keras: Any) -> Any:
    """Its config has the axes that MultiHeadAttention works out when it is built."""
    x = keras.Input((7, 4))
    heads = keras.layers.MultiHeadAttention(2, 3)
    return keras.Model(x, keras.layers.GRU(5)(heads(keras.layers.LSTM(4, return_sequences=True)(x), x)))


def _stacked(keras: Any) -> Any:
    """Keras counts the states of the cells one by one, and returns them nested."""
    x = keras.Input((5, 4))
    layers = keras.layers
    return keras.Model(x, layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], return_state=True)(x))


def _named(keras: Any) -> Any:
    x = keras.Input((5, 4))
    return keras.Model(x, {"last": keras.layers.LSTM(3)(x)})


def _distributed(keras: Any) -> Any:
    layers = keras.layers
    inner = [keras.Input((8, 8, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Flatten()]
    each = layers.TimeDistributed(keras.Sequential(inner))
    return keras.Sequential([keras.Input((4, 8, 8, 1)), each, layers.LSTM(2)])


MODELS = [_sequential, _functional, _nested, _within_sequential, _attending, _stacked, _named, _distributed]
KERAS = ["3", pytest.param("2", marks=legacy)]


def _keras(release: str) -> Any:
    return pytest.importorskip("tf_keras") if release == "2" else load().keras


def _shapes(model: Any) -> list[tuple[int, ...]]:
    """The shapes that the real model returns for two samples; a size that it leaves open is that of the tool."""
    inputs = [load().zeros([2, *(size or 5 for size in tensor.shape[1:])]) for tensor in model.inputs]
    returned = model(inputs if len(inputs) > 1 else inputs[0])
    return [tuple(tensor.shape) for tensor in load().nest.flatten(returned)]


@pytest.mark.parametrize("ending", [".keras", ".h5", ".json"])
@pytest.mark.parametrize("release", KERAS)
@pytest.mark.parametrize("make", some(MODELS, 3))
@pytest.mark.filterwarnings("ignore")
def test_a_saved_model_returns_what_the_model_itself_returns(
    make: Any, release: str, ending: str, tmp_path: Path
) -> None:
    model = make(_keras(release))
    path = tmp_path / f"model{ending}"
    if ending == ".json":
        path.write_text(model.to_json(), encoding="utf-8")
    else:
        model.save(path)
    (spec,) = make_saved(str(path), {"time": 5} if make is _sequential else {})
    report = rnnshape.explore(spec)
    assert report.ok, report.error
    assert report.agrees
    assert report.params == model.count_params()
    assert [leaf.shape for leaf in leaves(report.predicted)] == _shapes(model)
    assert (spec.keras == "2") is (release == "2")
    if ending == ".json":
        assert report.file is None
    else:
        assert report.file is not None
        assert len(report.file.weights) == len(model.weights)
        # The model in the file was called, and its layers one by one.
        assert report.file.apart == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("release", KERAS)
@pytest.mark.parametrize("make", some(MODELS, 2))
def test_a_live_model_is_asked_about(make: Any, release: str) -> None:
    model = make(_keras(release))
    assert rnnshape.predict(model).params == model.count_params()


@pytest.mark.parametrize("release", KERAS)
def test_a_live_layer_is_asked_about(release: str) -> None:
    layers = _keras(release).layers
    report = rnnshape.explore(layers.Bidirectional(layers.LSTM(8, return_state=True)), channels=7)
    assert report.ok
    assert report.expression.startswith("Bidirectional(LSTM(8, return_state=True), name='bidirectional")
    assert report.predicted.kind == ("list" if release == "2" else "tuple")


def test_what_is_no_layer_is_told() -> None:
    with pytest.raises(Invalid, match="int is not an expression"):
        rnnshape.predict(3)


def _edited(path: Path, old: bytes, new: bytes) -> None:
    """Change the config in a ``.keras`` file, and nothing else."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts["config.json"]
    parts["config.json"] = parts["config.json"].replace(old, new)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_a_weight_that_does_not_fit_is_a_disagreement_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    _sequential(load().keras).save(path)
    _edited(path, b'"units": 8', b'"units": 9')
    (spec,) = make_saved(str(path))
    report = rnnshape.predict(spec)
    assert not report.ok
    assert report.exit_code == 1
    told = {(one.of.removeprefix(f"{path}: "), one.predicted, one.observed) for one in report.disagreements}
    assert told == {
        ("layer first, weight kernel", "(4, 36)", "(4, 32)"),
        ("layer first, weight recurrent_kernel", "(9, 36)", "(8, 32)"),
        ("layer first, weight bias", "(36,)", "(32,)"),
        ("layer both, weight forward_kernel", "(9, 9)", "(8, 9)"),
        ("layer both, weight backward_kernel", "(9, 9)", "(8, 9)"),
    }
    # Keras itself does not load such a file.
    real = rnnshape.explore(spec)
    assert real.error is not None
    assert real.error.kind == "keras"
    assert real.disagreements == report.disagreements


def test_a_class_of_ones_own_never_passes_for_one_of_keras() -> None:
    own = {"module": "mine", "class_name": "LSTM", "registered_name": "mine>LSTM", "config": {"units": 8}}
    first = {"class_name": "GRU", "config": {"units": 8, "return_sequences": True}}
    text = code({"class_name": "Sequential", "config": {"layers": [first, own]}})
    assert text.text == "model = Sequential([GRU(units=8, return_sequences=True), Custom_mine_LSTM()])"
    report = rnnshape.predict(text.text)
    assert report.expression == "Sequential([GRU(8, return_sequences=True)])"


# Of Keras 3.3.3, shortened.
OF_3_3 = """{"module": "keras", "class_name": "Sequential", "config": {"name": "sequential", "trainable": true, "dtype":
"float32", "layers": [{"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [null, null, 4],
"dtype": "float32", "sparse": false, "name": "input_layer"}, "registered_name": null}, {"module": "keras.layers",
"class_name": "GRU", "config": {"name": "gru", "trainable": true, "dtype": "float32", "return_sequences": false,
"return_state": false, "go_backwards": false, "stateful": false, "unroll": false, "zero_output_for_mask": false, "units":
3, "activation": "tanh", "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config":
{"seed": null}, "registered_name": null}, "reset_after": true, "seed": null}, "registered_name": null}]},
"registered_name": null, "keras_version": "3.3.3"}"""


def test_the_installed_keras_of_the_same_major_version_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(OF_3_3, encoding="utf-8")
    (spec,) = make_saved(str(path))
    assert spec.layer.text == "Sequential([GRU(3, name='gru')])"
    assert spec.keras is None
    assert release.default()[:2] == (3, 3) or any("Keras 3.3.3 wrote this" in note for note in spec.notes)
    assert make_saved(str(path), {"keras": "3.8"})[0].keras == "3.8"


def _zip(path: Path, name: str, data: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)


HOSTILE: dict[str, tuple[str, bytes | tuple[str, bytes]]] = {
    "a pickle": (".keras", pickle.dumps({"config": 1})),
    "a pickle as HDF5": (".h5", pickle.dumps({"config": 1})),
    "empty": (".keras", b""),
    "an empty HDF5": (".hdf5", b""),
    "a damaged HDF5": (".h5", b"\x89HDF\r\n\x1a\n" + bytes(300)),
    "a zip bomb": (".keras", ("config.json", b" " * 200_000_000)),
    "a name that climbs out": (".keras", ("../config.json", b"{}")),
    "no JSON": (".json", b"model = 3"),
    "not UTF-8": (".json", b"\xff\xfe\xfa"),
    "deep JSON": (".json", b"[" * 1_000_000),
    "large JSON": (".json", b" " * 17_000_000),
    "a list": (".json", b"[]"),
    "no layers": (".json", b'{"class_name": "Sequential", "config": {}}'),
    "no inputs": (".json", b'{"class_name": "Functional", "config": {"layers": [], "input_layers": 3}}'),
    "code as a name": (".json", b'{"class_name": "__import__(\'os\').abort()", "config": {}}'),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_one_error(what: str, tmp_path: Path) -> None:
    ending, data = HOSTILE[what]
    path = tmp_path / f"model{ending}"
    if isinstance(data, tuple):
        _zip(path, *data)
    else:
        path.write_bytes(data)
    with pytest.raises(Invalid) as caught:
        make_saved(str(path))
    assert str(path) in str([problem.message for problem in caught.value.problems]) or what == "code as a name"
    assert [*tmp_path.iterdir()] == [path]


def _with_operations(keras: Any) -> Any:
    x = keras.Input((5, 3))
    first, second = (keras.layers.LSTM(4, return_sequences=True)(x) for _ in range(2))
    added = (first + second)[:, -1]
    joined, last = keras.ops.concatenate([first, second]), keras.ops.max(first, axis=1)
    return keras.Model(
        x, [keras.layers.Dense(2)(added), (first * second)[:, 1:3], keras.ops.mean(first, axis=1), joined, last]
    )


def _with_a_number(keras: Any) -> Any:
    x = keras.Input((5, 3))
    return keras.Model(x, keras.layers.Dense(2)(1 - keras.layers.LSTM(4)(x) * 2))


def _attention(keras: Any) -> Any:
    x = keras.Input((5, 3))
    return keras.Model(x, keras.layers.MultiHeadAttention(2, 3)(x, x))


@pytest.mark.parametrize("ending", [".keras", ".json", "live"])
@pytest.mark.parametrize("make", [_with_operations, _with_a_number, _attention])
def test_operations_between_layers_are_what_the_model_computes(make: Any, ending: str, tmp_path: Path) -> None:
    model = make(load().keras)
    path = tmp_path / f"model{ending}"
    if ending == ".json":
        path.write_text(model.to_json())
    elif ending == ".keras":
        model.save(path)
    report = rnnshape.explore(model) if ending == "live" else rnnshape.explore(make_saved(str(path))[0])
    assert report.ok
    assert report.error is None
    assert [tensor.shape for tensor in leaves(report.predicted)] == _shapes(model)


def test_an_operation_with_several_results_is_told(tmp_path: Path) -> None:
    keras, path = load().keras, tmp_path / "model.keras"
    x = keras.Input((5, 3))
    parts = keras.ops.split(keras.layers.LSTM(4)(x), 2, axis=-1)
    keras.Model(x, [parts[0], keras.ops.cast(parts[1], "float16")]).save(path)
    report = rnnshape.explore(make_saved(str(path))[0])
    assert report.ok
    assert any("split_y" in note and "is not followed" in note for note in report.spec.notes)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_the_weights_of_a_layer_after_an_unknown_operation_are_its_own(ending: str, tmp_path: Path) -> None:
    """In the older HDF5, an operation has no module: it is a layer of an unknown class."""
    keras, path = load().keras, tmp_path / f"model{ending}"
    x = keras.Input((5, 3))
    masked = keras.layers.Masking()(x)
    h = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True), name="both")(masked)
    keras.Model(x, keras.layers.Attention()([h, h])).save(path)
    report = rnnshape.explore(make_saved(str(path))[0])
    assert report.file is not None
    assert {one.layer for one in report.file.weights} == {"both"}
    assert report.ok


@since("3.4", "a Dense with LoRA weights can be saved")
def test_lora_weights_that_keras_adds_to_the_kernel_are_not_missing(tmp_path: Path) -> None:
    keras, path = load().keras, tmp_path / "model.keras"
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.LSTM(4), keras.layers.Dense(3)])
    model.layers[-1].enable_lora(2)
    model.save(path)
    report = rnnshape.explore(make_saved(str(path))[0])
    assert report.ok
    assert report.params == model.count_params()


def test_an_operation_that_is_not_followed_is_told_and_the_file_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    keras = load().keras
    x = keras.Input((5, 3))
    keras.Model(x, keras.layers.Dense(2)(keras.ops.maximum(keras.layers.LSTM(4)(x), 0.5))).save(path)
    report = rnnshape.explore(make_saved(str(path))[0])
    assert report.ok
    assert report.expression.startswith("LSTM(4")
    assert any("ops.maximum(" in note and "is not followed" in note for note in report.spec.notes)
    assert any("a Keras operation Maximum" in note for note in report.spec.notes)


def _normalized(keras: Any) -> Any:
    x = keras.Input((5, 3))
    return keras.Model(x, keras.layers.LSTM(4)(keras.layers.Normalization(mean=1.0, variance=2.0)(x)))


def _rescaled(keras: Any) -> Any:
    layers = keras.layers
    rescaled = layers.TimeDistributed(layers.Rescaling(1 / 255))
    return keras.Sequential([keras.Input((4, 8, 8, 1)), rescaled, layers.ConvLSTM2D(3, 3)])


def _looked_up(keras: Any) -> Any:
    x = keras.Input((6,), dtype="string")
    indices = keras.layers.StringLookup(vocabulary=["a", "b"])(x)
    return keras.Model(x, keras.layers.GRU(4)(keras.layers.Embedding(9, 3)(indices)))


def _masked(keras: Any) -> Any:
    x = keras.Input((5, 3))
    h = keras.layers.LSTM(4, return_sequences=True)(keras.layers.Masking(-1.0)(x))
    return keras.Model(x, keras.layers.GRU(3)(keras.layers.Dense(2)(h)))


@pytest.mark.parametrize("make", [_normalized, _rescaled, _looked_up, _masked])
@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("release", KERAS)
@pytest.mark.filterwarnings("ignore")
def test_weights_are_compared_with_those_of_their_own_layer(
    make: Any, ending: str, release: str, tmp_path: Path
) -> None:
    path = tmp_path / f"model.{ending}"
    model = make(_keras(release))
    model.save(path)
    (spec,) = make_saved(str(path))
    report = rnnshape.predict(spec)
    assert report.ok
    compared = report.file is not None
    assert compared or any("no weight is compared" in note for note in report.notes)
    assert compared or ending == "h5"
    if ending == "keras":
        assert report.params == model.count_params()
        assert [leaf.shape[1:] for leaf in leaves(report.structure)] == [tuple(model.output_shape[1:])]
