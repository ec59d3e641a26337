"""Reads random hostile expressions and programs: none may cause a traceback, an import, an evaluation or a hang.

``python -m tests.shared.hostile 100000 --seed 1`` makes 100,000 of them from real expressions, Python's grammar and
noise, and counts the outcomes; with ``--programs``, it makes them from statements.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter

from rnnshape.errors import Invalid
from rnnshape.reading import make, make_all

SEEDS = (
    "LSTM(8, return_sequences=True)",
    "tf.keras.layers.Bidirectional(LSTM(64, return_sequences=True), merge_mode='sum')",
    "RNN([LSTMCell(4), GRUCell(6)], return_state=True)",
    "LSTM(64, return_sequences=True) | GRU(32) | Dense(10)",
    "a, b, c = LSTM(8, return_state=True)(x)",
    "ConvLSTM2D(3, (3, 3), padding='same')",
    "TimeDistributed(Dense(3))",
    "Dense(1)(Dropout(0.5)(LSTM(8)(x, mask=tf.constant([[True, False, True]]), training=True)))",
    "LSTM(8, input_shape=(10, 8))(tf.cast(np.random.rand(2, 10, 8), tf.float32))",
    "Sequential([keras.Input((10, 8)), GRU(8)])(np.arange(24).reshape(2, 3, -1).astype('float32'))",
    "LSTM(8, activation=my_act, kernel_initializer=Orthogonal(gain=0.5), name=f'lstm', dtype=tf.float16)",
    "GRU(8, activation=LeakyReLU(0.1), recurrent_activation=lambda x: x, kernel_regularizer=l2(1e-4))",
    "LSTM(8)(sequences=batch['x'][0].numpy(), initial_state=[h, tf.zeros((2, 8))])",
)
ATTACKS = (
    "__import__('os').system('touch pwned')", "().__class__.__bases__[0].__subclasses__()", "open('pwned', 'w')",
    "exec('1')", "eval('1')", "lambda: 0", "[x for x in y]", "{**a}", "f'{__import__(1)}'", "await x", "yield",
    "(yield)", "x := 3", "a if b else c", "not x", "~1", "9**9**9", "1e999", "-1", "1j", "b'x'", "...", "\\", "\x00",
    "\ud800", "é", "\u202e", "((((((((((", "))))", "[[[[[[[[[[[[[[[[[[[[[[[[", "'" * 3, '"', "#", "\n", "\r", "\t",
    ";", "import os", "del x", "LSTM", "LSTM(LSTM(LSTM(LSTM(1))))", "9" * 5000, "*args", "**kwargs", "%", "@", "|",
    "print(1)", "globals()", "type('x', (), {})", "LSTM.__init__.__globals__", "tf.keras.layers.__class__",
    "LSTM(8)(" * 30, "LSTM(8)(" * 18 + "x" + ")" * 18, "(x)" * 800, ".copy()" * 600, "[0]" * 1500, ".a" * 2000, "-" * 3000,
    ".reshape(2, -1)" * 200, "tf.zeros((" + "9" * 400 + ",))", "np.array([" + "[1]," * 900 + "])", "+x" * 2000,
    "keras.Input", "Input((None,))", "(*x, 3)", "input_dim=8", "input_shape=(x, 1.5)", "|LSTM(1)" * 500, "(x, y)",
)  # fmt: skip


# Each is one or more whole lines.
STATEMENTS = (
    "model = Sequential()", "model.add(LSTM(n, return_sequences=flag))", "model.add(Dense(1))", "x = Input((steps, dim))",
    "x = LSTM(units, return_sequences=True)(x)", "y, h, c = LSTM(8, return_state=True)(x)", "z = GRU(8)(x, initial_state=h)",
    "rnn = RNN(cells)", "cells = [LSTMCell(n) for n in sizes]", "sizes = [8, 16]", "sizes.append(n)", "a = b", "b = a", "units = units + 1",
    "units *= units", "n = 10**10**10", "n = 'a' * 10**9", "n = [0] * 10**9", "n = 2**62 * 2**62", "n = 1e308 * 10", "n = int(1e400)", "n = 1 % 0",
    "for i in range(10**12):\n    model.add(LSTM(i))", "for i in range(64):\n    for j in range(64):\n        for k in range(64):\n            n = k",
    "for model in model:\n    model = LSTM(8)(model)", "while True:\n    model.add(LSTM(8))", "def f(x):\n    return f(x)", "f(f(f(x)))",
    "def g(n=8, *a, **k):\n    return LSTM(n)", "layer = g(g)", "def f(f):\n    def f(f):\n        return f\n    return f(f)",
    "class A(Layer):\n    units = 8\n    def __init__(self):\n        self.r = LSTM(self.units)\n    def call(self, x):\n        return self.call(self.r(x))",
    "a = A()", "y = a(x)", "if flag:\n    rnn = LSTM(8)\nelse:\n    rnn = GRU(8)", "rnn = LSTM(8) if flag else GRU(8)", "y = rnn(rnn)",
    "x = x.unknown().method()(x)[0](x)", "model = model", "model.add(model)", "rnn = Bidirectional(rnn)", "import os", "os.system('touch pwned')",
    "from tensorflow.keras.layers import *", "LSTM = GRU", "x = __import__('os')", "open('pwned', 'w')", "exec('1')", "del model", "global n",
    "return LSTM(n)", "yield x", "with a as b:\n    b = LSTM(8)(b)", "try:\n    x = LSTM(8)(x)\nexcept Exception:\n    pass", "lambda: LSTM(8)",
    "*a, b = LSTM(8, return_state=True)(x)", "a = a[a]", "a[0] = LSTM(8)", "x = LSTM(**x)(**x)", "n: int = n", "(n := 8)", "match x:\n    case 1:\n        LSTM(8)",
    "async def f():\n    await LSTM(8)(x)", "\x00", "\ud800 = 3", "\u202e = LSTM(8)", "x = [[LSTM(8)] * 64] * 64", "m = Sequential([Sequential([LSTM(8)])])",
    "cells = [[c for c in cells] for cells in cells]", "sizes = range(10**12)", "n = len(range(10**12))", "x = LSTM(8)(x); " * 20, "n = -n // 0",
    "params = {'units': 8, **params}", "LSTM(**params)", "print(LSTM(8))", "x = Dropout(rate)(x)", "x = Concatenate()([x, y])", "model = Model(x, y)",
)  # fmt: skip
LETS: tuple[dict[str, object], ...] = (
    {}, {}, {}, {"n": 8}, {"n": -1}, {"n": "LSTM"}, {"flag": True, "n": 2}, {"flag": 3}, {"n": 10**30}, {"units": 1.5}, {"steps": 0}, {"nothing": 1},
)  # fmt: skip


def program(rng: random.Random) -> str:
    """Hostile statements: real ones in random order, some of them broken."""
    lines = [rng.choice(STATEMENTS) for _ in range(rng.randrange(2, 14))]
    if rng.random() < 0.3:
        place = rng.randrange(len(lines))
        lines[place] = expression(rng)
    text = "\n".join(lines)
    if rng.random() < 0.1:
        text = "\n".join(f"    {line}" for line in text.split("\n"))
    if rng.random() < 0.02:
        text = "\n".join([text] * rng.randrange(1, 100))
    return text


def expression(rng: random.Random) -> str:
    """One hostile text."""
    kind = rng.random()
    if kind < 0.1:
        return "".join(
            chr(rng.choice((rng.randrange(32, 127), rng.randrange(0x110000)))) for _ in range(rng.randrange(60))
        )
    text = rng.choice(SEEDS)
    for _ in range(rng.randrange(1, 4)):
        place, length = rng.randrange(len(text) + 1), rng.randrange(0, 6)
        text = text[:place] + rng.choice((*ATTACKS, chr(rng.randrange(32, 127)), "")) + text[place + length :]
    if kind > 0.97:
        text *= rng.randrange(1, 400)
    return text


def ran(text: str, let: dict[str, object]) -> str:
    """The outcome of a program, as in ``outcome``."""
    try:
        specs = make_all(text, {"let": let} if let else {})
    except Invalid as error:
        return _told(error)
    assert all(
        make(spec.layer.text, {"let": dict(spec.let)}).layer.text == spec.layer.text
        for spec in specs[:2]
        if spec.layer.cls.kind != "graph"
    )
    return "a layer"


def outcome(text: str) -> str:
    """The outcome of a text: ``"a layer"`` or ``"an error"``; anything else is a bug."""
    try:
        spec = make(text if not text.isidentifier() else text + "()")
    except Invalid as error:
        return _told(error)
    assert make(spec.layer.text, {"let": dict(spec.let)}).layer.text == spec.layer.text, text
    return "a layer"


def _told(error: Invalid) -> str:
    assert error.problems
    for problem in error.problems:
        assert problem.message
        if problem.span is not None and error.text is not None:
            assert 0 <= problem.span[0] <= problem.span[1] <= max(len(error.text), 1), (error.text, problem)
    return "an error"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--programs", action="store_true")
    asked = parser.parse_args()
    rng, ends, slowest = random.Random(asked.seed), Counter[str](), 0.0
    modules = set(sys.modules)
    for _ in range(asked.count):
        text = program(rng) if asked.programs else expression(rng)
        let = rng.choice(LETS)
        begun = time.perf_counter()
        ends[ran(text, let) if asked.programs else outcome(text)] += 1
        slowest = max(slowest, time.perf_counter() - begun)
    print(
        f"{asked.count:,} {'programs' if asked.programs else 'expressions'}: {dict(ends)}; imported {set(sys.modules) - modules or 'nothing'}; slowest {slowest:.3f} s"
    )


if __name__ == "__main__":
    main()
