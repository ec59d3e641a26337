"""Methods of layers that took more in Keras 2: ``layer.get_initial_state(x)``, ``layer.reset_states(states)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code.made import Layer, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

# The kinds of layers that have them (tf_keras: rnn/base_rnn.py, rnn/lstm.py; keras: layers/rnn/rnn.py).
_TOOK = {
    "get_initial_state": ("recurrent", "cell"),
    "reset_states": ("recurrent",),
    "reset_state": ("recurrent",),
}


def former(call: ast.Call, value: Callable[[ast.expr], Any]) -> str | None:
    """Why Keras 3 rejects a call of a layer's method that Keras 2 takes; None if it does not."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in _TOOK or asked() < KERAS_3:
        return None
    layer = value(function.value)
    if not isinstance(layer, Layer) or layer.node is None or layer.node.cls.kind not in _TOOK[function.attr]:
        return None
    if function.attr != "get_initial_state":
        what = f"{function.attr} takes no states in Keras 3"
        return f"{what}: pass them as initial_state in the next call" if call.args or call.keywords else None
    more = any(keyword.arg != "batch_size" for keyword in call.keywords) or len(call.args) > 1
    if more or (call.args and isinstance(value(call.args[0]), Tensor)):
        return "get_initial_state takes only batch_size in Keras 3, such as keras.ops.shape(x)[0]"
    return None
