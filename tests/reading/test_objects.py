"""Objects as arguments: read as data, printed back, built for real, and told where they cannot be known."""

from __future__ import annotations

import inspect
import pickle
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.build import build
from rnnshape.lab.feed import feed
from rnnshape.lab.kernel import CUDNN_OPS, operations
from rnnshape.lab.tensorflow import held_back, load
from rnnshape.layers import catalog, names
from rnnshape.layers.arguments import DTYPE, NAME
from rnnshape.layers.changes import under_policy
from rnnshape.layers.objects import UNCOPIED
from rnnshape.reading import make
from rnnshape.reading.code import objects
from rnnshape.render.code import program
from rnnshape.theory import predict
from tests.shared.releases import named, offered
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

# -- the catalogue ----------------------------------------------------------------------------------------------------

MODULES = {"initializer": "initializers", "regularizer": "regularizers", "constraint": "constraints"}
OF_LAYERS = {DTYPE.name, NAME.name}


@pytest.mark.parametrize("what", MODULES)
def test_every_class_of_keras_is_known_under_each_of_its_names(what: str) -> None:
    module = getattr(load().keras, MODULES[what])
    real = {name: value for name, value in vars(module).items() if inspect.isclass(value)}
    unmade = {name for name in names.of(what).unmade if name not in ("Constant", "constant")}
    found = {name: catalog.find(what, name) for name in real.keys() - unmade}
    assert {name: cls and real.get(cls.name) for name, cls in found.items()} == {name: real[name] for name in found}
    beyond = {name for name in catalog.names_of(what) if not name.endswith("_initializer")} - real.keys()
    assert not beyond


@pytest.mark.parametrize("cls", catalog.CLASSES, ids=lambda cls: cls.name)
def test_a_class_has_the_arguments_of_keras_in_their_order_with_their_defaults(cls: catalog.ObjectClass) -> None:
    home = getattr(load().keras, "layers" if cls.what == "activation" else MODULES[cls.what])
    parameters = inspect.signature(getattr(home, cls.name).__init__).parameters
    real = {name: one.default for name, one in parameters.items() if name not in ("self", "args", "kwargs")}
    mine = {one.name: one.default for one in offered(cls.arguments) if one.name not in OF_LAYERS}
    assert list(mine.items()) == list(real.items())
    assert len(offered(cls.arguments[: cls.positional])) == len(real)


@pytest.mark.parametrize("name", [name for name in dir(__import__("tensorflow")) if name.endswith("_initializer")])
def test_the_initializers_of_tensorflow_have_the_arguments_of_keras(name: str) -> None:
    cls = catalog.find("initializer", name)
    assert cls is not None
    parameters = inspect.signature(getattr(load(), name).__init__).parameters
    theirs = [key for key in parameters if key not in ("self", "args", "kwargs", "support_partition")]
    assert theirs == [one.name for one in offered(cls.arguments)]


ACTIVATIONS = {*named(names.ACTIVATIONS)} - {*names.ACTIVATIONS.unmade}
FUNCTIONS = {
    **{f"{module}.{name}": name for module, known in objects._TENSORFLOW.items() for name in known},
    **{f"keras.ops.{name}": name for name in sorted(ACTIVATIONS - {*objects._UNLIKE_OPS})},
    **{f"keras.activations.{name}": name for name in sorted(ACTIVATIONS)},
    **UNCOPIED,
}
FUNCTIONS = {path: name for path, name in FUNCTIONS.items() if name in ACTIVATIONS}


@pytest.mark.parametrize("path", FUNCTIONS)
def test_a_function_of_keras_or_tensorflow_is_the_activation_of_its_name(path: str) -> None:
    tensorflow = load()
    real = attrgetter(path.removeprefix("tf."))(tensorflow)
    named = tensorflow.keras.activations.get(FUNCTIONS[path])
    x = tensorflow.constant(np.linspace(-4, 4, 24, dtype="float32").reshape(2, 3, 4))
    assert np.array_equal(real(x), named(x))
    read = make(f"Dense(2, activation={path})").layer["activation"]
    if path not in UNCOPIED:
        assert read == FUNCTIONS[path]
    layers = tensorflow.keras.layers
    layer = layers.SimpleRNN(2, activation=real)
    if path in UNCOPIED:
        assert (read.text, read.like) == (path, FUNCTIONS[path])
        error = rnnshape.predict(f"Bidirectional(SimpleRNN(2, activation={path}))").error
        assert error is not None
        with pytest.raises({"TypeError": TypeError, "ValueError": ValueError}[error.message.partition(":")[0]]):
            layers.Bidirectional(layer)
    else:
        assert layers.Bidirectional(layer).forward_layer.cell.activation is named


