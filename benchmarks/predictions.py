"""Predictions a second."""

from __future__ import annotations

import gc
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.pairs import Row, Side, Target, in_turn
from benchmarks.questions import mix

if TYPE_CHECKING:
    from benchmarks.peers import Peer

OURS = "rnnshape.theory.predict"
KERAS = "keras.Input through the layer"

# The number of questions for each peer in a round, enough for some tenths of a second.
ASKED: dict[str, tuple[Peer, int]] = {
    OURS: (peers.rnnshape_predict, 4000),
    KERAS: (peers.keras_symbolic, 40),
    "layer.compute_output_shape": (peers.keras_compute_output_shape, 1000),
    "jax.eval_shape of a Flax RNN": (peers.flax_eval_shape, 20),
    "PyTorch on the meta device": (peers.torch_meta, 50),
}


def predictions(rounds: int) -> list[Row]:
    """Predictions a second.

    The number of layers in a second whose results are found without running them.  The mix contains LSTM, GRU,
    SimpleRNN and Bidirectional, no two alike.  Specs on our side and layers on theirs are made before the clock
    starts; Keras and Flax create the weights during the measurement.  Only ours has roles, laws, weights and the
    rules of cuDNN; the others give shapes.
    """
    sides, missing = {}, {}
    for name, (peer, asked) in ASKED.items():
        side = _rate(peer, asked)
        try:
            side()  # the first call imports and fills caches
        except ImportError as error:
            missing[name] = f"missing: {error}"
        else:
            sides[name] = side
    # TensorFlow, JAX and PyTorch have about 600,000 objects, which each full garbage collection would visit during
    # the measurement of one side; they belong to no side.
    gc.collect()
    gc.freeze()
    taken = in_turn(sides, rounds)
    gc.unfreeze()
    targets = {KERAS: (Target("ours", "≥", 30_000), Target("ratio", "≥", 200))}
    return [
        Row(f"`{OURS}`", name, "/s", taken[OURS], taken.get(name, ()), targets.get(name, ()), missing.get(name, ""))
        for name in ASKED
        if name != OURS
    ]


def _rate(peer: Peer, asked: int) -> Side:
    """Answers a second; every measurement uses other questions."""
    starts = count(step=asked)

    def measure() -> float:
        ask = peer(mix(next(starts), asked))
        began = perf_counter()
        ask()
        return asked / (perf_counter() - began)

    return measure
