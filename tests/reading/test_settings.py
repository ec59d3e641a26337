"""Calls in pasted code that set a default of all later layers, held against Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import keras
from rnnshape.reading import make, make_all
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYERS = (
    "LSTM(3, return_state=True)",
    "RNN([LSTMCell(3), GRUCell(2)], return_state=True)",
    "Bidirectional(GRU(3, dtype='float32', return_state=True))",
    "ConvLSTM2D(2, 3, return_sequences=True)",
    "TimeDistributed(Conv2D(2, (3, 1)))",
)
SET = (
    "keras.mixed_precision.set_global_policy('mixed_float16')",
    "policy = keras.mixed_precision.Policy('mixed_bfloat16')\nkeras.mixed_precision.set_global_policy(policy)",
    "keras.config.set_dtype_policy('float64')",
    "keras.backend.set_floatx('float16')",
    "keras.backend.set_image_data_format('channels_first')",
)


@pytest.fixture
def _unset() -> Iterator[None]:
    from keras.src.backend.common.global_state import set_global_attribute

    set_global_attribute("dtype_policy", None)
    yield
    set_global_attribute("dtype_policy", None)
    keras().config.set_floatx("float32")
    keras().config.set_image_data_format("channels_last")


@pytest.mark.usefixtures("_unset")
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("code", SET)
def test_the_layer_is_made_with_the_defaults_that_the_code_sets(code: str, layer: str) -> None:
    import tensorflow as tf

    spec = make(f"{code}\ny = {layer}(x)")
    report = rnnshape.explore(spec)
    assert report.ok
    names: dict[str, Any] = {"keras": keras(), **vars(keras().layers), "x": tf.ones(spec.input)}
    exec(f"{code}\ny = {layer}(x)", names)  # noqa: S102  the texts above
    real = tf.nest.flatten(names["y"])
    assert [(leaf.shape, leaf.dtype) for leaf in leaves(report.predicted)] == [
        (tuple(t.shape), t.dtype.name) for t in real
    ]
    assert make(spec.layer.text, {"input": spec.input}) == spec


@pytest.mark.usefixtures("_unset")
@pytest.mark.parametrize("code", SET)
def test_a_layer_made_before_it_keeps_its_own(code: str) -> None:

    text = f"before = LSTM(3)\n{code}\nafter = GRU(2)\nimages = ConvLSTM2D(2, 3)"
    names: dict[str, Any] = {"keras": keras(), **vars(keras().layers)}
    exec(text, names)  # noqa: S102  the texts above
    first, second, third = make_all(text)
    assert first.layer.text == "LSTM(3)"
    assert names["before"].dtype_policy.name == "float32"
    assert (second.layer["dtype"] or "float32") == names["after"].dtype_policy.name
    assert (third.layer["data_format"] or "channels_last") == names["images"].cell.data_format


def test_in_keras_2_floatx_is_the_default_of_later_layers() -> None:
    text = "before = LSTM(3)\nK.set_floatx('float64')\nafter = GRU(2)"
    assert [spec.layer.text for spec in make_all(text, {"keras": "2"})] == ["LSTM(3)", "GRU(2, dtype='float64')"]


def test_a_default_in_a_branch_that_is_not_taken_has_a_note() -> None:
    spec = make("if args.half:\n    set_global_policy('mixed_float16')\ny = LSTM(3)(x)")
    assert spec.layer.text == "LSTM(3)"
    assert spec.notes == (
        "line 2: set_global_policy('mixed_float16') is not followed: it is in a branch that is not taken here",
    )


def test_a_default_that_keras_does_not_have_is_an_error() -> None:
    with pytest.raises(Invalid, match="dtype must be one of 'float32', "):
        make("set_global_policy('half')\ny = LSTM(3)(x)")


@pytest.mark.parametrize(
    "body",
    [
        "return parser.parse_args()",
        "args = parser.parse_args()\n    return args",
        "args, rest = parser.parse_known_args(argv)\n    return args",
        "return SimpleNamespace(units=6, layers=2)",
        "return Config(units=6, layers=2)",
        "config = Config()\n    return config",
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        "args = options()\nm = build(args)",
        "m = build(options())",
        "m = build(args=options())",
        "def main():\n    args = options()\n    build(args)\nmain()",
        "class Run:\n    def __init__(self):\n        self.args = options()\n        build(self.args)\nRun()",
    ],
)
def test_what_a_function_returns_has_its_attributes(body: str, call: str) -> None:
    code = f"""
@dataclass
class Config:
    units: int = 6
    layers: int = 2
def other():
    return SimpleNamespace(units=9, layers=9)
def options(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", type=int, default=6)
    parser.add_argument("--layers", type=int, default=2)
    {body}
def build(args):
    m = Sequential()
    for place in range(args.layers):
        m.add(LSTM(args.units, return_sequences=place < args.layers - 1))
    return m
ignored = other()
{call}
"""
    assert [spec.layer.text for spec in make_all(code)] == ["LSTM(6, return_sequences=True) | LSTM(6)"]