def test_a_function_of_ops_with_other_values_is_not_the_activation_of_its_name() -> None:
    assert make("Dense(2, activation=keras.ops.gelu)").notes
    assert not make("Dense(2, activation=keras.activations.gelu)").notes


# -- what is read -----------------------------------------------------------------------------------------------------

READ = {
    "LSTM(4, kernel_initializer=tf.keras.initializers.Orthogonal(gain=0.5))": (
        "LSTM(4, kernel_initializer=Orthogonal(gain=0.5))"
    ),
    "LSTM(4, kernel_initializer=GlorotUniform(), recurrent_initializer=keras.initializers.Orthogonal(1.0))": "LSTM(4)",
    "LSTM(4, bias_initializer=initializers.Zeros)": "LSTM(4)",
    "LSTM(4, bias_initializer=tf.zeros_initializer())": "LSTM(4)",
    "LSTM(4, recurrent_initializer=initializers.he_normal(seed=-3))": (
        "LSTM(4, recurrent_initializer=HeNormal(seed=-3))"
    ),
    "LSTM(4, kernel_initializer=tf.random_uniform_initializer(-0.1, 0.1))": (
        "LSTM(4, kernel_initializer=RandomUniform(minval=-0.1, maxval=0.1))"
    ),
    "LSTM(4, kernel_initializer=tf.initializers.GlorotNormal())": "LSTM(4, kernel_initializer='glorot_normal')",
    "LSTM(4, bias_initializer=tensorflow.keras.initializers.Constant(1))": (
        "LSTM(4, bias_initializer=Constant(value=1))"
    ),
    "LSTM(4, bias_initializer=Constant())": "LSTM(4, bias_initializer=Constant())",
    "LSTM(4, kernel_initializer=keras.initializers.get('orthogonal'))": "LSTM(4, kernel_initializer='orthogonal')",
    "Embedding(9, 3, embeddings_initializer=RandomUniform())": "Embedding(9, 3)",
    "LSTM(4, kernel_regularizer=regularizers.l2(0.01), bias_regularizer=L1L2(l1=0.1, l2=0))": (
        "LSTM(4, kernel_regularizer='l2', bias_regularizer=L1L2(l1=0.1))"
    ),
    "LSTM(4, kernel_constraint=max_norm(3), bias_constraint=keras.constraints.UnitNorm(axis=[0, 1]))": (
        "LSTM(4, kernel_constraint=MaxNorm(max_value=3), bias_constraint=UnitNorm(axis=(0, 1)))"
    ),
    "LSTM(4, activation=tf.tanh, recurrent_activation=tf.nn.sigmoid)": "LSTM(4)",
    "LSTM(4, activation=relu)": "LSTM(4, activation='relu')",
    "LSTM(4, activation=layers.LeakyReLU(0.1))": "LSTM(4, activation=LeakyReLU(negative_slope=0.1))",
    "LSTM(4, activation=LeakyReLU())": "LSTM(4, activation=LeakyReLU())",
    "LSTM(4, activation=LeakyReLU(dtype=tf.float16), dtype='float16')": (
        "LSTM(4, activation=LeakyReLU(dtype='float16'), dtype='float16')"
    ),
    "LSTM(4, dtype=tf.float16)": "LSTM(4, dtype='float16')",
    "LSTM(4, dtype=tf.keras.backend.floatx())": "LSTM(4, dtype='float32')",
    "LSTM(4, dtype=keras.mixed_precision.Policy('mixed_float16'))": "LSTM(4, dtype='mixed_float16')",
    "LSTM(4, dtype=keras.DTypePolicy(name='mixed_bfloat16'))": "LSTM(4, dtype='mixed_bfloat16')",
    "LSTM(4, name=f'encoder' + '_1')": "LSTM(4, name='encoder_1')",
}


@pytest.mark.parametrize("text", READ)
def test_objects_are_read_and_written_as_data(text: str) -> None:
    spec = make(text)
    assert spec.layer.text == READ[text]
    assert make(spec.layer.text) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301  our own
    assert spec.notes == ()


