"""Draws recurrent layers with random masks, states, calls and training, and compares theory with Keras on them.

``python -m tests.shared.masking 3000 --seed 1`` draws 3,000 and prints every disagreement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rnnshape
from rnnshape.reading.finishing import finish
from tests.shared.drawing import Drawer, main, wrong

if TYPE_CHECKING:
    from rnnshape.layers import Node

DTYPES = (None, None, "float64", "float16", "mixed_float16", "mixed_bfloat16")
EXECUTIONS = (*("eager",) * 12, *("graph",) * 5, "auto", "xla")  # rare, because XLA compiles for seconds


class MaskDrawer(Drawer):
    """Draws layers and stacks with a mask, initial states, further calls, training, and each execution mode."""

    def common(self) -> dict[str, Any]:
        # Layers with equal or zero steps are drawn too: the strips are compared on a changed layer.
        return super().common() | {
            "activation": self.rng.choice(("tanh", "tanh", "sigmoid", "relu", "linear", "hard_sigmoid")),
            "kernel_initializer": self.rng.choice(("glorot_uniform", "glorot_uniform", "he_normal", "zeros", "ones")),
            "rate": 0.4,
        }

    def policy(self, chance: float) -> str | None:
        return self.rng.choice(DTYPES) if self.flag(chance) else None

    def scan(self, *, both_ways: bool = False) -> dict[str, Any]:
        return super().scan(both_ways=both_ways) | {"return_state": self.flag(0.7)}

    def layer(self) -> Node:
        pick = self.rng.random()
        if pick < 0.35:
            return self.recurrent()
        return self.bidirectional() if pick < 0.6 else self.stack()

    def stack(self) -> Node:
        """A layer that creates or uses a mask, and layers that pass it on, drop it or create another."""
        first = self.rng.choice((self.masking, self.embedding, self.distributed, self.sequence))
        between = (self.masking, self.distributed, self.sequence, self.sequence, self.flat, self.flat)
        last = (self.recurrent, self.bidirectional, self.masking, self.flat, self.distributed)
        layers = [first(), *(self.rng.choice(between)() for _ in range(self.rng.choice((0, 1, 1, 2))))]
        return self.make("Sequential", layers=(*layers, self.rng.choice(last)()))

    def masking(self) -> Node:
        return self.make("Masking", mask_value=self.rng.choice((0.0, 0.0, 0.5, -1.0)), dtype=self.policy(0.1))

    def embedding(self) -> Node:
        made = self.make("Embedding", input_dim=self.rng.choice((1, 2, 5)), output_dim=3, mask_zero=self.flag(0.9))
        return self.make("TimeDistributed", layer=made) if self.flag(0.1) else made

    def flat(self) -> Node:
        return self.make(self.rng.choice(("Dense", "Dense", "Dropout")), **self.common(), dtype=self.policy(0.1))

    def distributed(self) -> Node:
        inner = self.rng.choice((self.flat, self.flat, self.recurrent, self.bidirectional, self.masking))()
        return self.make("TimeDistributed", layer=inner, dtype=self.policy(0.1))

    def sequence(self) -> Node:
        """A recurrent layer with one output tensor, which another layer can take."""
        scan = {**self.scan(both_ways=True), "return_sequences": True, "return_state": False}
        layer = self.recurrent(**scan)
        return self.make("Bidirectional", layer=layer) if self.flag(0.3) else layer

    def mask(self, batch: int, steps: int) -> str:
        lengths = [self.rng.randint(0 if self.flag(0.1) else 1, steps) for _ in range(batch)]
        written = ",".join(map(str, lengths))
        return self.rng.choice(("random", "random", "full", f"right:{written}", f"right:{written}", f"left:{written}"))

    def spec(self) -> rnnshape.Spec:
        while True:
            node = self.layer()
            letters = node.cls.letters(node, self.rng.choice((None, None, 4, 5)))
            sizes = [
                self.rng.choice((3, 5, 6)) if letter in "XYZ" else self.rng.choice((1, 2, 3, 4)) for letter in letters
            ]
            sizes[1] = self.rng.choice((1, 2, 3, 5, 7))
            options: dict[str, Any] = {**self.keras, "input": tuple(sizes), "seed": self.rng.randrange(100)}
            options["execution"] = self.rng.choice(EXECUTIONS)
            if self.flag(0.85):
                options["mask"] = self.mask(*sizes[:2])
            if self.flag(0.35):
                options["initial_state"] = self.rng.choice(("zeros", "ones", "random"))
            if self.flag(0.3):
                options["calls"] = self.rng.choice((2, 2, 3))
            if self.flag(0.2):
                options["training"] = True
            try:
                return finish(node, options)
            except rnnshape.Invalid:
                continue


if __name__ == "__main__":
    main(MaskDrawer, wrong)
