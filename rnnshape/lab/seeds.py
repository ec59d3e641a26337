"""Makes weights and random draws repeatable."""

from __future__ import annotations

import random
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnnshape.lab.tensorflow import load
from rnnshape.layers.release import KERAS_3, asked

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the generator from which Keras draws the seeds of weights and dropout, without changing the shared one.

    An initializer or a Dropout without a seed draws one from Python's ``random``
    (``keras/src/random/seed_generator.py``).  This module attribute is replaced by our own generator: the shared one
    belongs to the caller, and other threads, such as those of a Dask worker, draw from it too.
    ``keras.utils.set_random_seed`` would also seed TensorFlow, which clears its cache of kernels: every operation of
    every layer would be set up again.
    """
    module, name = "keras.src.random.seed_generator", "python_random"
    if asked() < KERAS_3:
        module, name = "tf_keras.src.backend", "random"
        load().random.set_seed(seed)  # a Dropout of Keras 2 draws from TensorFlow's own generator
    seeds: Any = import_module(module)
    before = getattr(seeds, name)
    setattr(seeds, name, random.Random(seed))  # noqa: S311  not for security
    try:
        yield
    finally:
        setattr(seeds, name, before)