def test_the_real_layer_has_the_objects_that_were_written() -> None:
    layer = build(
        make(
            "LSTM(4, activation=LeakyReLU(0.2), kernel_initializer=VarianceScaling(2.0, mode='fan_out', seed=7), "
            "bias_regularizer=l1_l2(0.1), recurrent_constraint=min_max_norm(0.5, rate=0.25))"
        ).layer
    )
    config = layer.get_config()
    assert (config["activation"]["class_name"], config["activation"]["config"]["negative_slope"]) == ("LeakyReLU", 0.2)
    made = config["kernel_initializer"]
    assert made["class_name"] == "VarianceScaling"
    assert {key: made["config"][key] for key in ("scale", "mode", "seed")} == {
        "scale": 2.0,
        "mode": "fan_out",
        "seed": 7,
    }
    assert config["bias_regularizer"]["config"] == {"l1": 0.1, "l2": 0.0}
    assert config["recurrent_constraint"]["config"] == {"min_value": 0.5, "max_value": 1.0, "rate": 0.25, "axis": 0}


def test_the_values_are_those_of_the_object() -> None:
    report = rnnshape.explore(
        "SimpleRNN(3, activation=keras.layers.ReLU(max_value=0.25), bias_initializer=Constant(9))"
    )
    assert report.ok
    assert np.array_equal(report.values[0], np.full((2, 3), 0.25))


SAME = (
    "Bidirectional(GRU(2, activation=LeakyReLU(0.1), kernel_initializer=Orthogonal(0.5), kernel_constraint=MaxNorm(3)))",
    "RNN([LSTMCell(2, activation=ELU(0.5)), GRUCell(3, recurrent_activation=Softmax())])",
    "TimeDistributed(Dense(2, activation=keras.layers.Softmax()))",
    "ConvLSTM1D(2, 1, activation=ReLU(6), kernel_regularizer=l2(0.1))",
    "LSTM(2, activation=my_act)",
    "Bidirectional(LSTM(2, activation=my.act(3)), merge_mode='sum')",
    "LSTM(2, return_sequences=True, activation=lambda x: x) | Dense(2, activation=tf.nn.softmax)",
    "LSTM(2, bias_initializer=Orthogonal(2.0))",
    "LSTM(2, bias_initializer=Identity(2.0))",
    "LSTM(2, return_sequences=True, activity_regularizer=OrthogonalRegularizer(0.1))",
    "RNN(LSTMCell(2, activity_regularizer=OrthogonalRegularizer(0.1)), return_sequences=True)",
    "Bidirectional(LSTM(2, activation=lambda x: x))",
    "Bidirectional(RNN([LSTMCell(2, activation=tf.nn.softmax)]))",
    "Bidirectional(LSTM(2), backward_layer=LSTM(2, activation=lambda x: x, go_backwards=True))",
)


@pytest.mark.parametrize("text", SAME)
def test_theory_and_keras_say_the_same_of_a_layer_with_objects(text: str) -> None:
    foretold, report = rnnshape.predict(text), rnnshape.explore(text)
    assert (foretold.error is None) == (report.error is None), report.error
    assert report.ok == (report.error is None)


def test_an_activation_layer_computes_in_its_own_dtype() -> None:
    with pytest.raises(Invalid) as caught:
        make("LSTM(2, activation=LeakyReLU(0.1), dtype='float16')")
    [problem] = caught.value.problems
    what = "activation: LeakyReLU must compute in float16, as LSTM around it does"
    assert problem.message == f"{what}: write LeakyReLU(…, dtype='float16')"
    layers = load().keras.layers
    with pytest.raises(Exception, match="half"):
        layers.LSTM(2, activation=layers.LeakyReLU(0.1), dtype="float16")(np.ones((2, 3, 4)))
    mixed = under_policy(make("LSTM(2, activation=LeakyReLU(0.1))").layer, "mixed_float16")
    assert (
        mixed.text == "LSTM(2, activation=LeakyReLU(negative_slope=0.1, dtype='mixed_float16'), dtype='mixed_float16')"
    )
    assert rnnshape.explore("LSTM(2, activation=LeakyReLU(0.1))", dtype="mixed_float16").ok


# -- what cannot be known ---------------------------------------------------------------------------------------------

