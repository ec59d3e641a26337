"""Methods that Keras 2 and 3 call differently: ``layer.get_initial_state(x)``, ``model.reset_states()``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code.made import Functional, Layer, Model, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

# The kinds of layers that have them (tf_keras: rnn/base_rnn.py, rnn/lstm.py; keras: layers/rnn/rnn.py).  In tf_keras
# models have reset_states too (engine/training.py).
_TOOK = {
    "get_initial_state": ("recurrent", "cell"),
    "reset_states": ("recurrent",),
    "reset_state": ("recurrent",),
}


def former(call: ast.Call, value: Callable[[ast.expr], Any]) -> str | None:
    """Why the chosen release rejects a call of a method that the other takes; None if it does not."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in _TOOK:
        return None
    layer = value(function.value)
    if isinstance(layer, Model | Functional) and function.attr == "reset_states" and asked() >= KERAS_3:
        return "a model has no reset_states() in Keras 3: call reset_state() of each stateful layer"
    if not isinstance(layer, Layer) or layer.node is None or layer.node.cls.kind not in _TOOK[function.attr]:
        return None
    if asked() < KERAS_3:
        by_size = function.attr == "get_initial_state" and any(one.arg == "batch_size" for one in call.keywords)
        only = by_size and layer.node.cls.kind == "recurrent"
        return "get_initial_state of a layer takes the input in Keras 2, not batch_size" if only else None
    if function.attr != "get_initial_state":
        what = f"{function.attr} takes no states in Keras 3"
        return f"{what}: pass them as initial_state in the next call" if call.args or call.keywords else None
    more = any(keyword.arg != "batch_size" for keyword in call.keywords) or len(call.args) > 1
    if more or (call.args and isinstance(value(call.args[0]), Tensor)):
        return "get_initial_state takes only batch_size in Keras 3, such as keras.ops.shape(x)[0]"
    return None
