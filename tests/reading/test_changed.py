"""What statements change as they run: lists and dictionaries in place, values in loops, names of which much is doubled."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.lab.tensorflow import load
from rnnshape.reading import make, make_all

_UNITS = "made = RNN([LSTMCell(u) for u in us])"
_CELLS = "cells = [LSTMCell(3), GRUCell(4), LSTMCell(5)]\n"
CHANGED = [
    ("us = [1, 2]\nus.pop()\n" + _UNITS, "RNN([LSTMCell(1)])"),
    ("us = [1, 2]\nus.insert(0, 5)\n" + _UNITS, "RNN([LSTMCell(5), LSTMCell(1), LSTMCell(2)])"),
    ("us = [2, 1]\nus.sort()\n" + _UNITS, "RNN([LSTMCell(1), LSTMCell(2)])"),
    ("us = [2, 1]\nus.remove(2)\nus.extend([3])\n" + _UNITS, "RNN([LSTMCell(1), LSTMCell(3)])"),
    ("us = [2, 1]\nus[0] = 7\ndel us[1]\n" + _UNITS, "RNN([LSTMCell(7)])"),
    ("d = {'u': 3}\nd['u'] = 5\nd.update(u=7)\nmade = LSTM(d['u'])", "LSTM(7)"),
    ("d = {'u': 3}\nd['u'] = 5\nd = {'u': 2}\nmade = LSTM(d['u'])", "LSTM(2)"),
    ("d = {'units': 3}\nd['return_sequences'] = True\nmade = LSTM(**d)", "LSTM(3, return_sequences=True)"),
    ("d = {'units': 3, 'return_state': True}\nd.pop('return_state')\nmade = LSTM(**d)", "LSTM(3)"),
    ("d = {'units': 3, 'return_state': True}\ndel d['return_state']\nmade = LSTM(**d)", "LSTM(3)"),
    (_CELLS + "cells.reverse()\nmade = RNN(cells)", "RNN([LSTMCell(5), GRUCell(4), LSTMCell(3)])"),
    (_CELLS + "cells[0] = GRUCell(7)\nmade = RNN(cells)", "RNN([GRUCell(7), GRUCell(4), LSTMCell(5)])"),
    (_CELLS + "cells.pop(0)\ndel cells[0]\nmade = RNN(cells)", "RNN([LSTMCell(5)])"),
    (
        "made = RNN([LSTMCell(a) for i, (a, b) in enumerate([(1, 2), (3, 4)])])",
        "RNN([LSTMCell(1), LSTMCell(3)])",
    ),
    ("n = 0\nwhile n < 3:\n    n += 1\nmade = LSTM(n)", "LSTM(3)"),
    ("n = 9\nwhile True:\n    n = 2\n    break\nmade = LSTM(n)", "LSTM(2)"),
    ("n = 1\nfor i in range(5):\n    n *= 2\nmade = LSTM(n)", "LSTM(32)"),
    ("n: int = 5\nmade = LSTM(n)", "LSTM(5)"),
]


@pytest.mark.parametrize(("code", "expression"), CHANGED)
def test_what_statements_change_is_what_python_makes_of_it(code: str, expression: str) -> None:
    spec = make_all(code)[-1]
    assert spec.layer.text == expression
    assert not spec.notes
    tf = load()
    names = dict(vars(tf.keras.layers))
    exec(code, names)  # noqa: S102  it stands above
    names["made"](tf.zeros(spec.input))
    weights = rnnshape.predict(spec).weights
    assert [tuple(weight.shape) for weight in names["made"].weights] == [weight.shape for weight in weights]


@pytest.mark.parametrize(
    "code",
    [
        "n = 0\nwhile n < 300:\n    n += 1",
        "n = 1\nwhile n < size:\n    n *= 2",
        "n = 5\nwhile True:\n    n = 6\n    if done: break",
        "n = 1\nfor i in range(k):\n    n *= 2",
        "for n in range(1, 130):\n    pass",
        "for i in range(300):\n    n = i",
        "n = 5\ndel n",
        "n = 5\nif big:\n    n = 6",
        "if big:\n    n = 5\nelse:\n    n = 6",
        "self.n = 5\nif big:\n    self.n = 6\nn = self.n",
        "d = {'n': 5}\nd.update(more)\nn = d['n']",
        "d = {'n': 5}\nd['n'] = other\nn = d['n']",
        "us = [5]\nus.insert(k, 6)\nn = us[0]",
        "us = [5, 6]\nlast = us.pop()\nn = us[1]",
    ],
)
def test_a_value_that_may_be_another_one_keeps_its_name(code: str) -> None:
    spec = make(f"{code}\nLSTM(n)")
    assert not spec.layer.text.removeprefix("LSTM(").removesuffix(")").isdigit()
    assert any("is not given" in note for note in spec.notes)


@pytest.mark.parametrize(
    ("code", "note"),
    [
        (
            "for i in range(k):\n    model.add(LSTM(8))",
            "line 2: the loop over range(k) is read once: its number of steps is unknown or too large",
        ),
        (
            "for i in range(100):\n    model.add(Dense(8))",
            "line 2: the loop over range(100) is read once: its number of steps is unknown or too large",
        ),
        (
            "n = 0\nwhile n < 300:\n    model.add(Dense(8))\n    n += 1",
            "line 3: the loop while n < 300 is read in part: its number of steps is unknown or too large",
        ),
        (
            "model.add(LSTM(4))\nmodel.add(head)\nmodel.add(GRU(3))",
            "line 3: head is left out; the layers after it are a separate answer",
        ),
    ],
)
def test_what_is_not_followed_is_told_with_its_line(code: str, note: str) -> None:
    assert any(note in spec.notes for spec in make_all(f"model = Sequential()\n{code}"))


@pytest.mark.parametrize(
    "doubled", ["s = s + s", "s += s", "s = [s, s]", "s = f'{s}{s}'", "s.extend(s)", "s = {'a': s, 'b': s}"]
)
@pytest.mark.parametrize("start", ["'ab'", "[1, 2]"])
def test_what_doubles_itself_takes_no_memory(start: str, doubled: str) -> None:
    assert make(f"s = {start}\nfor i in range(60):\n    {doubled}\nLSTM(3)").layer.text == "LSTM(3)"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("\n".join(["LSTM(8)"] * 1_100), "there are more than 1,000 layers and calls here: paste fewer"),
        ("m = Sequential([LSTM(8)])\n" + "m.add(m)\n" * 12, "a model has at most 1,000 layers here"),
        (
            "for a in range(60):\n    for b in range(60):\n        for c in range(60):\n            seen.add(c)\nLSTM(8)",
            "more than 20,000 statements are read here, with the steps of loops: paste fewer",
        ),
    ],
)
def test_code_that_makes_too_much_is_one_error(code: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        make_all(code)
    assert [problem.message for problem in caught.value.problems] == [message]


def test_a_mistake_in_a_loop_is_told_once() -> None:
    with pytest.raises(Invalid) as caught:
        make_all("for a in range(9):\n    LSTM(0)")
    assert [problem.message for problem in caught.value.problems] == ["units must be a whole number, 1 or more"]


@pytest.mark.parametrize(
    ("code", "expressions"),
    [
        ("if big:\n    cell = LSTM\nelse:\n    cell = GRU\ncell(8)", ["LSTM(8)", "GRU(8)"]),
        ("deep = False\nif big:\n    deep = True\nLSTM(8, stateful=deep)", ["LSTM(8)", "LSTM(8, stateful=True)"]),
        (
            "y = LSTM(2)(x)\nif big:\n    y = x\nDense(3)(y)",
            [
                "x = Input((None, None))\nlstm = LSTM(2)\ndense = Dense(3)\ny = lstm(x)\ndense_output = dense(x)",
                "LSTM(2) | Dense(3)",
            ],
        ),
        ("n = 5\nif n is None:\n    n = 6\nLSTM(n)", ["LSTM(5)"]),
        ("x = LSTM(8)(x) if big else GRU(8)(x)", ["LSTM(8)", "GRU(8)"]),
        ("cls = {'lstm': LSTM, 'gru': GRU}[kind]\ny, *s = cls(8)(x)", ["LSTM(8)", "GRU(8)"]),
        ("RNN({'lstm': LSTMCell, 'gru': GRUCell}[cfg.cell](8))", ["RNN(LSTMCell(8))", "RNN(GRUCell(8))"]),
        ("kind = 'gru'\n{'lstm': LSTM, 'gru': GRU}[kind](8)", ["GRU(8)"]),
    ],
)
def test_what_a_condition_decides_that_is_not_known_is_a_choice(code: str, expressions: list[str]) -> None:
    assert [spec.layer.text for spec in make_all(code)] == expressions


@pytest.mark.parametrize(
    "lines",
    [
        "shapes = load(); more = [(1,) + one for one in shapes]; shapes = more",
        "def build(shapes): return [Input(one) for one in shapes]\n"
        "shapes = load(); more = [one[1:] for one in shapes]; build(more)",
        "d.x = load(); d.x = d.x.reshape(d.x.shape[0], -1, 1); d.x = d.x.astype(float) / 255",
    ],
)
def test_a_name_that_would_stand_for_itself_is_unknown(lines: str) -> None:
    (*_, spec) = make_all(f"{lines}\nlayer = LSTM(4)")
    assert spec.layer.text == "LSTM(4)"
