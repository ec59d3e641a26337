"""Draws random layers from the whole table, and compares theory with Keras on them.

``python -m tests.shared.drawing 5000 --seed 1`` draws 5,000 and prints every disagreement.
"""

from __future__ import annotations

import argparse
import json
import random
from typing import TYPE_CHECKING, Any

import rnnshape
from rnnshape.layers import TABLE, Node
from rnnshape.layers.names import ACTIVATIONS
from rnnshape.reading.finishing import finish
from rnnshape.spec.data import to_data
from tests.shared.surroundings import FREE, KEEPING, PICTURES, STEPS, drawn

if TYPE_CHECKING:
    from collections.abc import Callable

POLICIES = (None, None, None, "float16", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16")
# Left out: glu, which halves its input, and sparsemax, which soon gives NaN.
CELL_ACTIVATIONS = tuple(name for name in ACTIVATIONS.usable if name not in ("glu", "sparsemax"))


class Drawer:
    """Draws nodes and their inputs from one seed."""

    trains = 0.0

    def __init__(self, seed: int, *, keras: str | None = None) -> None:
        self.rng = random.Random(seed)
        self.keras = {} if keras is None else {"keras": keras}

    def flag(self, chance: float = 0.5) -> bool:
        return self.rng.random() < chance

    def units(self) -> int:
        return self.rng.choice((1, 1, 2, 3, 5, 7))

    def make(self, name: str, /, **values: Any) -> Node:
        return Node.of(TABLE[name], {key: value for key, value in values.items() if key in TABLE[name].by_name})

    def common(self) -> dict[str, Any]:
        """Arguments of cells and recurrent layers; each class uses those that it has."""
        rng = self.rng
        return {
            "units": self.units(),
            "activation": rng.choice(("tanh", "tanh", "tanh", None, *CELL_ACTIVATIONS)),
            "recurrent_activation": rng.choice(("sigmoid", "sigmoid", "hard_sigmoid", "tanh", None)),
            "use_bias": self.flag(0.8),
            "reset_after": self.flag(),
            "unit_forget_bias": self.flag(),
            "dropout": rng.choice((0.0, 0.0, 0.3)),
            "recurrent_dropout": rng.choice((0.0, 0.0, 0.0, 0.3)),
            "kernel_initializer": rng.choice(("glorot_uniform", "he_normal", "ones")),
            "implementation": rng.choice((1, 2)),
            "recurrent_initializer": rng.choice(("orthogonal", "orthogonal", "glorot_uniform")),
            "kernel_regularizer": rng.choice((None, None, "l2")),
            "activity_regularizer": rng.choice((None, None, None, "l1")),
            "bias_constraint": rng.choice((None, None, None, "non_neg")),
            "seed": rng.choice((None, None, 3)),
            "trainable": self.flag(0.9),
            "name": rng.choice((None, None, None, "a_name")),
        }

    def scan(self, *, both_ways: bool = False) -> dict[str, Any]:
        """Arguments of a loop over time."""
        return {
            "return_sequences": self.flag(),
            "return_state": self.flag(),
            "go_backwards": self.flag(0.3) and not both_ways,
            "stateful": self.flag(0.15),
            "unroll": self.flag(0.2),
            "zero_output_for_mask": self.flag(0.2),
            "use_cudnn": self.rng.choice(("auto", "auto", False)),
        }

    def cell(self, depth: int = 0) -> Node:
        if depth < 2 and self.flag(0.2):
            cells = tuple(self.cell(depth + 1) for _ in range(self.rng.choice((1, 2, 2, 3))))
            return self.make("StackedRNNCells", cells=cells, dtype=self.policy(0.1))
        name = self.rng.choice(("LSTMCell", "GRUCell", "SimpleRNNCell"))
        return self.make(name, **self.common(), dtype=self.policy(0.1))

    def policy(self, chance: float) -> str | None:
        return self.rng.choice(POLICIES) if self.flag(chance) else None

    def recurrent(self, **scan: Any) -> Node:
        scan = scan or self.scan()
        kind = self.rng.choice(("LSTM", "GRU", "SimpleRNN", "RNN", "RNN", "ConvLSTM"))
        if kind == "ConvLSTM":
            return self.conv_lstm(scan)
        if kind == "RNN":
            cell: Any = self.cell()
            if self.flag(0.3):
                cell = tuple(self.cell(1) for _ in range(self.rng.choice((1, 2, 3))))
            return self.make("RNN", cell=cell, **scan, dtype=self.policy(0.15))
        return self.make(kind, **self.common(), **scan, dtype=self.policy(0.15))

    def conv_lstm(self, scan: dict[str, Any]) -> Node:
        rank, rng = self.rng.choice((1, 1, 2, 2, 3)), self.rng
        strides = rng.choice((1, 1, 2))
        kernel = rng.choice((1, 2, 3, tuple(rng.choice((1, 2, 3)) for _ in range(rank))))
        return self.make(
            f"ConvLSTM{rank}D",
            **{key: value for key, value in self.common().items() if key != "units"},
            **scan,
            filters=self.units(),
            kernel_size=kernel,
            strides=strides,
            padding=rng.choice(("valid", "same")),
            dilation_rate=rng.choice((1, 1, 2)) if strides == 1 else 1,
            dtype=self.policy(0.15),
        )

    def bidirectional(self) -> Node:
        forward = self.recurrent(**self.scan(both_ways=True))
        backward = None
        if self.flag(0.3):
            shared = {name: forward[name] for name in ("return_sequences", "return_state", "stateful")}
            scan = {**self.scan(both_ways=True), **shared, "go_backwards": True}
            backward = self.recurrent(**scan)
            if len(backward.cls.letters(backward, None)) != len(forward.cls.letters(forward, None)):
                backward = None
        merge_mode = self.rng.choice(("concat", "concat", "sum", "mul", "ave", None))
        return self.make(
            "Bidirectional", layer=forward, backward_layer=backward, merge_mode=merge_mode, dtype=self.policy(0.15)
        )

    def around(self) -> Node:
        if self.flag(0.6):
            return self.neighbour((*PICTURES, *STEPS, *FREE))
        name = self.rng.choice(("Masking", "Embedding", "Dense", "Dropout"))
        return self.make(
            name,
            units=self.units(),
            rate=0.4,
            input_dim=self.rng.choice((1, 2, 9)),
            output_dim=self.units(),
            mask_zero=self.flag(),
            use_bias=self.flag(0.8),
            dtype=self.policy(0.2),
        )

    def neighbour(self, names: tuple[str, ...]) -> Node:
        """A layer of one of these classes, for a place before or after recurrent layers."""
        return drawn(self.rng, self.rng.choice(names), policy=self.policy(0.1))

    def encoder(self) -> Node:
        """Layers in TimeDistributed, for an image or a sequence at each step."""
        within = self.rng.choice((PICTURES, STEPS))
        layers = [self.neighbour(within) for _ in range(self.rng.choice((1, 2)))]
        layers.append(self.rng.choice((self.make("Flatten"), self.neighbour(FREE), self.make("LSTM", units=2))))
        inner = layers[0] if self.flag(0.3) else self.make("Sequential", layers=tuple(layers))
        return self.make("TimeDistributed", layer=inner, dtype=self.policy(0.1))

    def surrounded(self) -> Node:
        """Recurrent layers with other layers before, between and after them."""
        scan = {**self.scan(both_ways=True), "return_state": False}
        loop = self.recurrent(**scan) if self.flag(0.3) else self.make("GRU", units=3, **scan)
        masked = self.make("Masking") if self.flag(0.2) else None
        embedded = self.make("Embedding", input_dim=5, output_dim=4, mask_zero=self.flag()) if self.flag(0.2) else None
        before = [self.neighbour(KEEPING) for _ in range(self.rng.choice((0, 1, 1, 2)))]
        if self.flag(0.15):
            before.insert(0, self.encoder())
        again = [self.neighbour(FREE) for _ in range(self.rng.choice((0, 1, 2)))]
        if self.flag(0.2):
            again += [self.make("RepeatVector", n=3), self.make("LSTM", units=2, return_sequences=self.flag())]
        layers = [embedded, masked, *before, loop, *again]
        return self.make("Sequential", layers=tuple(layer for layer in layers if layer is not None))

    def layer(self) -> Node:
        pick = self.rng.random()
        if pick < 0.15:
            return self.surrounded()
        if pick < 0.2:
            return self.encoder()
        if pick < 0.35:
            return self.recurrent()
        if pick < 0.65:
            return self.bidirectional()
        if pick < 0.75:
            return self.cell()
        if pick < 0.85:
            inner = self.rng.choice((self.recurrent, self.bidirectional, self.around))()
            return self.make("TimeDistributed", layer=inner, dtype=self.policy(0.2))
        if pick < 0.9:
            return self.around()
        return self.stack()

    def stack(self) -> Node:
        """Layers whose shapes fit each other, most of the time."""
        first = self.rng.choice(
            (
                self.make("Embedding", input_dim=self.rng.choice((1, 5)), output_dim=3, mask_zero=self.flag()),
                self.make("Masking"),
                self.make("Dropout", rate=0.2),
            )
        )
        layers = [first]
        for _ in range(self.rng.choice((1, 2, 3))):
            scan = {**self.scan(both_ways=True), "return_sequences": True, "return_state": False}
            kind = self.rng.choice(("LSTM", "GRU", "RNN", "Bidirectional", "Dense", "TimeDistributed"))
            if kind == "RNN":
                layers.append(self.make("RNN", cell=self.cell(), **scan))
            elif kind == "Bidirectional":
                inner = self.make(self.rng.choice(("LSTM", "GRU")), **self.common(), **scan)
                layers.append(self.make("Bidirectional", layer=inner))
            elif kind == "TimeDistributed":
                layers.append(self.make("TimeDistributed", layer=self.make("Dense", units=self.units())))
            else:
                layers.append(self.make(kind, **self.common() | {"activation": "tanh"}, **scan))
        if self.flag():
            layers.append(self.make("LSTM", units=self.units(), return_state=self.flag()))
        return self.make("Sequential", layers=tuple(layers))

    def spec(self) -> rnnshape.Spec:
        """A Spec that passes the checks of the reader."""
        while True:
            node = self.layer()
            letters = node.cls.letters(node, None)
            if len(letters) == 3 and node.name in ("Dense", "Dropout") and self.flag():
                letters = letters[1:]
            sizes = tuple(
                self.rng.choice((1, 2, 3, 5)) if letter not in "XYZ" else self.rng.choice((3, 5, 6))
                for letter in letters
            )
            options = {"input": sizes, "seed": self.rng.randrange(100), "training": self.flag(self.trains)}
            try:
                return finish(node, {**options, **self.keras})
            except rnnshape.Invalid:
                continue


def wrong(spec: rnnshape.Spec) -> str | None:
    """How theory disagrees with the real layer; None if they agree."""
    predicted, report = rnnshape.predict(spec), rnnshape.explore(spec)
    if report.error is not None:
        if predicted.error is not None and predicted.error.kind == report.error.kind:
            return None
        return f"{report.error.message[:300]}"
    if predicted.error is not None:
        return f"theory: {predicted.error.message}, but it ran"
    if not report.agrees:
        return "; ".join(f"{one.of}: theory {one.predicted}, lab {one.observed}" for one in report.disagreements)
    if spec.layer.cls.kind != "stack" and (held := sum(array.nbytes for array in report.values)) != (
        expected := report.cost.activation_bytes
    ):
        return f"theory says {expected} bytes of activations, the arrays have {held}"
    broken = [check for check in report.checks if check.guaranteed and not check.holds]
    return f"{broken}" if broken else None


def main(drawers: type[Drawer] = Drawer, judge: Callable[[rnnshape.Spec], str | None] = wrong) -> None:
    """Draw the requested number, and print each disagreement as a run that can be read again."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    drawer, bad = drawers(asked.seed), 0
    for _ in range(asked.count):
        spec = drawer.spec()
        if message := judge(spec):
            bad += 1
            print(f"{json.dumps(to_data(spec))}\n    {message}\n", flush=True)
    print(f"{asked.count} drawn, {bad} disagree")


if __name__ == "__main__":
    main()
