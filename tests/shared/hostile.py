"""Hostile expressions by the hundred thousand: no traceback, no import, no evaluation, no hang.

``python -m tests.shared.hostile 100000 --seed 1`` makes that many out of real expressions, Python's
grammar and raw noise, and reports what each ended in.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter

from rnnshape.errors import Invalid
from rnnshape.reading import make

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


def outcome(text: str) -> str:
    """How a text ended: ``"a layer"``, ``"an error"``; anything else is a fault."""
    try:
        layer = make(text if not text.isidentifier() else text + "()").layer
    except Invalid as error:
        assert error.problems
        for problem in error.problems:
            assert problem.message
            if problem.span is not None and error.text is not None:
                assert 0 <= problem.span[0] <= problem.span[1] <= max(len(error.text), 1), (error.text, problem)
        return "an error"
    assert make(layer.text).layer == layer, text
    return "a layer"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, ends, slowest = random.Random(asked.seed), Counter[str](), 0.0
    modules = set(sys.modules)
    for _ in range(asked.count):
        text = expression(rng)
        begun = time.perf_counter()
        ends[outcome(text)] += 1
        slowest = max(slowest, time.perf_counter() - begun)
    print(
        f"{asked.count:,} expressions: {dict(ends)}; imported {set(sys.modules) - modules or 'nothing'}; slowest {slowest:.3f} s"
    )


if __name__ == "__main__":
    main()
