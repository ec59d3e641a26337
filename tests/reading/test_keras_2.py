"""Code for Keras 2, which returns lists: what is read agrees with the real layers of tf_keras."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.reading import make_all
from tests.shared.releases import legacy

pytestmark = legacy

INPUT = "x = Input((None, 5))\n"
PROGRAMS = [
    "y, s = GRU(4, return_state=True)(x)",
    "layer = SimpleRNN(4, return_state=True); y, s = layer(x)",
    "y, h, c = LSTM(4, return_state=True, return_sequences=True)(x)",
    "y, fh, fc, bh, bc = Bidirectional(LSTM(3, return_state=True))(x)",
    "forward, backward = Bidirectional(GRU(3), merge_mode=None)(x)",
    "y, s, t = RNN([GRUCell(2), GRUCell(3)], return_state=True)(x)",
    "y = RNN([GRUCell(4), LSTMCell(3)])(x, initial_state=[[a], [h, c]])",
    "y, h, c = ConvLSTM2D(4, 3, return_state=True)(Input((7, 8, 8, 3)))",
    "y, s = GRUCell(4)(x, h)",
    "y, s = GRUCell(4)(x, [h])",
    "y, s = LSTMCell(4)(x, [h, c])",
    "y, s = StackedRNNCells([GRUCell(4), LSTMCell(3)])(x, [[a], [h, c]])",
    "y, *states = LSTM(4, return_state=True)(x)\nz = LSTM(4)(other, initial_state=states)",
    f"{INPUT}y, h, c = LSTM(4, return_state=True, return_sequences=True)(x)\nz = LSTM(4)([y, h, c])",
    f"{INPUT}y, s = GRU(4, return_state=True)(x)\nmodel = Model(x, [y, s])",
    f"{INPUT}layer = GRU(4, return_state=True)\ny, s = layer(x, initial_state=layer.get_initial_state(x))",
    f"{INPUT}y, a, b = Bidirectional(GRU(4, return_state=True))(x)\nz = GRU(8)(x, initial_state=Concatenate()([a, b]))",
]


@pytest.mark.parametrize("code", PROGRAMS)
def test_the_real_layers_of_keras_2_agree(code: str) -> None:
    for spec in make_all(code, {"keras": "2"}):
        report = rnnshape.explore(spec)
        assert report.error is None
        assert report.agrees, report.disagreements
        assert not any("Keras 3" in note for note in spec.notes)
