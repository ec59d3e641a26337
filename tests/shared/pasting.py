"""Draws random lines of code, and compares what rnnshape reads in them with what Keras returns.

``python -m tests.shared.pasting 2000 --seed 1`` draws 2,000 and prints each line with a difference.
"""

from __future__ import annotations

import argparse
import random
import warnings
from typing import Any

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.structure import leaves

_SHAPES = ((2, 3, 4), (1, 2, 3), (2, 3), (3, 5, 1), (2, 2, 3, 4))
_TENSORS = (
    "tf.zeros({0})",
    "tf.random.normal({1})",
    "tf.cast(np.ones({0}), tf.float32)",
    "np.random.rand({2}).astype('float32')",
    "np.random.normal(size={0})",
    "np.arange({3}.0).reshape({0})",
    "keras.random.uniform({0})",
    "keras.ops.ones({1})",
    "tf.constant({4})",
    "np.array({4}, dtype='float32')",
)


class Drawer:
    """Draws lines from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def line(self) -> str:
        """Nested calls of layers, the innermost on a tensor with a literal shape."""
        text = self._tensor()
        for _ in range(self.rng.randrange(1, 4)):
            name = self.rng.choice(("", "", "", "inputs=", "sequences="))
            text = f"{self._layer()}({name}{text})"
            if "return_state" in text or "None" in text:
                break
        return text

    def _tensor(self) -> str:
        shape = self.rng.choice(_SHAPES)
        nested: Any = 1.0
        count = 1
        for size in reversed(shape):
            nested, count = [nested] * size, count * size
        inner = ", ".join(map(str, shape))
        return self.rng.choice(_TENSORS).format(shape, list(shape), inner, count, nested)

    def _layer(self, *, alone: bool = False) -> str:
        rng = self.rng
        units = rng.choice((1, 2, 3))
        sequences = f"return_sequences={rng.random() < 0.7}"
        state = ", return_state=True" * (rng.random() < 0.1)
        # Dropout of several tensors is not supported; a Sequential passes a single one.
        merge = "sum" if alone else rng.choice(("concat", None))
        kind = rng.choice(("LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed", "Masking", "Dropout", "Dense",
                           "RNN", "RNNs", "Sequential"))  # fmt: skip
        inside = ", ".join(self._layer(alone=True) for _ in range(rng.randrange(1, 3))) if not alone else ""
        if kind == "Sequential" and not alone:
            return f"keras.Sequential([{inside}])"
        made = {
            "Bidirectional": f"layers.Bidirectional(GRU({units}, {sequences}{state}), merge_mode={merge!r})",
            "TimeDistributed": f"TimeDistributed(Dense({units}))",
            "Masking": "Masking()",
            "Dropout": "Dropout(0.5)",
            "Dense": f"keras.layers.Dense({units})",
            "RNN": f"RNN(LSTMCell({units}), {sequences})",
            "RNNs": f"RNN([LSTMCell({units}), GRUCell(2)], {sequences}{state})",
        }
        return made.get(kind, f"{kind if kind != 'Sequential' else 'LSTM'}({units}, {sequences}{state})")


def differs(line: str) -> str | None:
    """How the answer for a line differs from Keras' result; None if it does not."""
    from rnnshape.lab.tensorflow import load

    tf = load()
    import numpy as np

    layers = tf.keras.layers
    names = {**vars(layers), "tf": tf, "np": np, "keras": tf.keras, "layers": layers}
    real, refused = None, ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            real = [tuple(one.shape) for one in tf.nest.flatten(eval(line, names))]  # noqa: S307  drawn here
        except Exception as error:  # noqa: BLE001  whatever Keras raises
            refused = f"{type(error).__name__}: {error}"[:200]
    try:
        report = rnnshape.predict(line)
    except Invalid as error:
        return None if refused else f"read: {error}"
    if refused:
        return None if report.error else f"Keras: {refused}"
    ours = [leaf.shape for leaf in leaves(report.predicted)]
    if real is None or report.error or len(ours) != len(real):
        return f"read: {report.error or ours}, Keras: {real}"
    alike = all(
        len(mine) == len(theirs) and all(size in (None, said) for said, size in zip(mine, theirs, strict=True))
        for mine, theirs in zip(ours, real, strict=True)
    )
    return None if alike else f"read: {ours}, Keras: {real}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    drawer, bad = Drawer(asked.seed), 0
    for _ in range(asked.count):
        line = drawer.line()
        if wrong := differs(line):
            bad += 1
            print(f"{line}\n    {wrong}")
    print(f"{asked.count:,} lines, {bad:,} differ")


if __name__ == "__main__":
    main()
