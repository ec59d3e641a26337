"""Layers that code calls more than once, or holds at several places: Keras makes their weights once."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import load
from rnnshape.reading import make, make_all


@pytest.mark.parametrize("widths", [(4, 4), (4, 6), (1, 4), (4, 1)])
@pytest.mark.parametrize(
    "layer",
    [
        "LSTM(3)",
        "RNN([GRUCell(3), LSTMCell(2)])",
        "Bidirectional(GRU(3))",
        "TimeDistributed(Dense(3))",
        "BatchNormalization()",
        "LayerNormalization()",
        "Masking()",
        "Sequential([Dense(2), LSTM(3)])",
    ],
)
def test_a_shared_layer_takes_only_the_width_of_its_first_call(layer: str, widths: tuple[int, int]) -> None:
    code = f"shared = {layer}\n" + "\n".join(
        f"y{place} = LSTM(2)({'' if layer[:2] in ('Ba', 'La', 'Ma', 'Ti') else 'RepeatVector(2)'}"
        f"(shared(Input((5, {width})))))"
        for place, width in enumerate(widths)
    )
    shared = eval(layer, dict(vars(load().keras.layers)), {"Sequential": load().keras.Sequential})  # noqa: S307  code of this test
    try:
        for width in widths:
            shared(load().ones((2, 5, width)))
    except Exception:  # noqa: BLE001  the error's class is not the same for all layers
        with pytest.raises(Invalid, match=r"call it on tensors of one width, or make a second layer"):
            rnnshape.predict(code)
    else:
        assert rnnshape.explore(code).ok


def test_the_width_that_code_does_not_give_is_the_one_that_a_shared_layer_returns() -> None:
    code = "for _ in range(3):\n    x = rnn(x)"
    spec = make("rnn = Bidirectional(LSTM(8, return_sequences=True))\n" + code)
    assert spec.input == (2, 3, 16)
    assert rnnshape.explore(spec).ok


@pytest.mark.parametrize(
    ("cells", "once"),
    [
        ("[LSTMCell(4)] * 2", True),
        ("[c, GRUCell(4), c]", True),
        ("held", True),
        ("[LSTMCell(4) for _ in range(2)]", False),
        ("[LSTMCell(4), LSTMCell(4)]", False),
        ("[c, d]", False),
    ],
)
def test_a_cell_at_several_places_of_a_list_is_told_for_keras_makes_its_weights_once(cells: str, once: bool) -> None:
    above = "c = LSTMCell(4)\nd = LSTMCell(4)\nheld = [c] * 2\n"
    spec = make_all(f"{above}RNN({cells})")[-1]
    names = {**vars(load().keras.layers)}
    exec(f"{above}layer = RNN({cells})", names)  # noqa: S102  code of this test
    names["layer"](load().ones((2, 3, 4)))
    assert (rnnshape.predict(spec).params > names["layer"].count_params()) == once
    assert any("is one object at several places of the list" in note for note in spec.notes) == once
