"""The script that a person would write to see what an LSTM returns, for comparison with ``rnnshape lstm …``."""

import tensorflow as tf

layer = tf.keras.layers.LSTM(1, return_sequences=True, return_state=True)
for tensor in layer(tf.random.uniform((2, 3, 4))):
    print(tensor.shape)
