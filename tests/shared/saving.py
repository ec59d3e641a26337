"""Saves small models with the installed Keras: ``python -m tests.shared.saving FOLDER``.

The files in ``tests/reading/saved`` are from Keras 3.3.3 with TensorFlow 2.16.  With ``TF_USE_LEGACY_KERAS=1``,
tf_keras saves them, and a SavedModel too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


def encoder_decoder(keras: Any) -> Any:
    layers = keras.layers
    x, z = keras.Input((5, 4), name="source"), keras.Input((None, 3), name="target")
    output, *states = layers.LSTM(4, return_state=True, name="encoder")(x)
    decoded = layers.LSTM(4, return_sequences=True, name="decoder")(z, initial_state=states)
    return keras.Model([x, z], [layers.TimeDistributed(layers.Dense(2), name="words")(decoded), output])


def bidirectional(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((None, 4)),
            layers.Bidirectional(layers.GRU(3, return_sequences=True), name="both"),
            layers.BatchNormalization(name="normal"),
            layers.Bidirectional(layers.LSTM(2), merge_mode="sum", name="summed"),
        ]
    )


def nested(keras: Any) -> Any:
    layers = keras.layers
    inner = keras.Sequential([keras.Input((5, 4)), layers.SimpleRNN(3, name="inner_rnn")], name="inner")
    x = keras.Input((5, 4), name="x")
    stacked = layers.RNN([layers.LSTMCell(3), layers.GRUCell(3)], name="stacked")(x)
    return keras.Model(x, layers.Add(name="sum")([inner(x), inner(x), stacked]))


MODELS = (encoder_decoder, bidirectional, nested)


def main(folder: Path) -> None:
    import tensorflow as tf

    keras = tf.keras
    for make in MODELS:
        model = make(keras)
        model.save(folder / f"{make.__name__}.keras")
        model.save(folder / f"{make.__name__}.h5")
        model.save_weights(folder / f"{make.__name__}.weights.h5")
        if os.environ.get("TF_USE_LEGACY_KERAS"):
            model.save(folder / make.__name__, save_format="tf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
