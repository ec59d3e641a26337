"""Random masks, states, calls and training over the recurrent layers, to hold theory against Keras.

``python -m tests.masking 2000 --seed 1`` draws that many and prints every disagreement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rnnshape
from rnnshape.layers.scan import COMPUTED
from rnnshape.spec.spec import finish
from tests.drawing import Drawer, main, wrong

if TYPE_CHECKING:
    from rnnshape.layers import Node

DTYPES = (None, None, "float64", "float16", "mixed_float16", "mixed_bfloat16")


class MaskDrawer(Drawer):
    """Draws layers whose activations give no zeros, under a mask, begun with states, called again, in training."""

    def common(self) -> dict[str, Any]:
        return super().common() | {
            "activation": "tanh",
            "recurrent_activation": self.rng.choice(("sigmoid", "hard_sigmoid")),
            "kernel_initializer": "glorot_uniform",
        }

    def policy(self, chance: float) -> str | None:
        return self.rng.choice(DTYPES) if self.flag(chance) else None

    def scan(self, *, both_ways: bool = False) -> dict[str, Any]:
        return super().scan(both_ways=both_ways) | {"return_state": self.flag(0.7)}

    def layer(self) -> Node:
        pick = self.rng.random()
        if pick < 0.5:
            return self.recurrent()
        if pick < 0.85:
            return self.bidirectional()
        first = self.rng.choice(
            (
                self.make("Embedding", input_dim=self.rng.choice((2, 5)), output_dim=3, mask_zero=True),
                self.make("Masking", mask_value=self.rng.choice((0.0, 0.5, -1.0))),
            )
        )
        last = self.fused() if self.flag() else self.make("Bidirectional", layer=self.fused(go_backwards=False))
        between = [self.fused(return_sequences=True, return_state=False)] if self.flag(0.3) else []
        return self.make("Sequential", layers=(first, *between, last))

    def fused(self, **scan: Any) -> Node:
        return self.make(self.rng.choice(("LSTM", "GRU", "SimpleRNN")), **self.common(), **{**self.scan(), **scan})

    def mask(self, batch: int, steps: int) -> str:
        lengths = [self.rng.randint(0 if self.flag(0.1) else 1, steps) for _ in range(batch)]
        written = ",".join(map(str, lengths))
        return self.rng.choice(("random", "random", "full", f"right:{written}", f"right:{written}", f"left:{written}"))

    def spec(self) -> rnnshape.Spec:
        while True:
            node = self.layer()
            letters = node.cls.letters(node, None)
            sizes = [
                self.rng.choice((3, 5, 6)) if letter in "XYZ" else self.rng.choice((1, 2, 3, 4)) for letter in letters
            ]
            sizes[1] = self.rng.choice((1, 2, 3, 5, 7))
            options: dict[str, Any] = {"input": tuple(sizes), "seed": self.rng.randrange(100)}
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


def unlike(spec: rnnshape.Spec) -> str | None:
    """As ``drawing.wrong``, and whether each step shows what theory says: exactly, in a wide dtype."""
    if message := wrong(spec):
        return message
    report = rnnshape.explore(spec)
    masked = report.masked
    if report.error is not None or masked is None or masked.observed is None:
        return None
    wide = all(part["dtype"] in (None, "float64") for part in spec.layer.walk() if part.has("dtype"))
    for said, seen in zip(masked.predicted, masked.observed, strict=True):
        if said.steps != seen.steps and wide and not spec.training and spec.layer.cls.kind != "stack":
            return f"{said.of}: theory {said.steps}\nlab {seen.steps}"
        never = [
            one for one, other in zip(sum(said.steps, ()), sum(seen.steps, ()), strict=True) if one != other != COMPUTED
        ]
        if wide and not spec.training and any(one != COMPUTED for one in never):
            return f"{said.of}: theory {said.steps}\nlab {seen.steps}"
    return None


if __name__ == "__main__":
    main(MaskDrawer, unlike)
