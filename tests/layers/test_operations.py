"""Operations between layers, ``a + b`` and ``keras.ops.concatenate([a, b])``, held against Keras."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import keras
from rnnshape.reading import make
from rnnshape.structure import leaves
from tests.shared.releases import since

TWO = "a = keras.Input({0}, batch_size={1})\nb = keras.Input({2}, batch_size={3})\n"
SHAPES = ((2, 3, 4), (2, 4), (3, 4), (2, 3, 1), (2, 1, 4), (1, 3, 4), (1, 4), (4, 4), (2, 2, 3, 4))
OPERATIONS = (
    "a + b",
    "a * b - b",
    "keras.ops.maximum(a, b)",
    "ops.concatenate([a, b], axis=1)",
    "ops.concatenate([a, b])",
    "tf.concat([a, b], -1)",
)


@pytest.mark.parametrize("one", SHAPES)
@pytest.mark.parametrize("read", OPERATIONS)
def test_the_shape_is_that_of_the_operation(read: str, one: tuple[int, ...]) -> None:
    import tensorflow as tf

    names = {"keras": keras(), "ops": keras().ops, "tf": tf}
    for other in SHAPES:
        if other[0] != one[0]:
            continue  # the inputs of a model have one batch size
        try:
            real = tuple(eval(read, {**names, "a": tf.ones(one), "b": tf.ones(other)}).shape)  # noqa: S307
        except (ValueError, tf.errors.InvalidArgumentError):
            real = None
        code = TWO.format(one[1:], one[0], other[1:], other[0])
        try:
            report = rnnshape.explore(make(f"{code}y = {read}"))
        except Invalid:
            ours = None
        else:
            assert report.ok
            ours = next(leaves(report.predicted)).shape
        assert ours == real, (one, other)


@pytest.mark.parametrize(
    ("read", "masked"),
    [
        ("h + m", False),
        ("tf.concat([h, m], -1)", False),
        pytest.param("Add()([h, m])", True, marks=since("3.4", "a layer that is called on a list attaches a mask")),
    ],
)
def test_an_operation_passes_on_no_mask(read: str, *, masked: bool) -> None:
    code = f"m = Masking()(Input((5, 4)))\nh = LSTM(4, return_sequences=True)(m)\ny = {read}"
    report = rnnshape.explore(make(code, {"mask": "right:5,3"}))
    assert report.ok
    assert report.masked is not None
    assert (report.masked.output_mask is not None) is masked


def test_what_does_not_fit_names_the_layer_that_takes_it() -> None:
    code = "x = Input((5, 4))\ns, h = GRU(4, return_sequences=True, return_state=True)(x)\ny = "
    with pytest.raises(Invalid, match=r"y = s \+ h: .*T = 5 and N = 2 do not match; .*use Add\(\)"):
        make(f"{code}s + h")
    assert rnnshape.explore(make(f"{code}Add()([s, h])")).ok
