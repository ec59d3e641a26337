"""What a person writes to see what an LSTM returns: the script that ``rnnshape lstm …`` has to match."""

import tensorflow as tf

layer = tf.keras.layers.LSTM(1, return_sequences=True, return_state=True)
for tensor in layer(tf.random.uniform((2, 3, 4))):
    print(tensor.shape)
