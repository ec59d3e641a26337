"""The table of layers: one ``LayerClass`` for each class of Keras.

A new layer is a ``LayerClass`` in a module of this folder, and its name in ``CLASSES``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.activations import ACTIVATIONS
from rnnshape.layers.bidirectional import BIDIRECTIONAL
from rnnshape.layers.cells import GRU_CELL, LSTM_CELL, SIMPLE_RNN_CELL
from rnnshape.layers.conv_lstm import CONV_LSTMS
from rnnshape.layers.convolution import CONVOLUTION
from rnnshape.layers.core import CORE
from rnnshape.layers.graph import MODEL
from rnnshape.layers.node import Node, named
from rnnshape.layers.normalization import NORMALIZATION
from rnnshape.layers.pooling import POOLING
from rnnshape.layers.recurrent import GRU, LSTM, RNN, SIMPLE_RNN
from rnnshape.layers.regularization import REGULARIZATION
from rnnshape.layers.reshaping import RESHAPING
from rnnshape.layers.sequential import SEQUENTIAL
from rnnshape.layers.stacked import STACKED_RNN_CELLS
from rnnshape.layers.time_distributed import TIME_DISTRIBUTED

if TYPE_CHECKING:
    from rnnshape.layers.node import LayerClass

CLASSES = (
    LSTM,
    GRU,
    SIMPLE_RNN,
    LSTM_CELL,
    GRU_CELL,
    SIMPLE_RNN_CELL,
    STACKED_RNN_CELLS,
    RNN,
    BIDIRECTIONAL,
    *CONV_LSTMS,
    TIME_DISTRIBUTED,
    *CORE,
    *REGULARIZATION,
    *CONVOLUTION,
    *POOLING,
    *NORMALIZATION,
    *ACTIVATIONS,
    *RESHAPING,
    SEQUENTIAL,
)
TABLE: dict[str, LayerClass] = {layer.name: layer for layer in CLASSES}
ALIASES = {
    **{cls.name.replace("Average", "Avg").replace("Pooling", "Pool"): cls.name for cls in POOLING},
    **{cls.name.replace("Conv", "Convolution"): cls.name for cls in CONVOLUTION if "Depthwise" not in cls.name},
}
"""The other names that Keras has for these classes."""


__all__ = ["ALIASES", "CLASSES", "MODEL", "TABLE", "Node", "named"]