UNKNOWN = {
    "LSTM(4, activation=my_act)": (
        "LSTM(4, activation=my_act)",
        "activation=my_act is not known here: 'tanh' is used instead, without cuDNN, which needs 'tanh' itself",
    ),
    "SimpleRNN(4, activation=lambda x: x*2)": (
        "SimpleRNN(4, activation=lambda x: x * 2)",
        "activation=lambda x: x * 2 is not known here: 'tanh' is used instead",
    ),
    "Dense(4, activation=jax.nn.relu)": (
        "Dense(4, activation=jax.nn.relu)",
        "activation=jax.nn.relu is not known here: none is used instead",
    ),
    "Dense(4, activation=LeakyReLU(slope))": (
        "Dense(4, activation=LeakyReLU(slope))",
        "activation=LeakyReLU(slope) is not known here: none is used instead",
    ),
    "LSTM(3, activation=PReLU())": (
        "LSTM(3, activation=PReLU())",
        "activation=PReLU() is not known here: 'tanh' is used instead, without cuDNN, which needs 'tanh' itself; "
        "PReLU() may have weights, which are not counted",
    ),
    "LSTM(4, kernel_initializer=MyInit())": (
        "LSTM(4)",
        "kernel_initializer=MyInit() is not known here: 'glorot_uniform' is used instead",
    ),
    "LSTM(4, kernel_regularizer=custom.l2x(0.1))": (
        "LSTM(4)",
        "kernel_regularizer=custom.l2x(0.1) is not known here: none is used instead",
    ),
    "Embedding(9, 3, embeddings_initializer=Constant(matrix), trainable=False)": (
        "Embedding(9, 3, trainable=False)",
        "embeddings_initializer=Constant(matrix) is not known here: 'uniform' is used instead",
    ),
    "LSTM(4, kernel_initializer=Orthogonal(0.5, seed=SEED))": (
        "LSTM(4, kernel_initializer=Orthogonal(gain=0.5))",
        "seed=SEED of Orthogonal is not known here: it is left out",
    ),
    "LSTM(4, activation=LeakyReLU(alpha=0.1))": (
        "LSTM(4, activation=LeakyReLU(negative_slope=0.1))",
        "Keras 3 warns about alpha in LeakyReLU and recommends negative_slope",
    ),
    "LSTM(4, dtype=policy)": ("LSTM(4)", "dtype=policy is not known here: float32 is used instead"),
    "LSTM(4, name=f'lstm_{i}')": (
        "LSTM(4)",
        "name=f'lstm_{i}' is not known here: the layer gets a name from Keras",
    ),
    "LSTM(4, name='lstm_' + str(i))": (
        "LSTM(4)",
        "name='lstm_' + str(i) is not known here: the layer gets a name from Keras",
    ),
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_cannot_be_known_is_replaced_and_told(text: str) -> None:
    spec = make(text)
    assert (spec.layer.text, *spec.notes) == UNKNOWN[text]
    assert make(spec.layer.text) == spec
    assert UNKNOWN[text][1] in rnnshape.predict(text).notes


def test_a_function_that_bidirectional_copies_must_be_registered() -> None:
    notes = rnnshape.predict("Bidirectional(LSTM(4, activation=my_act))").notes
    assert "Bidirectional copies my_act only if it is registered: keras.utils.register_keras_serializable" in notes
    layers = load().keras.layers
    with pytest.raises((TypeError, ValueError)):  # a ValueError before 3.10
        layers.Bidirectional(layers.LSTM(4, activation=_mine))


def _mine(x: Any) -> Any:
    return x


MISTAKES = {
    "LSTM(4, kernel_regularizer=l2(l=0.1))": ("L2 takes no l: it is called l2 in Keras 3", "l=0.1"),
    "LSTM(4, kernel_regularizer=l2(-1))": ("l2 of L2 must be a number from 0 within float32, or None", "-1"),
    "LSTM(4, kernel_regularizer=l2(lamda=1))": ("L2 takes no argument lamda", "lamda=1"),
    "LSTM(4, kernel_initializer=l2(1))": (
        "kernel_initializer must be an initializer, and l2 is a regularizer",
        "l2(1)",
    ),
    "LSTM(4, kernel_initializer=initializers.Orthogonall())": (
        "Keras has no initializers.Orthogonall (did you mean 'orthogonal'?)",
        "initializers.Orthogonall()",
    ),
    "LSTM(4, kernel_initializer=Orthogonal(1.0, gain=2))": ("gain is given twice", "gain=2"),
    "LSTM(4, bias_initializer=Constant([1, 2]))": ("value of Constant must be a number within float32", "[1, 2]"),
    "LSTM(4, kernel_initializer=keras.initializers.get('orthogonall'))": (
        "kernel_initializer must be the name of a Keras initializer (did you mean 'orthogonal'?)",
        "'orthogonall'",
    ),
    "LSTM(4, activation=LeakyReLU)": ("LeakyReLU must be called: write LeakyReLU()", "LeakyReLU"),
    "LSTM(4, activation=tf.nn.relu(x))": (
        "tf.nn.relu is called here: pass the function itself, activation='relu'",
        "tf.nn.relu(x)",
    ),
    "LSTM(4, activation=ThresholdedReLU(1.0))": (
        "ThresholdedReLU was removed in Keras 3: write ReLU(threshold=…)",
        "ThresholdedReLU(1.0)",
    ),
    "LSTM(4, dtype=tf.int32)": (
        "dtype must be one of 'float32', 'float16', 'float64', 'bfloat16', 'mixed_float16', 'mixed_bfloat16', None",
        "tf.int32",
    ),
    "LSTM(4, name=f'a/b')": ("name must be a string without '/', or None", "f'a/b'"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_what_keras_does_not_take_is_a_mistake_at_its_place(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(text)
    [problem] = caught.value.problems
    assert problem.span is not None
    assert (problem.message, text[slice(*problem.span)]) == MISTAKES[text]


def test_a_second_layer_and_a_comparison_say_it_too(run: Callable[..., Ran]) -> None:
    note = "activation=my_act is not known here: 'tanh' is used instead, without cuDNN, which needs 'tanh' itself"
    into = make("LSTM(4, return_state=True)", {"into": "LSTM(4, activation=my_act)"})
    assert into.notes == (note,)
    ran = run(
        "compare",
        "LSTM(4, activation=my_act)",
        "LSTM(4, kernel_initializer=MyInit(3))",
        "LSTM(4, kernel_regularizer='l2')",
    )
    assert ran.code == 0
    assert note in " ".join(ran.out.split())
    assert "different functions: activation=my_act and 'tanh'" in ran.out
    ran = run("compare", "GRU(4, kernel_initializer=Orthogonal(0.5), bias_regularizer=l2(0.1))", "GRU(4)")
    assert (ran.code, "Everything that has to be equal is equal." in ran.out) == (0, True)
    ran = run("compare", "GRU(4, activation=LeakyReLU(0.1, dtype='float32'))", "--axis", "dtype")
    assert ran.code == 0


# -- cuDNN ------------------------------------------------------------------------------------------------------------

VERDICTS = {
    "LSTM(2, activation=tf.tanh, recurrent_activation=keras.ops.sigmoid)": True,
    "GRU(2, activation=keras.activations.tanh, kernel_initializer=Orthogonal(0.5), kernel_regularizer=l2(0.1))": True,
    "Bidirectional(LSTM(2, activation=tf.nn.tanh))": True,
    "LSTM(2, activation=my_act)": False,
    "LSTM(2, activation=lambda x: x)": False,
    "GRU(2, recurrent_activation=my_act)": False,
    "GRU(2, activation=LeakyReLU(0.1))": False,
    "GRU(2, activation=tf.nn.softmax)": False,
    "Bidirectional(LSTM(2, activation=my_act))": False,
}


@pytest.mark.parametrize("text", some(VERDICTS, 4))
def test_the_verdict_is_that_of_keras_trace(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    monkeypatch.setattr(import_module("keras.src.backend.tensorflow.rnn"), "_is_gpu_available", lambda: True)
    spec = make(text)
    assert predict(spec).cudnn.eligible == VERDICTS[text]
    with held_back():
        layer = build(spec.layer)
        graph, _ = operations(layer, layer, *feed(spec, layer))
    assert bool(CUDNN_OPS & {*graph}) == VERDICTS[text]


@pytest.mark.parametrize("written", ["tf.tanh", "keras.ops.tanh", "keras.activations.tanh"])
def test_keras_takes_each_of_these_for_tanh(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = import_module("keras.src.backend.tensorflow.rnn")
    monkeypatch.setattr(backend, "_is_gpu_available", lambda: True)
    tensorflow = load()
    real = attrgetter(written.removeprefix("tf."))(tensorflow)
    assert backend.cudnn_ok(real, tensorflow.sigmoid, unroll=False, use_bias=True)


# -- the program ------------------------------------------------------------------------------------------------------

PROGRAMS = (
    "Bidirectional(LSTM(4, activation=my.act(3), kernel_initializer=Orthogonal(0.5), kernel_regularizer=l2(0.1)))",
    "GRU(4, activation=LeakyReLU(0.1), recurrent_activation=my_act, kernel_constraint=max_norm(3))",
    "LSTM(4, activation=lambda x: unknown(x)) | Dense(3, activation=tf.nn.softmax)",
)


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_program_of_a_layer_with_objects_runs(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = rnnshape.predict(text)
    exec("\n".join(program(report)), {})  # noqa: S102  the program that is told to be pasted
    assert capsys.readouterr().out.strip() == str(report.structure.shape)
