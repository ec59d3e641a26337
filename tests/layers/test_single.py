"""Operations on one tensor, ``1 - h`` and ``tf.reduce_mean(h, axis=1)``, held against TensorFlow."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import keras
from rnnshape.reading import make
from rnnshape.structure import leaves

BEFORE = "x = Input((5, 4))\nh = LSTM(3, return_sequences=True)(x)\n"
READ = (
    "tf.reverse(h, [1])",
    "tf.reverse(h, axis=[-1])",
    "ops.flip(h, axis=1)",
    "ops.flip(h, -2)",
    "tf.expand_dims(h, 1)",
    "tf.expand_dims(h, axis=-1)",
    "tf.expand_dims(h, -2)",
    "tf.expand_dims(input=h, axis=2)",
    "ops.expand_dims(h, axis=3)",
    "tf.reduce_mean(h, axis=1)",
    "tf.reduce_sum(h, 1, keepdims=True)",
    "tf.math.reduce_max(h, axis=[1, 2])",
    "tf.reduce_min(h, -1)",
    "ops.sum(h, axis=(1,))",
    "tf.squeeze(tf.expand_dims(h, 1), axis=1)",
    "tf.transpose(h, [0, 2, 1])",
    "tf.transpose(h, perm=(0, 2, 1))",
    "ops.transpose(h, axes=(0, 2, 1))",
    "tf.nn.softmax(h, axis=1)",
    "tf.nn.softmax(h)",
    "ops.softmax(h, axis=-1)",
    "tf.nn.tanh(h)",
    "tf.tanh(h)",
    "tf.math.log(tf.exp(h))",
    "keras.activations.relu(h)",
    "tf.nn.swish(h)",
    "tf.identity(h)",
    "tf.cast(h, tf.float32)",
    "1 - h",
    "tf.subtract(1.0, h)",
    "tf.multiply(h, 0.5)",
    "h - 1",
    "h * 2",
    "2.5 * h",
    "h / 3.0",
    "h ** 2",
    "-h",
    "h / h",
    "1.0 / (1 + tf.exp(-h))",
)


@pytest.mark.parametrize("read", READ)
def test_the_shape_is_that_of_the_operation(read: str) -> None:
    import tensorflow as tf

    real = eval(read, {"keras": keras(), "ops": keras().ops, "tf": tf, "h": tf.ones((2, 5, 3))})  # noqa: S307  as above
    spec = make(f"{BEFORE}y = {read}\nz = y + y")
    report = rnnshape.explore(spec)
    assert report.ok
    assert [leaf.shape for leaf in leaves(report.predicted)] == [tuple(real.shape)]
    assert make(spec.layer.text) == spec


@pytest.mark.parametrize("read", ["tf.nn.tanh(m)", "1 - m", "tf.reverse(m, [1])"])
def test_an_operation_passes_on_no_mask(read: str) -> None:
    report = rnnshape.explore(make(f"m = Masking()(Input((5, 4)))\ny = LSTM(3)({read})", {"mask": "right:5,3"}))
    assert report.ok
    assert report.masked is not None
    assert report.masked.output_mask is None


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        ("tf.squeeze(h, 1)", "only an axis of size 1 can be removed: T = 5"),
        ("tf.reduce_sum(h, axis=3)", "there is no axis 3 except the batch: the tensor has 3 axes"),
        ("tf.transpose(h, [0, 1])", r"axes=\(0, 1\) names 2 axes, and the tensor has 3"),
        ("tf.nn.softmax(h, axis=-4)", "there is no axis -4"),
    ],
)
def test_an_operation_that_cannot_be_is_told(read: str, wrong: str) -> None:
    import tensorflow as tf

    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        eval(read, {"tf": tf, "h": tf.ones((2, 5, 3))})  # noqa: S307  it stands above
    with pytest.raises(Invalid, match=wrong):
        make(f"{BEFORE}y = {read}")
