"""Repeatable weights and draws."""

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
    """Seed what Keras draws its weights' seeds from, for us alone.

    An initializer or a Dropout that is given no seed draws one from Python's ``random``
    (``keras/src/random/seed_generator.py``).  Its reference is turned to a generator of our own: the shared one
    belongs to the caller, and other threads draw from it in between, as those of a Dask worker do.
    ``keras.utils.set_random_seed`` would seed TensorFlow too, which throws away its cache of kernels: every
    operation of every layer would be set up anew.
    """
    module, name = "keras.src.random.seed_generator", "python_random"
    if asked() < KERAS_3:
        module, name = "tf_keras.src.backend", "random"
        load().random.set_seed(seed)  # a Dropout of Keras 2 draws from TensorFlow's own generator
    seeds: Any = import_module(module)
    before = getattr(seeds, name)
    setattr(seeds, name, random.Random(seed))  # noqa: S311  no secret
    try:
        yield
    finally:
        setattr(seeds, name, before)
