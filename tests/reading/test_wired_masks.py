"""``--mask`` for wired calls: it belongs to the first input, and reaches the calls that can use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.layers import release

MASK = "110;101"
# What takes mask=, what does not, and what merges; x is the input, a the result of the first call.
FIRST = ["LSTM(4, return_sequences=True)(x)", "Masking()(x)", "Dense(4)(x)", "TimeDistributed(Dense(4))(x)"]
BESIDE = [
    "GRU(3, return_sequences=True)(x)",
    "Bidirectional(GRU(3, return_sequences=True))(x)",
    "Conv1D(3, 1)(x)",
    "Masking()(x)",
    "Add()([x, x])",
    "Concatenate()([x, a])",
    "Attention()([x, a])",
    "MultiHeadAttention(2, 3)(x, a)",
    "BatchNormalization()(x)",
    "x[:, ::-1]",
    "Sequential([Dense(3), LSTM(2, return_sequences=True)])(x)",
]


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("first", FIRST)
def test_the_mask_reaches_the_calls_that_take_it(first: str, beside: str) -> None:
    code = f"x = Input((3, 4))\na = {first}\nb = {beside}\nc = GRU(2, return_sequences=True)(b)\nModel(x, [c, a])"
    takes = first[:5] != "Dense" or beside[:2] in ("GR", "Bi", "Ba")
    if not takes:
        with pytest.raises(Invalid, match=r"does not apply to Dense, which takes no mask"):
            rnnshape.predict(code, mask=MASK)
        return
    report = rnnshape.explore(code, mask=MASK)
    # Before Keras 3.12 an Attention fails at a mask of its value, as theory says.
    refused = rnnshape.predict(code, mask=MASK).error is not None
    assert report.ok or (refused and report.error is not None), (report.error, report.disagreements)
    assert not refused or release.asked() < (3, 12)


@pytest.mark.slow
@pytest.mark.parametrize("first", [FIRST[0], FIRST[1]])
def test_the_program_has_the_mask(first: str) -> None:
    code = f"inp = Input((3, 4))\na = {first.replace('(x)', '(inp)')}\nb = Conv1D(2, 1)(inp)\nModel(inp, [a, b])"
    from rnnshape.render.code import program

    text = "\n".join([*program(rnnshape.predict(code, mask=MASK)), "print(getattr(a, '_keras_mask', None))"])
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.split("tf.Tensor(")[1].split(", shape")[0].split() == [
        "[[",
        "True",
        "True",
        "False]",
        "[",
        "True",
        "False",
        "True]]",
    ]
